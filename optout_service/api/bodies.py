"""The JSON that comes in and goes out: every shape of the contract once, and no rule.

Channels, topics and purposes are plain text here: ``core.scope`` is the one place that reads them.
"""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.scope import ANY, Channel, Purpose

LIST_LIMIT: Final = 1000
"""Rows in one page at most."""

_LARGEST_NUMBER: Final = 2**63 - 1

Reference = Annotated[str, Meta(pattern=r"\S", max_length=200)]
Statement = Annotated[str, Meta(pattern=r"\S", max_length=2000)]
Instant = Annotated[datetime, Meta(tz=True)]
Limit = Annotated[int, Meta(ge=1, le=LIST_LIMIT)]


class CheckRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this address be sent to?"""

    channel: str
    address: str
    topic: str = ANY
    purpose: str = Purpose.MARKETING


class BatchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of these addresses may be sent to?"""

    channel: str
    addresses: list[str]
    topic: str = ANY
    purpose: str = Purpose.MARKETING


class OptOutRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipient said stop, or must not be written to."""

    channel: str
    address: str
    topic: str = ANY
    purpose: str = Purpose.MARKETING
    reason: Reason = Reason.OPTED_OUT
    occurred_at: Instant | None = None
    reference: Reference | None = None
    statement: Statement | None = None


class OptInRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipient came back. Without a reference and a statement it is nobody's word."""

    channel: str
    address: str
    reference: Reference
    statement: Statement
    topic: str = ANY
    purpose: str = Purpose.MARKETING
    occurred_at: Instant | None = None


class LinkRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An unsubscribe link for one message to one recipient."""

    address: str
    channel: str = Channel.EMAIL
    topic: str = ANY
    message: str = ""
    language: str = ""


class LinkBatchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many links at once: all of them, or none."""

    links: list[LinkRequest]


class EventsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in the ledger to read on."""

    after: Annotated[int, Meta(ge=0, le=_LARGEST_NUMBER)] = 0
    limit: Limit = 100


class SuppressionsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which suppressions to list. Each filter is exact."""

    channel: str | None = None
    topic: str | None = None
    reason: Reason | None = None
    since: Instant | None = None
    cursor: Annotated[str, Meta(max_length=500)] | None = None
    limit: Limit = 100


class ScopeShape(Struct, frozen=True):
    """What a suppression covers; ``tenant`` is the tenant's slug, or ``platform``."""

    tenant: str
    channel: str
    topic: str
    purpose: str


class Match(Struct, frozen=True):
    """One suppression that forbids sending."""

    reason: Reason
    source: Source
    since: datetime
    event: int
    scope: ScopeShape


class CheckAnswer(Struct, frozen=True):
    """The verdict; ``as_of`` is the ledger position for which it is true."""

    suppressed: bool
    address: str
    matches: list[Match]
    as_of: int


class BatchSuppressed(Struct, frozen=True):
    """One of a batch that must not be sent to, with the strongest of the grounds."""

    index: int
    address: str
    reason: Reason
    scope: ScopeShape


class BatchInvalid(Struct, frozen=True):
    """One of a batch that is no address."""

    index: int
    address: str
    detail: str


class BatchAnswer(Struct, frozen=True):
    """``checked`` counts all that were given. What is in neither list may be sent to."""

    checked: int
    suppressed: list[BatchSuppressed]
    invalid: list[BatchInvalid]
    as_of: int


class Standing(Struct, frozen=True):
    """A suppression. ``address`` is null where only its digest is known."""

    address: str | None
    reason: Reason
    source: Source
    since: datetime
    event: int
    scope: ScopeShape


class Recorded(Struct, frozen=True):
    """The number of the act in the ledger, and what stands now for exactly its scope."""

    event: int
    changed: bool
    suppression: Standing | None


class LinkAnswer(Struct, frozen=True):
    """A link, and the headers of RFC 8058 to put into the message."""

    url: str
    headers: dict[str, str]


class LinkBatchAnswer(Struct, frozen=True):
    """Links in the order in which they were asked for."""

    links: list[LinkAnswer]


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


class TopicShape(Struct, frozen=True):
    """A stream that can be left by itself."""

    slug: str
    name: str


class TopicsAnswer(Struct, frozen=True):
    """All topics of a tenant."""

    topics: list[TopicShape]


CHECK: Final = Decoder(CheckRequest)
BATCH: Final = Decoder(BatchRequest)
OPT_OUT: Final = Decoder(OptOutRequest)
OPT_IN: Final = Decoder(OptInRequest)
LINK: Final = Decoder(LinkRequest)
LINK_BATCH: Final = Decoder(LinkBatchRequest)
