"""Signatures that anybody can check, and nobody can make without our keys."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from optout_service.core import base64url
from optout_service.core.signing import Signatures, is_signed
from tests.core.test_token import NEW, OLD, ONLY_NEW

USE = "optout checkpoint 1"
OURS = Signatures(OLD)
DOCUMENT = {"a": 1, "é": [True, None]}

# Published keys and kept documents: written once, and never made again from the code.
PUBLIC_KEY = "2467b8963580fc010f061aeb187202ae2fbb941ed058967febbb2b73389ecb1d"
SIGNED = {
    "a": 1,
    "é": [True, None],
    "key": PUBLIC_KEY,
    "signature": "BDz4luOPyDh84Sz-1IKKDQXapQpsvNhNa2Tpsb3dh25AUDSRlluxBwCOFf9M_4Y_"
    "H4w9bgd0jg1SQJU1xpnqCQ",
}


def test_a_tenants_key_and_its_signatures_never_change() -> None:
    assert OURS.public_keys(1) == (PUBLIC_KEY,)
    assert OURS.sign_document(1, USE, DOCUMENT) == SIGNED
    assert is_signed(SIGNED, USE, OURS.public_keys(1))


def test_anybody_can_check_one_with_the_public_key_alone() -> None:
    """What the documentation says is signed, put together by hand."""
    unsigned = {name: SIGNED[name] for name in sorted(SIGNED) if name != "signature"}
    text = json.dumps(unsigned, ensure_ascii=False, separators=(",", ":"))
    signature = base64url.decoded(str(SIGNED["signature"]))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(PUBLIC_KEY))
    key.verify(signature, f"{USE}\n{text}".encode())


def test_the_order_of_names_is_not_signed() -> None:
    assert is_signed(dict(reversed(SIGNED.items())), USE)


@pytest.mark.parametrize(
    "change",
    [
        {"a": 2},
        {"a": True},
        {"b": 1},
        {"key": OURS.public_keys(2)[0]},
        {"key": "zz"},
        {"key": None},
        {"signature": ""},
        {"signature": 7},
        {"signature": "A" * 86},
    ],
    ids=str,
)
def test_what_was_changed_is_not_signed(change: dict[str, Any]) -> None:
    assert not is_signed(SIGNED | change, USE)


def test_what_is_missing_is_not_signed() -> None:
    for name in SIGNED:
        assert not is_signed({n: v for n, v in SIGNED.items() if n != name}, USE), name


def test_a_signature_is_good_for_one_use_alone() -> None:
    assert not is_signed(SIGNED, "optout evidence 1")
    signature = OURS.sign(1, USE, b"x")
    assert OURS.is_ours(1, USE, b"x", signature)
    assert not OURS.is_ours(1, "optout clearance 1", b"x", signature)


def test_a_signature_is_good_for_one_tenant_alone() -> None:
    assert not OURS.is_ours(2, USE, b"x", OURS.sign(1, USE, b"x"))
    assert not is_signed(SIGNED, USE, OURS.public_keys(2))


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies() -> None:
    rotated = Signatures(NEW)
    assert rotated.public_keys(1)[0] == PUBLIC_KEY
    assert rotated.is_ours(1, USE, b"x", OURS.sign(1, USE, b"x"))
    assert not OURS.is_ours(1, USE, b"x", rotated.sign(1, USE, b"x"))
    assert not is_signed(SIGNED, USE, Signatures(ONLY_NEW).public_keys(1))
