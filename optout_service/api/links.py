"""Unsubscribe links for messages, and the headers that make mail clients show their button."""

from collections.abc import Collection

from flask import Response

from optout_service.api import answers, audit, auth, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import links as bodies
from optout_service.core.address import Address
from optout_service.core.errors import OptOutError, TooLarge, UnknownTopic
from optout_service.core.headers import headers
from optout_service.core.link_key import LinkKey
from optout_service.core.scope import ANY, Scope, kind_of
from optout_service.core.token import Claim
from optout_service.store import tenants
from optout_service.web import runtime


def mint_link(caller: Caller) -> Response:
    """One link."""
    asked = binding.body(bodies.LINK)
    return answers.answer(_link(caller, asked, _topics(caller)), 201)


def mint_links(caller: Caller) -> Response:
    """Many links, in order, or none: the first that cannot be made is named by its index."""
    asked = binding.body(bodies.LINK_BATCH).links
    limit = runtime().settings.batch_limit
    if len(asked) > limit:
        raise TooLarge(f"One batch takes at most {limit} links. Send it in parts.", limit=limit)
    topics = _topics(caller)
    made = []
    for index, one in enumerate(asked):
        try:
            made.append(_link(caller, one, topics))
        except OptOutError as error:
            raise binding.at_index(error, index) from None
    return answers.answer(bodies.LinkBatchAnswer(made), 201)


def link_key(caller: Caller) -> Response:
    """The credential with which `optout_service.client` mints this tenant's links by itself.

    Whoever holds it can make a link for any of the tenant's recipients, and open those it sees.
    """
    rt = runtime()
    tenant = auth.own_tenant(caller)
    made = LinkKey(
        tenant,
        caller.slug,
        rt.settings.public_url,
        tuple(_topics(caller)),
        rt.keys.link_ring(tenant),
    )
    audit.note(caller, "link key taken")
    return answers.answer(bodies.LinkKeyAnswer(**made.document()))


def _topics(caller: Caller) -> Collection[str]:
    with runtime().reading() as connection:
        return [topic.slug for topic in tenants.topics(connection, caller.tenant)]


def _link(caller: Caller, asked: bodies.LinkRequest, topics: Collection[str]) -> bodies.LinkAnswer:
    rt = runtime()
    token = rt.links.mint(_claim(caller, asked, topics))
    url = f"{rt.settings.public_url}/u/{token}"
    return bodies.LinkAnswer(url, headers(url, rt.settings.mailto))


def _claim(caller: Caller, asked: bodies.LinkRequest, topics: Collection[str]) -> Claim:
    kind = kind_of(asked.channel)
    scope = Scope.parse(asked.channel, asked.topic)
    if scope.topic != ANY and scope.topic not in topics:
        raise UnknownTopic(f"This tenant has no such topic. It has: {', '.join(topics) or 'none'}.")
    return Claim(
        tenant=caller.tenant,
        channel=scope.channel,
        address=Address.parse(kind, asked.address),
        topic=scope.topic,
        message=asked.message,
        language=asked.language,
    )
