"""The keys: peppers for digests, a ring to encrypt, a ring to sign. Newest last signs and seals.

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
from optout_service.core.covers import DIGEST_BYTES as DIGEST_BYTES
from optout_service.core.covers import Covers, Regime, Regimes
from optout_service.core.errors import Misconfigured, WrongKeys
from optout_service.core.scope import Kind

KEY_BYTES: Final = 32


@dataclass(frozen=True)
class Fingerprints:
    """What may be shown and stored of the keys: 16 hex digits each, from which none can be had.

    ``pepper``: of the first; ``covers``: of those after it.
    """

    pepper: str
    encryption: tuple[str, ...]
    signing: tuple[str, ...]
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class KeyRing:
    """All secrets of the service; 32 bytes each, newest last.

    ``pepper``: the first of the peppers. It makes the digests of addresses, of API keys and of
    Idempotency-Keys, and what recipients are called towards replicas, for ever: those must stay
    what they are when a pepper is added. ``covers``: the later ones (``core.covers``).
    """

    pepper: bytes
    encryption: tuple[bytes, ...]
    signing: tuple[bytes, ...]
    covers: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return "KeyRing(***)"

    def digest(self, address: Address) -> bytes:
        """The 16 bytes that stand for an address. How they are stored, ``regime`` says."""
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

    def forms(self, digest: bytes) -> tuple[bytes, ...]:
        """A digest in every form in which it can be stored, whatever the regime."""
        return self._covers.forms(digest)

    @property
    def generations(self) -> tuple[int, ...]:
        """In which of them the ring can store a digest, the first on."""
        return self._covers.generations

    def bare(self, stored: bytes, generation: int | None) -> bytes:
        """The digest of a row that says in which generation it is stored; None: the first.

        Raises WrongKeys for a generation of which the ring has no pepper.
        """
        generation = generation or 1
        if generation not in self.generations:
            raise WrongKeys(f"The ring has no pepper of generation {generation}.")
        return self._covers.take_off(stored, generation)

    def digests_behind(self, form: bytes) -> tuple[bytes, ...]:
        """The digests of which this may be a form: for what was written down outside."""
        return self._covers.digests_behind(form)

    def regime(self, number: int) -> Regime:
        """The regime of a database that says this number. Raises WrongKeys if it takes more keys.

        Nothing may be looked up or written then: every look-up would find nobody.
        """
        if number >= len(self.regimes.all):
            raise WrongKeys(
                "The database's digests are under a pepper that is not in this process's ring. Add "
                "it at the end of OPTOUT_PEPPER, or of the file keys/pepper, and start again."
            )
        return self.regimes.all[number]

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

    @property
    def hints(self) -> tuple[bytes, ...]:
        """The byte with which each encryption key's sealed texts begin, oldest key first."""
        return tuple(hint for hint, _ in self._ciphers)

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
            fingerprint(self.pepper),
            tuple(map(fingerprint, self.encryption)),
            tuple(map(fingerprint, self.signing)),
            tuple(map(fingerprint, self.covers)),
        )

    @cached_property
    def regimes(self) -> Regimes:
        """Every regime that this ring can serve."""
        prints = self.fingerprints
        return Regimes((prints.pepper, *prints.covers), self.covers, self._covers)

    @cached_property
    def _covers(self) -> Covers:
        return Covers(self.covers)

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
                bytes.fromhex(fingerprint(key)[:2]),
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


def fingerprint(key: bytes) -> str:
    """16 hex digits that name a key without telling it."""
    return _derive(key, b"optout print", b"", size=8).hex()


def _derive(key: bytes, person: bytes, data: bytes, *, size: int = 32) -> bytes:
    return blake2b(data, key=key, person=person, digest_size=size).digest()
