"""One recipient: what stands, what happened, and the proof of it."""

from typing import Final, Literal

from msgspec import Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import (
    LIST_LIMIT,
    AddressText,
    ChannelName,
    Limit,
    Number,
    Standing,
)
from optout_service.api.bodies.reading import EventShape
from optout_service.core.evidence import Authority


class LookupRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to look up, and after which event the history is to begin."""

    channel: ChannelName
    address: AddressText
    after: Number = 0
    limit: Limit = LIST_LIMIT


class EvidenceRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of whom to give the evidence: as JSON that can be verified, or as a page to read."""

    channel: ChannelName
    address: AddressText
    format: Literal["json", "html"] = "json"


class Liftable(Standing, frozen=True):
    """A suppression, and on whose word it may be lifted."""

    liftable_by: list[Authority]


class PastEvent(EventShape, frozen=True):
    """An event with its evidence; empty where that was erased.

    ``provider`` and ``message_id`` name the provider's message that it came by.
    """

    provider: str | None
    message_id: str | None
    evidence: dict[str, str]


class LookupAnswer(Struct, frozen=True):
    """What stands for an address on every channel that shares it, and its history.

    ``next``: read on with ``after`` = this; null where nothing is left.
    """

    address: str
    stands: list[Liftable]
    events: list[PastEvent]
    next: int | None


LOOKUP: Final = Decoder(LookupRequest)
EVIDENCE: Final = Decoder(EvidenceRequest)
