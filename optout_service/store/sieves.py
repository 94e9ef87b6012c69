"""A sieve before a sorted list of digests: of those that are not in it, it lets one in twenty pass.

A bit for each value that the first bits of a digest can have; set where a digest of the list has
them. Digests are evenly spread, so one look into the sieve spares a search through the list, which
costs twenty looks into memory far apart.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_BITS_FOR_EACH: Final = 16
_LEAST: Final = 1024
"""Digests below which a search is as quick."""
_MARKED_AT_ONCE: Final = 1 << 20


def size_of(count: int) -> int:
    """The bytes of a sieve for a list of so many digests: a power of two, or 0 for none."""
    return 0 if count < _LEAST else 1 << (count * _BITS_FOR_EACH - 1).bit_length() >> 3


def mark(bits: Bits, high: Numbers) -> None:
    """Let the digests with these first halves pass, which are sorted."""
    for start in range(0, high.size, _MARKED_AT_ONCE):
        places = _places(bits, high[start : start + _MARKED_AT_ONCE])
        octets = places >> 3
        firsts = np.flatnonzero(np.diff(octets, prepend=-1))
        marks = np.left_shift(1, places & 7, dtype=np.int64)
        # No octet twice in one assignment: the second would undo the first.
        bits[octets[firsts]] |= np.bitwise_or.reduceat(marks, firsts).astype(np.uint8)


def passing(bits: Bits, high: Numbers) -> Flags:
    """Which of these first halves pass, in any order."""
    places = _places(bits, high)
    passed: Any = (bits[places >> 3] >> (places & 7).astype(np.uint8)) & 1
    return passed.astype(np.bool_)  # type: ignore[no-any-return]


def _places(bits: Bits, high: Numbers) -> npt.NDArray[np.int64]:
    width = (bits.size * 8).bit_length() - 1
    return (high >> np.uint64(64 - width)).astype(np.int64)
