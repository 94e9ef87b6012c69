"""The page for people: it asks, and says what was done. Opening it changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request

from optout_service.core.errors import BadToken, NotFound
from optout_service.core.evidence import Source
from optout_service.core.policy import Suppression
from optout_service.core.scope import ANY, Scope
from optout_service.recipients import one_click, pages
from optout_service.recipients.link import Visit
from optout_service.store import suppressions, tenants
from optout_service.store.tenants import Tenant
from optout_service.web import runtime


@dataclass(frozen=True, slots=True)
class _View:
    """What the page speaks of: the brand, the topic by its name ("" for all), what stands."""

    brand: Tenant
    topic: str
    standing: Sequence[Suppression]

    def stopped(self, scope: Scope) -> bool:
        return any(row.scope.covers(scope) for row in self.standing)


def ask(visit: Visit, token: str) -> Response:
    """GET, and a POST that says nothing: ask what to leave. Writes nothing.

    Scanners open every link within minutes of delivery; whoever means it taps the button.
    """
    view = _look(visit)
    return pages.page(
        "ask.html",
        brand=view.brand,
        address=visit.claim.address.masked,
        topic=view.topic,
        topic_stopped=view.stopped(visit.narrow),
        all_stopped=view.stopped(visit.wide),
    )


def leave(visit: Visit, action: str) -> Response:
    """The page's button: stop this message's topic, or everything; then say exactly what."""
    # Read first: once the act is on the disk, nothing may fail that would say it is not.
    view = _look(visit)
    whole = action == pages.ALL
    scope = visit.wide if whole else visit.narrow
    act = one_click.Act(scope, Source.PAGE, "page")
    outcome = one_click.record(runtime(), visit, act, request.environ)
    return pages.page(
        "done.html",
        brand=view.brand,
        address=visit.claim.address.masked,
        topic="" if whole else view.topic,
        whole=whole or scope.topic == ANY,
        receipt=f"{view.brand.slug}-{outcome.event}",
    )


def options(visit: Visit, token: str) -> Response:
    """OPTIONS: what the link takes. Nothing happens."""
    return Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS, POST"})


def _look(visit: Visit) -> _View:
    rt, claim = runtime(), visit.claim
    with rt.reading() as connection:
        try:
            brand = tenants.get_by_id(connection, claim.tenant)
        except NotFound:
            raise BadToken("This link leads to nobody.") from None
        names = {topic.slug: topic.name for topic in tenants.topics(connection, brand.id)}
        standing = suppressions.standing(connection, brand.id, rt.keys.digest(claim.address))
    topic = "" if claim.topic == ANY else names.get(claim.topic, claim.topic)
    return _View(brand, topic, standing)
