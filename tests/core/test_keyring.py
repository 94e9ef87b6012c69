"""The keys: what is derived from them is pinned, and nothing of them is shown."""

import pytest

from optout_service.core.address import Address
from optout_service.core.errors import Misconfigured, WrongKeys
from optout_service.core.keyring import KeyRing, new_key, parse_key
from optout_service.core.scope import Kind

KEYS = KeyRing(bytes(range(32)), (bytes(range(32, 64)),), (bytes(range(64, 96)),))
NEWER = KeyRing(KEYS.pepper, (*KEYS.encryption, bytes(range(96, 128))), KEYS.signing)
JO = Address.parse(Kind.EMAIL, "jo@example.com")
PHONE = Address.parse(Kind.PHONE, "+14155552671")


def test_a_digest_never_changes() -> None:
    assert KEYS.digest(JO).hex() == "f22a2778914b7acd0712df4fbd3fd9ed"
    assert KEYS.digest(PHONE).hex() == "42d70cdfe228ec0d66586fabc3f93b89"


def test_a_hashed_address_has_the_digest_of_the_clear_one() -> None:
    hashed = Address.parse(Kind.EMAIL, f"sha256:{JO.sha256.hex()}")
    assert KEYS.digest(hashed) == KEYS.digest(JO)


def test_the_kinds_have_digests_of_their_own() -> None:
    assert KEYS.digest_of(Kind.EMAIL, JO.sha256) != KEYS.digest_of(Kind.PHONE, JO.sha256)


def test_another_pepper_gives_another_digest() -> None:
    other = KeyRing(bytes(range(1, 33)), KEYS.encryption, KEYS.signing)
    assert other.digest(JO) != KEYS.digest(JO)
    assert other.fingerprints.pepper != KEYS.fingerprints.pepper


def test_what_is_derived_never_changes() -> None:
    assert KEYS.fingerprints.pepper == "e430fa1495e47a5a"
    assert KEYS.fingerprints.encryption == ("bc5bba98f1e2a983",)
    assert KEYS.fingerprints.signing == ("20dc68c18537e2c5",)
    assert KEYS.link_ring(1)[0].hex() == (
        "9494ecc58f4874117f698780fe39307bc00235c5331cf887c4d838fe4d344b38"
    )
    assert KEYS.api_key_digest("oo_x").hex() == (
        "786236e9ecea615e12982bc74d43bb92490a1c52a053e3ff7ff29206b6d80072"
    )
    assert KEYS.seal(b"x", "y").hex() == "bcde760f5cf1de33c93fc1697ba657ae90e2"


def test_tenants_have_link_keys_of_their_own() -> None:
    assert KEYS.link_ring(1) != KEYS.link_ring(2)


def test_what_was_sealed_is_opened_in_its_own_context_only() -> None:
    sealed = KEYS.seal(b"jo@example.com", "address-book/1")
    assert b"jo@" not in sealed
    assert KEYS.open(sealed, "address-book/1") == b"jo@example.com"
    with pytest.raises(WrongKeys):
        KEYS.open(sealed, "address-book/2")


def test_the_newest_key_seals_and_all_of_the_ring_open() -> None:
    assert NEWER.open(KEYS.seal(b"old", "c"), "c") == b"old"
    with pytest.raises(WrongKeys):
        KEYS.open(NEWER.seal(b"new", "c"), "c")


@pytest.mark.parametrize("place", range(18))
def test_a_sealed_byte_that_was_changed_opens_nothing(place: int) -> None:
    sealed = bytearray(KEYS.seal(b"x", "c"))
    sealed[place] ^= 1
    with pytest.raises(WrongKeys):
        KEYS.open(bytes(sealed), "c")


@pytest.mark.parametrize("sealed", [b"", b"\xbc", b"\xbc\x00"])
def test_what_was_cut_off_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(WrongKeys):
        KEYS.open(sealed, "c")


def test_a_new_key_can_be_read_and_is_another_each_time() -> None:
    first, second = new_key(), new_key()
    assert len(first) == 43
    assert len(parse_key(first)) == 32
    assert first != second


def test_a_key_may_be_written_in_hex() -> None:
    assert parse_key(f" {bytes(range(32)).hex()}\n") == bytes(range(32))


@pytest.mark.parametrize(
    "text",
    ["", "short", "ä" * 43, "A" * 43, "0" * 64, "x" * 64, "!" * 43, "Ab3" * 15],
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        parse_key(text)
    assert len(text) < 9 or text not in refusal.value.detail


def test_no_key_is_shown() -> None:
    assert repr(KEYS) == "KeyRing(***)"
