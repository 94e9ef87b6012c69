"""Clearances: "at this ledger position nothing forbade this message", signed and short-lived.

A sender keeps it with the message and can later show what was known when it was sent. It holds the
keyed digest, never the address.

Wire form: ``base64url(header, statement) ~ base64url(Ed25519 signature)``. The header is a version
byte and the tenant's number in four bytes; the statement is a MessagePack array.

LAW OF EVOLUTION. Clearances are kept for years. The fields are never reordered or removed; new ones
come last, with a default. Whatever does not fit that gets a new version byte, and the old one is
still read.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from optout_service.core import base64url
from optout_service.core.errors import BadClearance, OptOutError
from optout_service.core.scope import Scope
from optout_service.core.signing import Signatures

VERSION: Final = 1
MAX_CLEARANCE: Final = 1024
USE: Final = "optout clearance 1"

_SEPARATOR: Final = "~"
_HEADER: Final = struct.Struct(">BI")
_REFUSED: Final = "This clearance is damaged, or is none that was given to this tenant."


@dataclass(frozen=True, slots=True)
class Clearance:
    """What one says. ``scope`` is what was asked about; ``as_of`` the ledger's position then.

    ``digest``: as it was stored when it was given, and not since. ``issued_at`` and ``valid_until``
    are aware, UTC.
    """

    tenant: int
    digest: bytes
    scope: Scope
    as_of: int
    issued_at: datetime
    valid_until: datetime

    def expired_at(self, at: datetime) -> bool:
        """Whether it may no longer be sent on."""
        return at >= self.valid_until


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    digest: bytes
    channel: str
    topic: str
    purpose: str
    as_of: int
    issued_at: datetime
    valid_until: datetime


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Wire).decode


class Clearances:
    """Mints and reads the clearances of all tenants of one key ring."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures

    def mint(self, clearance: Clearance) -> str:
        """The text of a clearance, signed with the tenant's newest key. About 40 us."""
        scope = clearance.scope
        payload = _HEADER.pack(VERSION, clearance.tenant) + _encode(
            _Wire(
                clearance.digest,
                scope.channel,
                scope.topic,
                scope.purpose,
                clearance.as_of,
                clearance.issued_at,
                clearance.valid_until,
            )
        )
        signature = self._signatures.sign(clearance.tenant, USE, payload)
        return b"~".join(map(base64url.encoded, (payload, signature))).decode()

    def read(self, tenant: int, text: str) -> Clearance:
        """The clearance that some key of this tenant has signed, expired or not.

        Raises BadClearance, and nothing else, for any other text. Another tenant's is one of them.
        """
        try:
            if len(text) > MAX_CLEARANCE:
                raise ValueError
            payload, signature = map(base64url.decoded, text.split(_SEPARATOR))
            version, of = _HEADER.unpack_from(payload)
            if (version, of) != (VERSION, tenant) or not self._signatures.is_ours(
                tenant, USE, payload, signature
            ):
                raise ValueError
            wire = _decode(payload[_HEADER.size :])
            scope = Scope.parse(wire.channel, wire.topic, wire.purpose)
        except (OptOutError, ValueError, struct.error, msgspec.MsgspecError):
            raise BadClearance(_REFUSED) from None
        return Clearance(
            tenant,
            wire.digest,
            scope,
            wire.as_of,
            wire.issued_at.astimezone(UTC),
            wire.valid_until.astimezone(UTC),
        )
