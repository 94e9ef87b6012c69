"""What is stored of a digest under a later pepper, and what the regimes of a ring are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.address import Address
from optout_service.core.errors import WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind
from tests.core.test_keyring import KEYS

TWO = replace(KEYS, covers=(bytes(range(128, 160)),))
THREE = replace(KEYS, covers=(*TWO.covers, bytes(range(160, 192))))
ANA = KEYS.digest(Address.parse(Kind.EMAIL, "ana@example.com"))
digests = st.binary(min_size=16, max_size=16)


def test_golden_bytes() -> None:
    """A change here would make every check after a rotation say "allowed"."""
    assert [form.hex() for form in THREE.forms(ANA)] == [
        "2aea578bbda30643ecb95bb3cfee3215",
        "0d247acb0656b1004a589c08dfe4cd9a",
        "702674a48c08f8cd62962f402b6cdfe2",
    ]
    assert [regime.fingerprint for regime in THREE.regimes.all] == [
        "e430fa1495e47a5a",
        "3a5c994e2327977e",
        "fded383916b8f37a",
        "ad4c08880d056d97",
        "ce83a4d81d2021b7",
    ]


@given(digests)
def test_a_ring_of_one_pepper_stores_the_digest_itself(digest: bytes) -> None:
    assert KEYS.forms(digest) == KEYS.regimes.all[0].forms(digest) == (digest,)


@given(st.lists(digests, max_size=5))
def test_many_are_covered_as_each_by_itself(many: list[bytes]) -> None:
    regime = TWO.regimes.all[1]
    together = regime.forms(b"".join(many))
    assert together == tuple(b"".join(regime.forms(one)[which] for one in many) for which in (0, 1))
    assert set(regime.digests_by_form(many).values()) == set(many)


@given(digests)
def test_from_what_is_stored_the_digest_comes_back(digest: bytes) -> None:
    for generation, form in enumerate(THREE.forms(digest), start=1):
        assert THREE.bare(form, generation) == digest
        assert digest in THREE.digests_behind(form)


@given(digests)
def test_what_has_moved_step_by_step_is_what_is_looked_up(digest: bytes) -> None:
    _, to_second, second, to_third, third = THREE.regimes.all
    assert to_second.forms(digest) == (digest, to_second.moved(digest))
    moved = to_third.moved(to_second.moved(digest))
    assert second.forms(digest) == (to_second.moved(digest),)
    assert third.forms(digest) == (moved,)


def test_whoever_has_one_pepper_alone_cannot_tell_the_digest() -> None:
    other = replace(TWO, covers=(b"x" * 31 + b"1",))
    assert not set(TWO.forms(ANA)[1:]) & set(other.forms(ANA)[1:])
    stranger = replace(TWO, pepper=b"x" * 31 + b"1")
    assert TWO.digests_behind(TWO.forms(ANA)[1])[1] == ANA
    assert stranger.digest(Address.parse(Kind.EMAIL, "ana@example.com")) != ANA


def test_a_later_pepper_changes_nothing_that_was_told_to_somebody() -> None:
    assert TWO.digest(Address.parse(Kind.EMAIL, "ana@example.com")) == ANA
    assert TWO.replica_id(ANA) == KEYS.replica_id(ANA)
    assert TWO.api_key_digest("a") == KEYS.api_key_digest("a")
    assert TWO.idempotency_digest("a") == KEYS.idempotency_digest("a")
    assert TWO.fingerprints.pepper == KEYS.fingerprints.pepper


@pytest.mark.parametrize(
    "other",
    [
        replace(TWO, pepper=b"x" * 31 + b"1"),
        replace(TWO, covers=(b"x" * 31 + b"1",)),
    ],
)
def test_a_regime_is_named_by_each_of_its_peppers(other: KeyRing) -> None:
    ours = [one.fingerprint for one in TWO.regimes.all[1:]]
    theirs = [one.fingerprint for one in other.regimes.all[1:]]
    assert not set(ours) & set(theirs)


def test_a_regime_that_takes_more_peppers_is_served_by_no_shorter_ring() -> None:
    assert THREE.regimes.all[:3] == TWO.regimes.all
    for number in (1, 2):
        with pytest.raises(WrongKeys):
            KEYS.regime(number)
    with pytest.raises(WrongKeys):
        KEYS.bare(ANA, 2)
