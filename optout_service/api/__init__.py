"""The face for marketing systems: JSON over HTTP, an API key with a role, problems for errors."""

from typing import Final

from optout_service.api import (
    checkpoints,
    checks,
    clearances,
    counts,
    exports,
    feed,
    imports,
    links,
    recipients,
    recording,
    reviews,
    scrub,
    suppressions,
    texts,
    topics,
)
from optout_service.api.auth import Permission, key, key_for_checks
from optout_service.web import Face, Route, problem

_CHECK: Final = key_for_checks(Permission.CHECK)
_LINKS: Final = key(Permission.LINKS)
_RECORD: Final = key(Permission.RECORD)
_TEXTS: Final = key(Permission.TEXTS)

FACE: Final = Face(
    name="api",
    prefixes=("/v1/",),
    routes=(
        Route("/v1/check", ("POST",), _CHECK, checks.check),
        Route("/v1/check/batch", ("POST",), _CHECK, checks.check_batch),
        Route("/v1/scrub", ("POST",), key(Permission.CHECK), scrub.scrub),
        Route("/v1/clearances/verify", ("POST",), key(Permission.CLEARANCES), clearances.verify),
        Route("/v1/opt-outs", ("POST",), _RECORD, recording.opt_out),
        Route("/v1/opt-ins", ("POST",), _RECORD, recording.opt_in),
        Route("/v1/imports", ("POST",), key(Permission.IMPORT), imports.import_list),
        Route("/v1/links", ("POST",), _LINKS, links.mint_link),
        Route("/v1/links/batch", ("POST",), _LINKS, links.mint_links),
        Route("/v1/events", ("GET",), key(Permission.FEED), feed.events),
        Route(
            "/v1/suppressions",
            ("GET",),
            key(Permission.SUPPRESSIONS),
            suppressions.list_suppressions,
        ),
        Route(
            "/v1/suppressions/export",
            ("GET",),
            key(Permission.SUPPRESSIONS),
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
        Route(
            "/v1/checkpoints", ("GET",), key(Permission.CHECKPOINTS), checkpoints.list_checkpoints
        ),
        Route("/v1/stats", ("GET",), key(Permission.STATS), counts.stats),
        Route("/v1/topics", ("GET",), key(Permission.TOPICS), topics.list_topics),
        Route("/v1/texts", ("GET",), _TEXTS, texts.list_texts),
        Route("/v1/texts", ("PUT",), _TEXTS, texts.put_text),
        Route("/v1/texts", ("DELETE",), _TEXTS, texts.remove_text),
    ),
    refuse=problem,
)
