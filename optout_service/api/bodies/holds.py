"""Legal holds: whose evidence is needed as it is, why, and since when."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import AddressText, ChannelName
from optout_service.core.erasure import LONGEST_REASON


class HoldRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom, and why: the number of a case, without the address. It is kept."""

    channel: ChannelName
    address: AddressText
    reason: Annotated[str, Meta(pattern=r"\S", max_length=LONGEST_REASON)]


class HoldShape(Struct, frozen=True):
    """A hold; it stands while ``ended_at`` is null. ``address`` is null where none is kept."""

    hold: int
    address: str | None
    reason: str
    placed_at: datetime
    placed_by: str
    ended_at: datetime | None
    ended_by: str | None


class HoldsAnswer(Struct, frozen=True):
    """A page of holds, oldest first; ``next`` is the cursor of the next one, null on the last."""

    items: list[HoldShape]
    next: str | None


HOLD: Final = Decoder(HoldRequest)
