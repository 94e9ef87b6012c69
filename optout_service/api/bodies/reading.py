"""Reading what stands, and what happened."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from optout_service.api.bodies.parts import (
    Instant,
    Limit,
    Number,
    ScopeChannel,
    ScopeShape,
    Standing,
    TopicName,
)
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.exports import Format


class EventsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in the ledger to read on, and how many seconds to wait where there is nothing yet."""

    after: Number = 0
    limit: Limit = 100
    wait: Annotated[int, Meta(ge=0, le=30)] = 0


class SuppressionsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which suppressions to list. Each filter is exact."""

    channel: ScopeChannel | None = None
    topic: TopicName | None = None
    reason: Reason | None = None
    since: Instant | None = None
    cursor: Annotated[str, Meta(max_length=500)] | None = None
    limit: Limit = 100


class ExportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to export: what forbids messages of this channel and topic, also by covering more."""

    format: Format = Format.SHA256
    channel: ScopeChannel | None = None
    topic: TopicName | None = None
    reason: Reason | None = None


class EventShape(Struct, frozen=True):
    """One row of the ledger. For an opt-in ``reason`` says nothing."""

    event: int
    action: Action
    changed: bool
    scope: ScopeShape
    reason: Reason
    source: Source
    actor: str
    address: str | None
    occurred_at: datetime
    recorded_at: datetime
    hash: str


class EventsAnswer(Struct, frozen=True):
    """A part of the ledger; read on with ``after`` = ``next``."""

    events: list[EventShape]
    next: int


class SuppressionsAnswer(Struct, frozen=True):
    """A page; ``next`` is the cursor of the one after it, null on the last."""

    items: list[Standing]
    next: str | None
