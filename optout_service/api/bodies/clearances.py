"""Verifying a clearance: what was known when it was given, and what is known now."""

from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Decoder

from optout_service.api.bodies.parts import AddressText, ChannelName, PurposeName, TopicName


class ClearanceRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clearance, and the message it is to be held against, as far as that is given."""

    clearance: str
    address: AddressText | None = None
    channel: ChannelName | None = None
    topic: TopicName | None = None
    purpose: PurposeName | None = None


class ClearanceAnswer(Struct, frozen=True):
    """What a clearance of ours says.

    ``valid``: not expired, and of the address and the scope that were given. ``suppressed_now``:
    what a check would say at this moment; null if its topic is no more. ``matches_address`` and
    ``matches_scope`` are there when an address, or a part of a scope, was given.
    """

    valid: bool
    expired: bool
    tenant: str
    channel: str
    topic: str
    purpose: str
    as_of: int
    issued_at: datetime
    valid_until: datetime
    suppressed_now: bool | None
    matches_address: bool | UnsetType = UNSET
    matches_scope: bool | UnsetType = UNSET


VERIFY: Final = Decoder(ClearanceRequest)
