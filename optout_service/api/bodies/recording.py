"""Recording an opt-out or an opt-in."""

from typing import Final

from msgspec import Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import (
    AddressText,
    Instant,
    Reference,
    ScopeChannel,
    ScopePurpose,
    Standing,
    Statement,
    TopicName,
)
from optout_service.core.evidence import Reason
from optout_service.core.scope import ANY, Purpose


class OptOutRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipient said stop, or must not be written to."""

    channel: ScopeChannel
    address: AddressText
    topic: TopicName = ANY
    purpose: ScopePurpose = Purpose.MARKETING
    reason: Reason = Reason.OPTED_OUT
    occurred_at: Instant | None = None
    reference: Reference | None = None
    statement: Statement | None = None


class OptInRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipient came back. Without a reference and a statement it is nobody's word."""

    channel: ScopeChannel
    address: AddressText
    reference: Reference
    statement: Statement
    topic: TopicName = ANY
    purpose: ScopePurpose = Purpose.MARKETING
    occurred_at: Instant | None = None


class Recorded(Struct, frozen=True):
    """The number of the act in the ledger, and what stands now for exactly its scope."""

    event: int
    changed: bool
    suppression: Standing | None


OPT_OUT: Final = Decoder(OptOutRequest)
OPT_IN: Final = Decoder(OptInRequest)
