"""Signed links: a claim (whose address, at which tenant, about which topic) in a URL-safe token.

Wire form: ``base64url(header, sealed claim) ~ base64url(HMAC-SHA256)``; the second half is
itsdangerous' (its Signer with SHA-256, HMAC derivation and a salt of this purpose alone). The
header is a version byte and the tenant's number in four bytes; the claim is sealed with AES-SIV
(RFC 5297), so that a link shows no address. All keys come from the tenant's own derived link key.

LAW OF EVOLUTION. Links live for ever. The fields of a claim are never reordered or removed; new
ones come last, with a default. Whatever does not fit that gets a new version byte, and the old one
is still read.
"""

import hmac
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from itsdangerous import BadSignature, Signer

from optout_service.core import base64url
from optout_service.core.address import Address
from optout_service.core.errors import (
    BadToken,
    InvalidAddress,
    InvalidRequest,
    OptOutError,
)
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import ANY, KIND_OF, Scope

VERSION: Final = 1
MAX_TOKEN: Final = 2048
MAX_MESSAGE: Final = 200
MAX_LANGUAGE: Final = 35
"""The longest tag that RFC 5646, 4.4.1 asks everybody to handle."""

_SALT: Final = b"optout.link"
_SEPARATOR: Final = "~"
_HEADER: Final = struct.Struct(">BI")
_REFUSED: Final = "This link is incomplete or damaged. Please use the whole link of the message."


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link says. ``topic``: ``*`` is all; ``message``: the sender's id of the message."""

    tenant: int
    channel: str
    address: Address
    topic: str = ANY
    message: str = ""
    language: str = ""


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    channel: str
    value: str
    topic: str
    message: str = ""
    language: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Wire).decode


class Links:
    """Mints and reads the links of all tenants of one key ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._of_tenant = lru_cache(maxsize=1024)(
            lambda tenant: TenantLinks(tenant, keys.link_ring(tenant))
        )

    def mint(self, claim: Claim) -> str:
        """The token of a claim, signed with the newest key. The same claim gives the same token.

        Raises InvalidAddress (a hash cannot be shown or told to the brand), UnknownChannel,
        UnknownTopic or InvalidRequest for a claim that makes no sense.
        """
        links: TenantLinks = self._of_tenant(claim.tenant)
        return links.mint(claim)

    def mint_many(self, claims: Iterable[Claim]) -> Iterator[str]:
        """The tokens of many claims, in order. Raises as ``mint`` does, at the claim at fault."""
        return map(self.mint, claims)

    def read(self, token: str) -> Claim:
        """The claim of a token that some key of the ring has signed.

        Raises BadToken, and nothing else, for any other text; which of its faults it is, is not
        told.
        """
        try:
            payload = base64url.decoded(token.partition(_SEPARATOR)[0][: MAX_TOKEN + 1])
            version, tenant = _HEADER.unpack_from(payload)
            if version != VERSION or len(token) > MAX_TOKEN:
                raise BadToken(_REFUSED)
            links: TenantLinks = self._of_tenant(tenant)
            return links.read(token, payload)
        except (
            OptOutError,
            BadSignature,
            InvalidTag,
            struct.error,
            ValueError,
            msgspec.MsgspecError,
        ):
            raise BadToken(_REFUSED) from None


class TenantLinks:
    """One tenant's derived keys, each with what is made of it once."""

    def __init__(self, tenant: int, ring: Sequence[bytes]) -> None:
        """``ring``: as ``KeyRing.link_ring`` gives it; with it, links can be minted elsewhere."""
        self._tenant = tenant
        self._header = _HEADER.pack(VERSION, tenant)
        self._signer = Signer(
            list(ring),
            salt=_SALT,
            sep=_SEPARATOR,
            key_derivation="hmac",
            digest_method=sha256,
        )
        self._ciphers = [_cipher(key) for key in ring]
        self._newest = hmac.new(self._signer.derive_key(), digestmod=sha256)

    def mint(self, claim: Claim) -> str:
        """The token of a claim of this tenant. Raises as ``Links.mint`` does."""
        scope = Scope.parse(claim.channel, claim.topic)
        if claim.address.kind is not KIND_OF.get(scope.channel):
            raise InvalidAddress("The address is not of the kind that this channel needs.")
        require_short(claim.message, claim.language)
        return self.mint_checked(
            claim.channel, claim.address.value, claim.topic, claim.message, claim.language
        )

    def mint_checked(
        self, channel: str, value: str | None, topic: str, message: str, language: str
    ) -> str:
        """The same, of what is known to make sense; ``value``: a canonical form.

        Raises InvalidAddress for None.
        """
        if value is None:
            raise InvalidAddress("A link needs the address itself: of a hash nothing can be shown.")
        wire = _Wire(channel, value, topic, message, language)
        sealed = self._ciphers[-1].encrypt(_encode(wire), [self._header])
        text = base64url.encoded(self._header + sealed)
        # Signer.sign derives the key anew for each token; the bytes are the same.
        signature = self._newest.copy()
        signature.update(text)
        signed = base64url.encoded(signature.digest())
        return f"{text.decode()}{_SEPARATOR}{signed.decode()}"

    def read(self, token: str, payload: bytes) -> Claim:
        """The claim of a token, whose first half says ``payload``; any exception: it is none."""
        self._signer.unsign(token)
        base64url.decoded(token.rpartition(_SEPARATOR)[2])  # refuses what is not as we wrote it
        wire = _decode(self._open(payload))
        scope = Scope.parse(wire.channel, wire.topic)
        address = Address.of(KIND_OF[scope.channel], wire.value)
        return Claim(
            self._tenant,
            scope.channel,
            address,
            scope.topic,
            wire.message,
            wire.language,
        )

    def _open(self, payload: bytes) -> bytes:
        for cipher in reversed(self._ciphers):
            try:
                return cipher.decrypt(payload[_HEADER.size :], [self._header])
            except InvalidTag:
                continue
        raise BadToken(_REFUSED)


def named_tenant(letters: str) -> int | None:
    """The number of the tenant that the beginning of a token names; None where it names none.

    It is proven by nothing: whoever relies on it must do no more than ask that tenant.
    """
    try:
        version, tenant = _HEADER.unpack_from(base64url.leading(letters, _HEADER.size))
    except (ValueError, struct.error):
        return None
    return int(tenant) if version == VERSION else None


def _cipher(link_key: bytes) -> AESSIV:
    return AESSIV(blake2b(key=link_key, person=b"optout link seal", digest_size=64).digest())


def require_short(message: str, language: str) -> None:
    """Raises InvalidRequest for what does not fit into a link."""
    if len(message) > MAX_MESSAGE:
        raise InvalidRequest(f"A message id has at most {MAX_MESSAGE} characters.", field="message")
    if len(language) > MAX_LANGUAGE:
        raise InvalidRequest(
            f"A language tag has at most {MAX_LANGUAGE} characters.", field="language"
        )
