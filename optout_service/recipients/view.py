"""What a link's page speaks of: the brand, its topics, and what stands for the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Response, request

from optout_service.core.errors import BadToken, NotFound
from optout_service.core.looks import Looks
from optout_service.core.policy import Suppression, may_come_back
from optout_service.core.scope import ANY, CHANNELS_OF, OTHER, Kind, Purpose, Scope
from optout_service.recipients import languages, pages
from optout_service.recipients.languages import Language
from optout_service.recipients.link import Visit
from optout_service.store import brands, suppressions, tenants
from optout_service.store.tenants import Tenant
from optout_service.web import runtime


@dataclass(frozen=True, slots=True)
class View:
    """All of it, as it was read. ``topics``: the names by their slugs."""

    visit: Visit
    brand: Tenant
    looks: Looks
    topics: Mapping[str, str]
    standing: Sequence[Suppression]
    language: Language

    @property
    def digest(self) -> bytes:
        """Of the address."""
        return runtime().keys.digest(self.visit.claim.address)

    @property
    def forms(self) -> tuple[bytes, ...]:
        """Those in which the digest can be stored."""
        return runtime().keys.forms(self.digest)

    @property
    def kind(self) -> Kind:
        """Of the address."""
        return self.visit.claim.address.kind

    @property
    def wider(self) -> bool:
        """Whether everything is more than what the message was about."""
        return self.kind is Kind.PHONE or self.visit.claim.topic != ANY

    def stopped(self, scope: Scope) -> bool:
        """Whether nothing within a scope may be sent."""
        if any(row.scope.covers(scope) for row in self.standing):
            return True
        if scope.channel == ANY:
            return all(self.stopped(replace(scope, channel=c)) for c in CHANNELS_OF[self.kind])
        if scope.topic == ANY:
            return all(self.stopped(replace(scope, topic=t)) for t in (*self.topics, OTHER))
        return False

    def may_come_back(self, scope: Scope) -> bool:
        """Whether the reader may lift what stands in a scope's way."""
        return may_come_back(self.standing, self.brand.id, scope)

    def since(self, scope: Scope) -> datetime | None:
        """Since when; None where it is stopped part by part, or not at all."""
        moments = [row.since for row in self.standing if row.scope.covers(scope)]
        return min(moments, default=None)

    def choices(self) -> dict[str, Scope]:
        """What can be left one by one, by the value of its checkbox: topics, a phone's channels."""
        channel = self.visit.claim.channel
        found = {f"topic:{t}": Scope(channel, t, Purpose.MARKETING) for t in self.topics}
        if self.kind is Kind.PHONE:
            for one in CHANNELS_OF[self.kind]:
                found[f"channel:{one}"] = Scope(one, ANY, Purpose.MARKETING)
        return found

    def page(self, template: str, **values: Any) -> Response:
        """A page about it, in the reader's language."""
        given = {"view": self, "visit": self.visit, "brand": self.brand, **values}
        return pages.page(template, self.language, looks=self.looks, **given)


def look(visit: Visit) -> View:
    """Read what the page speaks of. Raises BadToken for a tenant that is gone."""
    rt, claim = runtime(), visit.claim
    with rt.reading() as connection:
        try:
            brand = tenants.get_by_id(connection, claim.tenant)
        except NotFound:
            raise BadToken("This link leads to nobody.") from None
        looks = brands.get(connection, brand.id)
        names = {topic.slug: topic.name for topic in tenants.topics(connection, brand.id)}
        standing = suppressions.standing(
            connection, brand.id, rt.keys.digest(claim.address), rt.keys
        )
    language = languages.choose(request, claim.language, looks.language)
    return View(visit, brand, looks, names, standing, language)
