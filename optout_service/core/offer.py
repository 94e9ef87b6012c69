"""What a page of ours offers its reader for a while: to take an act back, or to come back.

A link lives for ever, and whoever holds a message can leave by it (RFC 8058, 6). It has no other
power: to lift anything takes an offer too, made by a page of the last half hour to the reader of
that very link. So neither a scanner that posts nor an old page revives what somebody stopped.
"""

import base64
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec
from itsdangerous import BadSignature, Signer

from optout_service.core.keyring import KeyRing

VALID_FOR: Final = timedelta(minutes=30)
MAX_OFFER: Final = 8192

_SALT: Final = b"optout.offer"


@dataclass(frozen=True, slots=True)
class Offer:
    """To the reader of a link of ``tenant`` for the address of ``digest``.

    ``events``: the opt-outs that it takes back, in order. None of them: it is to come back.
    """

    tenant: int
    digest: bytes
    events: tuple[int, ...] = ()


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    digest: bytes
    until: int
    events: tuple[int, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Wire).decode


def sign(offer: Offer, keys: KeyRing, *, at: datetime) -> str:
    """The offer as a hidden field of a page carries it, good for ``VALID_FOR`` from ``at`` on."""
    wire = _Wire(offer.digest, int((at + VALID_FOR).timestamp()), offer.events)
    text = base64.urlsafe_b64encode(_encode(wire))
    return _signer(keys.link_ring(offer.tenant)).sign(text).decode()


def find(text: str, keys: KeyRing, *, tenant: int, digest: bytes, at: datetime) -> Offer | None:
    """The offer of a hidden field; None if it is not ours, somebody else's, or too old."""
    if len(text) > MAX_OFFER:
        return None
    try:
        signed = _signer(keys.link_ring(tenant)).unsign(text)
        wire = _decode(base64.urlsafe_b64decode(signed))
    except (BadSignature, msgspec.MsgspecError, Error, ValueError):
        return None
    if wire.digest != digest or at.timestamp() >= wire.until:
        return None
    return Offer(tenant, digest, wire.events)


def _signer(ring: Sequence[bytes]) -> Signer:
    return Signer(list(ring), salt=_SALT, sep="~", key_derivation="hmac", digest_method=sha256)
