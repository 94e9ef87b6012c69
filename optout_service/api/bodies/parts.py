"""What several bodies share."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from optout_service.core.evidence import Reason, Source
from optout_service.core.scope import ANY, Channel, Purpose

LIST_LIMIT: Final = 1000
"""Rows in one page at most."""

# Plain texts here, with words of their own for the description: ``core`` reads and refuses them.
ChannelName = Annotated[str, Meta(extra_json_schema={"enum": [*Channel]})]
ScopeChannel = Annotated[str, Meta(extra_json_schema={"enum": [ANY, *Channel]})]
TopicName = Annotated[
    str,
    Meta(
        description="One of the tenant's topics; `*` is all.",
        extra_json_schema={"pattern": r"^(\*|[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?)$"},
    ),
]
PurposeName = Annotated[str, Meta(extra_json_schema={"enum": [*Purpose]})]
ScopePurpose = Annotated[str, Meta(extra_json_schema={"enum": [ANY, *Purpose]})]
AddressText = Annotated[
    str,
    Meta(
        description="A mail address, a phone number with + and country code, or `sha256:` and the "
        "64 hex digits of its canonical form.",
        examples=["jo@example.com", "+14155552671", "sha256:" + "0" * 64],
    ),
]
Reference = Annotated[str, Meta(pattern=r"\S", max_length=200)]
Statement = Annotated[str, Meta(pattern=r"\S", max_length=2000)]
Instant = Annotated[datetime, Meta(tz=True)]
Limit = Annotated[int, Meta(ge=1, le=LIST_LIMIT)]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A position in a ledger."""


class ScopeShape(Struct, frozen=True):
    """What a suppression covers; ``tenant`` is the tenant's slug, or ``platform``."""

    tenant: str
    channel: str
    topic: str
    purpose: str


class Standing(Struct, frozen=True):
    """A suppression. ``address`` is null where nothing but its digest is known."""

    address: str | None
    reason: Reason
    source: Source
    since: datetime
    event: int
    scope: ScopeShape


class Problem(Struct, frozen=True):
    """An error (RFC 9457). ``kind`` is the stable word to switch on; ``detail`` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    kind: str
    request_id: str
