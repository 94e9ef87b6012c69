"""The keys: one pepper for digests, a ring to encrypt, a ring to sign. Newest last signs and seals.

Everything that is derived has its own domain, so that no output of one use is good for another.
"""

import base64
import binascii
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from optout_service.core.address import CANONICAL_VERSION, Address
from optout_service.core.errors import Misconfigured, WrongKeys
from optout_service.core.scope import Kind

KEY_BYTES: Final = 32
DIGEST_BYTES: Final = 16


@dataclass(frozen=True)
class Fingerprints:
    """What may be shown and stored of the keys: 16 hex digits each, from which none can be had."""

    pepper: str
    encryption: tuple[str, ...]
    signing: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class KeyRing:
    """All secrets of the service; 32 bytes each, newest last."""

    pepper: bytes
    encryption: tuple[bytes, ...]
    signing: tuple[bytes, ...]

    def __repr__(self) -> str:
        return "KeyRing(***)"

    def digest(self, address: Address) -> bytes:
        """The 16 bytes under which an address is stored."""
        return self.digest_of(address.kind, address.sha256)

    def digest_of(self, kind: Kind, sha256: bytes) -> bytes:
        """The same, from the SHA-256 of the canonical form. About 0.5 us."""
        state = self._digesters[kind].copy()
        state.update(sha256)
        return state.digest()

    def digests_of(self, kind: Kind, hashes: Iterable[bytes]) -> bytes:
        """The digests of many, one after the other, without a call for each."""
        copy = self._digesters[kind].copy
        digests = []
        for sha256 in hashes:
            state = copy()
            state.update(sha256)
            digests.append(state.digest())
        return b"".join(digests)

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt with the newest key; only ``open`` with the same context reads it.

        AES-SIV (RFC 5297) is deterministic: equal plain texts in one context show as equal. Where
        that would tell something, the plain text carries a random salt.
        """
        hint, cipher = self._ciphers[-1]
        return hint + cipher.encrypt(plain, [context.encode()])

    def open(self, sealed: bytes, context: str) -> bytes:
        """What ``seal`` was given. Raises WrongKeys when no key of the ring opens it."""
        for hint, cipher in self._ciphers:
            if hint == sealed[:1]:
                try:
                    return cipher.decrypt(sealed[1:], [context.encode()])
                except InvalidTag:
                    continue
        raise WrongKeys("None of the encryption keys opens what is stored.")

    def api_key_digest(self, secret: str) -> bytes:
        """The 32 bytes under which an API key is stored."""
        return _derive(self.pepper, b"optout api key", secret.encode())

    def idempotency_digest(self, key: str) -> bytes:
        """The 32 bytes under which an Idempotency-Key is stored."""
        return _derive(self.pepper, b"optout idem key", key.encode())

    def replica_id(self, digest: bytes) -> bytes:
        """16 bytes that name a recipient to a replica, which must not know our digests."""
        return _derive(self.pepper, b"optout replica", digest, size=16)

    def table_seal(self) -> "blake2b":
        """A hash of 32 bytes, yet to be fed, that seals what only we may have written."""
        return blake2b(digest_size=32, key=self.pepper, person=b"optout table")

    def link_ring(self, tenant: int) -> tuple[bytes, ...]:
        """One tenant's link keys, newest last: all that is needed to mint its links elsewhere."""
        return tuple(_derive(key, b"optout link", b"%d" % tenant) for key in self.signing)

    def proof_seeds(self, tenant: int) -> tuple[bytes, ...]:
        """The seeds of one tenant's Ed25519 keys, newest last, for ``core.signing``."""
        return tuple(_derive(key, b"optout ed25519", b"%d" % tenant) for key in self.signing)

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """What names the keys without telling them."""
        return Fingerprints(
            _fingerprint(self.pepper),
            tuple(map(_fingerprint, self.encryption)),
            tuple(map(_fingerprint, self.signing)),
        )

    @cached_property
    def _digesters(self) -> "dict[Kind, blake2b]":
        return {
            kind: blake2b(
                digest_size=DIGEST_BYTES,
                key=self.pepper,
                person=f"{kind}/{CANONICAL_VERSION}".encode(),
            )
            for kind in Kind
        }

    @cached_property
    def _ciphers(self) -> tuple[tuple[bytes, AESSIV], ...]:
        return tuple(
            (
                bytes.fromhex(_fingerprint(key)[:2]),
                AESSIV(_derive(key, b"optout seal", b"", size=64)),
            )
            for key in self.encryption
        )


def new_key() -> str:
    """A new key as text: 32 random bytes, url-safe base64 without padding."""
    return secrets.token_urlsafe(KEY_BYTES)


def parse_key(text: str) -> bytes:
    """The 32 bytes of a key written as 43 characters of base64 or 64 hex digits.

    Raises Misconfigured; the value is never repeated.
    """
    stripped = text.strip()
    try:
        if len(stripped) == 2 * KEY_BYTES:
            key = bytes.fromhex(stripped)
        else:
            key = base64.b64decode(
                stripped.rstrip("=").encode("ascii") + b"=",
                altchars=b"-_",
                validate=True,
            )
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) == 1:
        raise Misconfigured(
            "A key is 32 random bytes, written as 43 characters of url-safe base64 or as 64 hex "
            "digits. Make one with: optout db new-key"
        )
    return key


def _derive(key: bytes, person: bytes, data: bytes, *, size: int = 32) -> bytes:
    return blake2b(data, key=key, person=person, digest_size=size).digest()


def _fingerprint(key: bytes) -> str:
    return _derive(key, b"optout print", b"", size=8).hex()
