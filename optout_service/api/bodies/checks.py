"""Asking: may these addresses be sent to?"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import Decoder

from optout_service.api.bodies.parts import (
    AddressText,
    ChannelName,
    PurposeName,
    ScopeShape,
    TopicName,
)
from optout_service.core.evidence import Reason, Source
from optout_service.core.scope import ANY, Purpose
from optout_service.core.scrubbing import Keep


class CheckRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this address be sent to? ``clearance``: give an allowed answer signed as well."""

    channel: ChannelName
    address: AddressText
    topic: TopicName = ANY
    purpose: PurposeName = Purpose.MARKETING
    clearance: bool = False


class BatchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of these addresses may be sent to?"""

    channel: ChannelName
    addresses: list[AddressText]
    topic: TopicName = ANY
    purpose: PurposeName = Purpose.MARKETING


class Header(StrEnum):
    """Whether a list has one (RFC 4180, 3)."""

    PRESENT = "present"
    ABSENT = "absent"


class ScrubQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows of a list shall come out, and where in it the addresses are.

    ``column``: a name, or a number from 1. ``delimiter``, ``header``: told by the first row unless
    given. ``safe``: 1 to make cells harmless that a spreadsheet would take for formulas.
    """

    channel: ChannelName
    topic: TopicName = ANY
    purpose: PurposeName = Purpose.MARKETING
    keep: Keep = Keep.ALLOWED
    column: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    delimiter: Annotated[str, Meta(max_length=9)] | None = None
    header: Header | None = None
    safe: Annotated[int, Meta(ge=0, le=1)] = 0


class Match(Struct, frozen=True):
    """One suppression that forbids sending."""

    reason: Reason
    source: Source
    since: datetime
    event: int
    scope: ScopeShape


class CheckAnswer(Struct, frozen=True):
    """The verdict; ``as_of`` is the ledger position for which it is true.

    ``clearance`` and until when it may be sent on, if one was asked for and sending is allowed.
    """

    suppressed: bool
    address: str
    matches: list[Match]
    as_of: int
    clearance: str | UnsetType = UNSET
    clearance_valid_until: datetime | UnsetType = UNSET


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


CHECK: Final = Decoder(CheckRequest)
BATCH: Final = Decoder(BatchRequest)
