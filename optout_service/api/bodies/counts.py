"""How many opted out and in, and how often links were opened, by day."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct, field

from optout_service.core.evidence import Action, Reason, Source


class StatsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first and the last day, UTC; the last 30 days unless given."""

    first: date | None = field(name="from", default=None)
    last: date | None = field(name="to", default=None)
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000


class Count(Struct, frozen=True):
    """Events of one day (UTC, as they were received) that are alike in all of these.

    ``changed``: how many of them changed what stands. For an opt-in ``reason`` says nothing.
    """

    day: date
    channel: str
    topic: str
    reason: Reason
    source: Source
    action: Action
    events: int
    changed: int


class VisitCount(Struct, frozen=True):
    """How often the links of a message were opened on a day (UTC) by this method.

    By people and scanners alike; no person sends a HEAD. ``message``: the sender's id; empty for
    links that name none or hold an address in it, for readers who ask not to be tracked, and beyond
    a thousand messages on one day.
    """

    day: date
    message: str
    method: str
    hits: int


class StatsAnswer(Struct, frozen=True):
    """Counts in order of their days, whole days only. ``next``: go on with ``from`` = this."""

    counts: list[Count]
    next: date | None
    visits: list[VisitCount]
