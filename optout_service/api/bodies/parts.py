"""What several bodies share."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from optout_service.core.evidence import Reason, Source

LIST_LIMIT: Final = 1000
"""Rows in one page at most."""

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
    """A suppression. ``address`` is null where only its digest is known."""

    address: str | None
    reason: Reason
    source: Source
    since: datetime
    event: int
    scope: ScopeShape
