"""Signatures that anybody can check: Ed25519 (RFC 8032), by a key of each tenant's own.

What we state towards others (a clearance, a checkpoint, a bundle of evidence) has to convince
whoever has none of our secrets, and a secret that also verifies would let its holder forge. The
private keys are derived from the signing ring; the public ones may be shown to everybody.
"""

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from optout_service.core import base64url
from optout_service.core.keyring import KeyRing

SIGNATURE_BYTES: Final = 64
KEY: Final = "key"
SIGNATURE: Final = "signature"


class Signatures:
    """Signs and verifies for all tenants of one key ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._of_tenant = lru_cache(maxsize=1024)(
            lambda tenant: tuple(
                Ed25519PrivateKey.from_private_bytes(seed) for seed in keys.proof_seeds(tenant)
            )
        )

    def public_keys(self, tenant: int) -> tuple[str, ...]:
        """A tenant's public keys, 64 hex digits each, newest last."""
        return tuple(key.public_key().public_bytes_raw().hex() for key in self._keys(tenant))

    def sign(self, tenant: int, use: str, message: bytes) -> bytes:
        """The 64 bytes of a signature by the tenant's newest key, good for this use alone."""
        return self._keys(tenant)[-1].sign(_bound(use, message))

    def is_ours(self, tenant: int, use: str, message: bytes, signature: bytes) -> bool:
        """Whether any of the tenant's keys has signed this for this use."""
        return any(
            _is_signed_by(key.public_key(), use, message, signature)
            for key in reversed(self._keys(tenant))
        )

    def sign_document(self, tenant: int, use: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """A JSON document with its ``key`` and ``signature``; ``is_signed`` says what is signed."""
        keyed = {**document, KEY: self.public_keys(tenant)[-1]}
        signature = self.sign(tenant, use, _canonical(keyed))
        return {**keyed, SIGNATURE: base64url.encoded(signature).decode()}

    def _keys(self, tenant: int) -> tuple[Ed25519PrivateKey, ...]:
        keys: tuple[Ed25519PrivateKey, ...] = self._of_tenant(tenant)
        return keys


def is_signed(
    document: Mapping[str, Any], use: str, trusted: Collection[str] | None = None
) -> bool:
    """Whether a document bears a good signature by its own ``key``, which must be a trusted one.

    Signed are: the use, a line feed, and the document without ``signature`` as JSON in UTF-8 with
    sorted names and no spaces. ``trusted``: public keys in hex; None trusts any.
    """
    try:
        raw = bytes.fromhex(document[KEY])
        signature = base64url.decoded(document[SIGNATURE])
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    if trusted is not None and raw.hex() not in trusted:
        return False
    return _is_signed_by(key, use, _canonical(document), signature)


def _canonical(document: Mapping[str, Any]) -> bytes:
    signed = {name: value for name, value in document.items() if name != SIGNATURE}
    text = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _bound(use: str, message: bytes) -> bytes:
    return use.encode() + b"\n" + message


def _is_signed_by(key: Ed25519PublicKey, use: str, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, _bound(use, message))
    except InvalidSignature:
        return False
    return True
