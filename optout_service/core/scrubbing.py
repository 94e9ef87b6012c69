"""A list without those who left: which rows stay, in the order and in the bytes they came.

An address that cannot be one is never called allowed: nobody could have suppressed it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from optout_service.core import spreadsheet
from optout_service.core.cutting import Cut, Places
from optout_service.core.digesting import Digested
from optout_service.core.lists import Listing

Probe = Callable[[bytes], bytes]
"""From digests, one after the other, to a byte for each: 1 if it is suppressed, else 0."""

VERDICT: Final = "verdict"
"""The column or field that ``Keep.ALL`` adds."""


class Keep(StrEnum):
    """Which rows come out."""

    ALLOWED = "allowed"
    SUPPRESSED = "suppressed"
    ALL = "all"


_WORDS: Final = ("allowed", "suppressed", "invalid")
_ALLOWED, _SUPPRESSED, _INVALID, _EMPTY = range(4)
_KEPT: Final = {Keep.ALLOWED: _ALLOWED, Keep.SUPPRESSED: _SUPPRESSED}


@dataclass(slots=True)
class Counts:
    """What a scrub has seen so far: rows of data, and those of them that may not be sent to."""

    rows: int = 0
    suppressed: int = 0
    invalid: int = 0


@dataclass(frozen=True, slots=True)
class Scrub:
    """One pass over one list.

    ``digested``: its blocks, in order, with their digests. ``safe``: whether cells that a
    spreadsheet would compute are made harmless, which changes them; only CSV has such cells.
    ``counts`` grows as ``pieces`` is read.
    """

    listing: Listing
    digested: Iterator[Digested]
    probe: Probe
    keep: Keep
    safe: bool
    counts: Counts

    def pieces(self) -> Iterator[bytes]:
        """The list that comes out, in pieces. Raises what reading the list and probing raise."""
        if self.listing.head:
            yield self.listing.encoded(self._head())
        for digested in self.digested:
            kept = self._kept(digested)
            if kept:
                yield self.listing.encoded(kept)

    def _head(self) -> bytes:
        head = self.listing.head
        if self.listing.names is None:
            return head
        if self.safe:
            head = spreadsheet.safe_row(head, self.listing.delimiter)
        return self.listing.widened(head, VERDICT, VERDICT) if self.keep is Keep.ALL else head

    def _kept(self, digested: Digested) -> bytes:
        block, found = digested.block, digested.found
        verdicts = self._verdicts(digested)
        counted = np.bincount(verdicts, minlength=4).tolist()
        self.counts.rows += sum(counted[:_EMPTY])
        self.counts.suppressed += counted[_SUPPRESSED]
        self.counts.invalid += counted[_INVALID]
        kept = _KEPT.get(self.keep)
        chosen = verdicts != _EMPTY if kept is None else verdicts == kept
        if self.keep is Keep.ALL or self.safe:
            return self._rewritten(block.data, found, verdicts, np.flatnonzero(chosen))
        # Neighbours that stay are taken in one slice.
        edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
        first, last = found.starts[edges[::2]], found.ends[edges[1::2] - 1]
        return b"".join(
            [block.data[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        )

    def _rewritten(
        self, data: bytes, found: Cut, verdicts: npt.NDArray[np.uint8], chosen: Places
    ) -> bytes:
        raws = [
            data[a:b]
            for a, b in zip(found.starts[chosen].tolist(), found.ends[chosen].tolist(), strict=True)
        ]
        if self.safe:
            raws = [spreadsheet.safe_row(raw, self.listing.delimiter) for raw in raws]
        if self.keep is Keep.ALL:
            words = [_WORDS[verdict] for verdict in verdicts[chosen].tolist()]
            raws = [
                self.listing.widened(raw, VERDICT, word)
                for raw, word in zip(raws, words, strict=True)
            ]
        return b"".join(raws)

    def _verdicts(self, digested: Digested) -> npt.NDArray[np.uint8]:
        """The verdict for each row."""
        verdicts = np.full(digested.found.starts.shape, _INVALID, np.uint8)
        verdicts[digested.found.empty] = _EMPTY
        if digested.digests:
            verdicts[digested.places] = np.frombuffer(self.probe(digested.digests), np.uint8)
        return verdicts
