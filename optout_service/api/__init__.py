"""The face for marketing systems: JSON over HTTP, an API key with a role, problems for errors."""

from typing import Final

from optout_service.api import (
    accounts,
    brand,
    changes,
    checkpoints,
    checks,
    clearances,
    counts,
    erasing,
    exports,
    feed,
    holds,
    imports,
    keys,
    links,
    recipients,
    recording,
    reviews,
    scrub,
    senders,
    suppressions,
    tenants,
    texts,
    topics,
)
from optout_service.api.auth import Permission, key, key_for_checks
from optout_service.web import Face, Route, problem

_CHECK: Final = key_for_checks(Permission.CHECK)
_CHECKS: Final = key_for_checks(Permission.CHECK, heavy=True)
_LINKS: Final = key(Permission.LINKS)
_LINK_KEY: Final = key(Permission.LINK_KEY)
_RECORD: Final = key(Permission.RECORD)
_HOLDS: Final = key(Permission.HOLDS)
_TEXTS: Final = key(Permission.TEXTS)
_TENANTS: Final = key(Permission.TENANTS)
_TENANT: Final = key(Permission.TENANT)
_TOPICS: Final = key(Permission.TOPICS)
_SENDERS: Final = key(Permission.SENDERS)
_KEYS: Final = key(Permission.KEYS)
_SENDER: Final = "/v1/senders/<provider>/<account>/<address>"

FACE: Final = Face(
    name="api",
    prefixes=("/v1/",),
    routes=(
        Route("/v1/check", ("POST",), _CHECK, checks.check),
        Route("/v1/check/batch", ("POST",), _CHECKS, checks.check_batch),
        Route("/v1/scrub", ("POST",), key(Permission.CHECK, heavy=True), scrub.scrub),
        Route("/v1/clearances/verify", ("POST",), key(Permission.CLEARANCES), clearances.verify),
        Route("/v1/opt-outs", ("POST",), _RECORD, recording.opt_out),
        Route("/v1/opt-ins", ("POST",), _RECORD, recording.opt_in),
        Route("/v1/imports", ("POST",), key(Permission.IMPORT, heavy=True), imports.import_list),
        Route("/v1/links", ("POST",), _LINKS, links.mint_link),
        Route("/v1/links/batch", ("POST",), key(Permission.LINKS, heavy=True), links.mint_links),
        Route("/v1/link-key", ("GET",), _LINK_KEY, links.link_key),
        Route("/v1/events", ("GET",), key(Permission.FEED), feed.events),
        Route(
            "/v1/suppressions",
            ("GET",),
            key(Permission.SUPPRESSIONS),
            suppressions.list_suppressions,
        ),
        Route(
            "/v1/suppressions/changes", ("GET",), key(Permission.REPLICATE), changes.list_changes
        ),
        Route(
            "/v1/suppressions/export",
            ("GET",),
            key(Permission.SUPPRESSIONS, heavy=True),
            exports.export_suppressions,
        ),
        Route("/v1/reviews", ("GET",), key(Permission.REVIEWS), reviews.list_reviews),
        Route("/v1/reviews/<int:number>", ("GET",), key(Permission.REVIEWS), reviews.show_review),
        Route(
            "/v1/reviews/<int:number>/decision",
            ("POST",),
            key(Permission.DECIDE),
            reviews.decide_review,
        ),
        Route("/v1/recipients/lookup", ("POST",), key(Permission.LOOKUP), recipients.lookup),
        Route("/v1/recipients/evidence", ("POST",), key(Permission.EVIDENCE), recipients.evidence),
        Route("/v1/recipients/erase", ("POST",), key(Permission.ERASE), erasing.erase),
        Route("/v1/holds", ("GET",), _HOLDS, holds.list_holds),
        Route("/v1/holds", ("POST",), _HOLDS, holds.place_hold),
        Route("/v1/holds/<int:number>/end", ("POST",), _HOLDS, holds.end_hold),
        Route(
            "/v1/checkpoints", ("GET",), key(Permission.CHECKPOINTS), checkpoints.list_checkpoints
        ),
        Route("/v1/stats", ("GET",), key(Permission.STATS), counts.stats),
        Route("/v1/tenants", ("GET",), _TENANTS, tenants.list_tenants),
        Route("/v1/tenants", ("POST",), _TENANTS, tenants.create_tenant),
        Route("/v1/tenants/<slug>", ("GET",), _TENANT, tenants.show_tenant),
        Route("/v1/tenants/<slug>", ("PATCH",), _TENANT, tenants.change_tenant),
        Route("/v1/brand", ("GET",), _TENANT, brand.show_brand),
        Route("/v1/brand", ("PUT",), _TENANT, brand.put_brand),
        Route("/v1/topics", ("GET",), _TOPICS, topics.list_topics),
        Route("/v1/topics", ("POST",), _TOPICS, topics.create_topic),
        Route("/v1/topics/<slug>", ("PATCH",), _TOPICS, topics.rename_topic),
        Route("/v1/provider-accounts", ("GET",), _SENDERS, accounts.list_accounts),
        Route("/v1/provider-accounts", ("POST",), _SENDERS, accounts.put_account),
        Route(
            "/v1/provider-accounts/<provider>/<account>/retire-tokens",
            ("POST",),
            _SENDERS,
            accounts.retire_tokens,
        ),
        Route("/v1/senders", ("GET",), _SENDERS, senders.list_senders),
        Route("/v1/senders", ("POST",), _SENDERS, senders.create_sender),
        Route(_SENDER, ("GET",), _SENDERS, senders.show_sender),
        Route(_SENDER, ("PATCH",), _SENDERS, senders.change_sender),
        Route(_SENDER, ("DELETE",), _SENDERS, senders.remove_sender),
        Route("/v1/keys", ("GET",), _KEYS, keys.list_keys),
        Route("/v1/keys", ("POST",), _KEYS, keys.create_key),
        Route("/v1/keys/<int:number>/rotate", ("POST",), _KEYS, keys.rotate_key),
        Route("/v1/keys/<int:number>/revoke", ("POST",), _KEYS, keys.revoke_key),
        Route("/v1/texts", ("GET",), _TEXTS, texts.list_texts),
        Route("/v1/texts", ("PUT",), _TEXTS, texts.put_text),
        Route("/v1/texts", ("DELETE",), _TEXTS, texts.remove_text),
    ),
    refuse=problem,
)
