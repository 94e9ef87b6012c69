"""What is in a list passes its sieve, always; of the rest, little does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.store import sieves
from optout_service.store.digest_tables import Digests

HALVES = st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=40)


def sieve(high: list[int]) -> sieves.Bits:
    bits = np.zeros(sieves.size_of(2000), np.uint8)
    sieves.mark(bits, np.array(sorted(high), np.uint64))
    return bits


@given(HALVES, HALVES)
def test_a_sieve_lets_pass_exactly_the_first_bits_that_it_was_made_of(
    inside: list[int], asked: list[int]
) -> None:
    bits = sieve(inside)
    width = (bits.size * 8).bit_length() - 1
    known = {high >> (64 - width) for high in inside}
    passed = sieves.passing(bits, np.array(asked + inside, np.uint64))
    assert passed.tolist() == [high >> (64 - width) in known for high in asked + inside]


def test_marks_made_in_pieces_are_those_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    high = np.sort(np.random.default_rng(7).integers(0, 1 << 64, 5000, np.uint64))
    whole = np.zeros(sieves.size_of(5000), np.uint8)
    sieves.mark(whole, high)
    monkeypatch.setattr(sieves, "_MARKED_AT_ONCE", 7)
    pieces = np.zeros_like(whole)
    sieves.mark(pieces, high)
    assert pieces.tobytes() == whole.tobytes()


def test_a_long_list_has_a_sieve_that_lets_few_strangers_pass() -> None:
    assert [sieves.size_of(count) for count in (0, 1023, 1024, 1025, 10_000_000)] == [
        *(0, 0, 2048, 4096, 1 << 25)
    ]
    random = np.random.default_rng(7)
    high = np.sort(random.integers(0, 1 << 64, 5000, np.uint64))
    bits = np.zeros(sieves.size_of(5000), np.uint8)
    sieves.mark(bits, high)
    strangers = random.integers(0, 1 << 64, 10_000, np.uint64)
    assert sieves.passing(bits, high).all()
    assert sieves.passing(bits, strangers).mean() < 1 / 8


def test_behind_a_sieve_a_set_holds_what_it_holds_without() -> None:
    random = np.random.default_rng(11)
    high = np.sort(random.integers(0, 1 << 64, 5000, np.uint64))
    high[1000] = high[1001]  # two that share their first half
    low = random.integers(0, 1 << 64, 5000, np.uint64)
    bits = np.zeros(sieves.size_of(5000), np.uint8)
    sieves.mark(bits, high)
    asked = random.permutation(np.arange(5000).repeat(2))
    lows = np.where(asked % 3 == 0, low[asked] + np.uint64(1), low[asked])
    found = Digests(high, low, bits).holds(high[asked], lows)
    assert found.tolist() == (asked % 3 != 0).tolist()
    assert Digests(high, low).holds(high[asked], lows).tolist() == found.tolist()
