"""Where rows and their addresses lie in a block, and which addresses are plain: by whole arrays.

A million rows are cut and looked over in a tenth of a second. What is not plain is left to the
exact way, row by row; a property test holds the two together.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from optout_service.core.address import MAX_EMAIL_OCTETS
from optout_service.core.rows import Block

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_NEWLINE, _RETURN, _QUOTE, _AT, _DOT = b'\n\r"@.'
_DOMAIN: Final = b"abcdefghijklmnopqrstuvwxyz0123456789_-."
_LOCAL: Final = _DOMAIN + b"!#$%&'*+/=?^`{|}~"


@dataclass(frozen=True, slots=True)
class Cut:
    """The rows of a block, by their places in it.

    ``starts`` and ``ends`` with the line end, ``stops`` without. ``cells`` and ``cell_stops``:
    where the address is, without plain quotes around it; -1 where a row has no such cell.
    """

    starts: Places
    stops: Places
    ends: Places
    cells: Places
    cell_stops: Places

    @property
    def empty(self) -> Flags:
        """Which rows have nothing in them."""
        return np.equal(self.starts, self.stops)


def cut(block: Block, delimiter: bytes, column: int) -> Cut:
    """The rows of a block, and the cell of this number in each."""
    given = np.frombuffer(block.data, np.uint8)
    if block.spans is None:
        ends = np.flatnonzero(given == _NEWLINE) + 1
        if given.size and given[-1] != _NEWLINE:
            ends = np.append(ends, given.size)
        starts, stops = _lines(given, ends)
        cells, cell_stops = _cells(given, starts, stops, delimiter, column)
    else:
        spans = np.array(block.spans, np.int64).reshape(-1, 3)
        ends, cells, cell_stops = spans[:, 0], spans[:, 1], spans[:, 2]
        starts, stops = _lines(given, ends)
        if delimiter:
            quoted = (cells + 1 < cell_stops) & (cells >= 0)
            quoted &= (_at(given, cells) == _QUOTE) & (_at(given, cell_stops - 1) == _QUOTE)
            cells, cell_stops = cells + quoted, cell_stops - quoted
    return Cut(starts, stops, ends, cells, cell_stops)


def plain_emails(lowered: bytes, found: Cut) -> Flags:
    """Which cells of a lowered block are mail addresses in the form ``canonical_email`` gives.

    It is the pattern that ``core.address`` has for the ordinary address, in terms of arrays.
    """
    given = np.frombuffer(lowered, np.uint8)
    start, stop = found.cells, found.cell_stops
    kinds = _KINDS[given]
    ats = _Marks(kinds == _IS_AT)
    at = ats.first_from(start)
    plain = (start >= 0) & (start < at) & (at + 1 < stop) & (stop - start <= MAX_EMAIL_OCTETS)
    plain &= ats.first_from(at + 1) >= stop
    plain &= _Marks(kinds == _IS_OTHER).first_from(start) >= stop
    plain &= _Marks(kinds == _IS_LOCAL).first_from(at) >= stop
    # Dots stand between the domain's labels: not first, not last, not two together.
    dots = given == _DOT
    double = np.zeros_like(dots)
    double[:-1] = (dots[:-1] | (given[:-1] == _AT)) & dots[1:]
    plain &= _Marks(double).first_from(at) >= stop
    plain &= _at(given, stop - 1) != _DOT
    return plain


class _Marks:
    """The places where something is."""

    def __init__(self, flags: Flags) -> None:
        self._places = np.append(np.flatnonzero(flags), _NOWHERE)

    def first_from(self, places: Places, *, skip: int = 0) -> Places:
        """For each place the first mark there or after it, or the one ``skip`` marks later."""
        found = np.searchsorted(self._places, places) + skip
        return self._places[np.minimum(found, self._places.size - 1)]


def _lines(given: npt.NDArray[np.uint8], ends: Places) -> tuple[Places, Places]:
    """Starts and stops of the rows that end here."""
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1]
    stops = ends.copy()
    for line_end in (_NEWLINE, _RETURN):
        stops -= (stops > starts) & (_at(given, stops - 1) == line_end)
    return starts, stops


def _cells(
    given: npt.NDArray[np.uint8], starts: Places, stops: Places, delimiter: bytes, column: int
) -> tuple[Places, Places]:
    if not delimiter:
        return starts, stops
    marks = _Marks(given == delimiter[0])
    cells = starts
    if column:
        before = marks.first_from(starts, skip=column - 1)
        cells = np.where(before < stops, before + 1, -1)
    return cells, np.minimum(marks.first_from(starts, skip=column), stops)


def _at(given: npt.NDArray[np.uint8], places: Places) -> npt.NDArray[np.uint8]:
    """The bytes at these places; any byte where a place is outside."""
    if not given.size:
        return np.zeros(places.shape, np.uint8)
    taken: Any = given[np.clip(places, 0, given.size - 1)]
    return taken  # type: ignore[no-any-return]


_NOWHERE: Final = 1 << 62
_IS_OTHER, _IS_LOCAL, _IS_DOMAIN, _IS_AT = range(4)
_KINDS: Final = np.full(256, _IS_OTHER, np.uint8)
_KINDS[list(_LOCAL)] = _IS_LOCAL
_KINDS[list(_DOMAIN)] = _IS_DOMAIN
_KINDS[_AT] = _IS_AT
