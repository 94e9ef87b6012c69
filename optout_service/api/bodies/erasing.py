"""Erasing one recipient: whom, why, and what came of it."""

from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import AddressText, ChannelName
from optout_service.core.erasure import LONGEST_REASON


class EraseRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to erase, and why: a ticket or a letter, without the address. It is kept."""

    channel: ChannelName
    address: AddressText
    reason: Annotated[str, Meta(pattern=r"\S", max_length=LONGEST_REASON)]
    dry_run: bool = False


class ErasedCounts(Struct, frozen=True):
    """How much: addresses in the book, events' private parts, reviews' texts, kept answers."""

    addresses: int
    events: int
    reviews: int
    answers: int


class KeptPart(Struct, frozen=True):
    """What stays, how many of it, and why."""

    what: str
    count: int
    why: str


class EraseAnswer(Struct, frozen=True):
    """What was erased, or would be in a dry run, and what stays."""

    dry_run: bool
    erased: ErasedCounts
    kept: list[KeptPart]


ERASE: Final = Decoder(EraseRequest)
