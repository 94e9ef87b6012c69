"""What is said back: JSON, tenants by their slugs, addresses as the caller may see them."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from flask import Response
from msgspec import Struct

from optout_service.api.auth import Caller, Permission
from optout_service.api.bodies.checks import Match
from optout_service.api.bodies.parts import ScopeShape, Standing
from optout_service.api.bodies.reading import EventShape
from optout_service.core.address import Address
from optout_service.core.policy import PLATFORM, Suppression
from optout_service.core.scope import Scope
from optout_service.store.feed import Event
from optout_service.store.tenants import PLATFORM_SLUG

T = TypeVar("T", bound=Struct)

JSON: Final = "application/json"

_ENCODE: Final = msgspec.json.Encoder().encode


def encoded(body: Struct) -> bytes:
    """An answer as JSON."""
    return _ENCODE(body)


def answer(body: Struct, status: int = 200) -> Response:
    """An answer as a response."""
    return Response(_ENCODE(body), status=status, content_type=JSON)


def stored(body: bytes, status: int, headers: Mapping[str, str]) -> Response:
    """An answer whose bytes are there already."""
    return Response(body, status=status, content_type=JSON, headers=dict(headers))


def shown(
    caller: Caller,
    address: Address | None,
    *,
    to_see: Permission = Permission.CLEAR_ADDRESSES,
) -> str | None:
    """An address from our book: in clear for who may see it, else masked; None if unknown.

    One that is known by its hash alone is shown as that.
    """
    if address is None:
        return None
    return address.spoken if caller.may(to_see) else address.masked


def scope(caller: Caller, tenant: int, covered: Scope) -> ScopeShape:
    """A scope of the caller's tenant or of the platform."""
    slug = PLATFORM_SLUG if tenant == PLATFORM else caller.slug
    return ScopeShape(slug, covered.channel, covered.topic, covered.purpose)


def match(caller: Caller, row: Suppression) -> Match:
    """A suppression as a check tells it."""
    return Match(row.reason, row.source, row.since, row.event, scope(caller, row.tenant, row.scope))


def standing(caller: Caller, row: Suppression, address: str | None) -> Standing:
    """A suppression, with its address as it is to be shown."""
    return Standing(
        address,
        row.reason,
        row.source,
        row.since,
        row.event,
        scope(caller, row.tenant, row.scope),
    )


def event(caller: Caller, row: Event, address: str | None) -> EventShape:
    """An event, with its address as it is to be shown."""
    return EventShape(
        event=row.number,
        action=row.action,
        changed=row.changed,
        scope=scope(caller, row.tenant, row.scope),
        reason=row.reason,
        source=row.source,
        actor=row.actor,
        address=address,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        hash=row.hash.hex(),
    )


def widened(shape: type[T], narrow: Struct, **more: Any) -> T:
    """A shape that says what a narrower one says, and more."""
    return shape(**msgspec.structs.asdict(narrow), **more)
