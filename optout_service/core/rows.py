"""Rows of lists, found in the bytes as they come, and left as they are.

A row is found as RFC 4180 has it, and by any line end (CRLF, LF, CR) outside quotes: whoever reads
the list after us must find no row that we did not see.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from optout_service.core.errors import Malformed, TooLarge

MAX_ROW_BYTES: Final = 64 * 1024
"""The longest row, with its line end: over it a quote was left open, or it is no list."""

Span = tuple[int, int, int]
"""Where a row ends, and where its address's cell starts and ends (-1: it has none)."""

Spans = Callable[[bytes, bool], list[Span] | None]
"""From data, and whether it is the last: the rows in it that are whole. None: one line each."""

_LINE_END: Final = rb"(?:\r\n|\n|\r|\Z)"
_QUOTED: Final = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows, as they lie in the list; ``first`` is the number of the first one.

    Rows are numbered from 1 as an editor shows them: the header and empty ones count. ``spans`` is
    None where every row is one line and every cell is bare.
    """

    data: bytes
    first: int
    spans: list[Span] | None = None


def content(raw: bytes) -> bytes:
    """A row without its line end."""
    if raw.endswith(b"\r\n"):
        return raw[:-2]
    return raw[:-1] if raw.endswith((b"\n", b"\r")) else raw


def text_of(cell: bytes | None, delimiter: bytes) -> str | None:
    """What a cell says: UTF-8, in CSV without its quotes. None: its quotes or bytes do not fit."""
    if cell is None:
        return None
    if delimiter and cell.startswith(b'"'):
        if not _QUOTED.fullmatch(cell):
            return None
        cell = cell[1:-1].replace(b'""', b'"')
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return None


def cells(row: bytes, delimiter: bytes) -> list[bytes]:
    """The cells of a row without its line end, quotes and all."""
    if not delimiter:
        return [row]
    pattern = re.compile(_cell(delimiter))
    found: list[bytes] = []
    at = 0
    while at <= len(row):
        cell = pattern.match(row, at)
        assert cell is not None
        found.append(cell[0])
        at = cell.end() + 1
    return found


def first_end(data: bytes, delimiter: bytes) -> int:
    """Where the first row ends, with its line end; 0 where it has an open quote."""
    found = row_pattern(delimiter, 0).match(data)
    return found.end() if found else 0


@lru_cache(maxsize=256)
def row_pattern(delimiter: bytes, column: int) -> re.Pattern[bytes]:
    """Matches one row with its line end; ``cell`` is its cell of this number, if it has one."""
    cell, stop = _cell(delimiter), re.escape(delimiter)
    if not delimiter:
        return re.compile(b"(?P<cell>%b)%b" % (cell, _LINE_END))
    more = b"(?:%b%b)*+" % (stop, cell)
    with_it = b"(?:%b%b){%d}(?P<cell>%b)%b" % (cell, stop, column, cell, more)
    return re.compile(b"(?:%b%b|%b%b%b)" % (with_it, _LINE_END, cell, more, _LINE_END))


def spans_of(delimiter: bytes, column: int) -> Spans:
    """For CSV with this delimiter, or plain lines (none); ``column``: the address's, from 0."""
    pattern = row_pattern(delimiter, column)

    def find(data: bytes, final: bool) -> list[Span] | None:
        lines = data if final else data[: data.rfind(b"\n") + 1]
        if lines and _is_plain(lines, delimiter):
            return None
        spans: list[Span] = []
        at = 0
        while at < len(data):
            found = pattern.match(data, at)
            # At the end of what is here a row may go on, and a CR may yet become a CRLF.
            if found is None or (found.end() == len(data) and not final and data[-1:] != b"\n"):
                break
            at = found.end()
            spans.append((at, *found.span("cell")))
        return spans

    return find


def no_spans(_data: bytes, _final: bool) -> None:
    """For NDJSON: one line each."""


def blocks(chunks: Iterable[bytes], first: int, spans_in: Spans) -> Iterator[Block]:
    """Cut what comes into blocks of whole rows; ``first`` is the number of the first one.

    Raises Malformed (a quote left open) and TooLarge (a row over the limit), naming the row.
    """
    rest = b""
    for chunk, final in chain(((chunk, False) for chunk in chunks), ((b"", True),)):
        data = rest + chunk if rest else chunk
        spans = spans_in(data, final) if data else None
        if spans is None:
            end = len(data) if final else data.rfind(b"\n") + 1
        else:
            end = spans[-1][0] if spans else 0
        block = Block(data[:end], first, spans)
        _limit_rows(block)
        if end:
            yield block
        first += _count(block)
        rest = data[end:]
        if len(rest) > MAX_ROW_BYTES:
            raise too_long(first)
    if rest:
        raise Malformed(f"In row {first} a quote is opened and never closed.", row=first)


def ends(block: Block) -> Iterator[int]:
    """Where each row of a block ends."""
    if block.spans is not None:
        yield from (end for end, _, _ in block.spans)
        return
    at = 0
    while at < len(block.data):
        at = block.data.find(b"\n", at) + 1 or len(block.data)
        yield at


def count_lines(data: bytes) -> int:
    """How many lines these are, an unended last one too."""
    lone = data.count(b"\r") - data.count(b"\r\n")
    return data.count(b"\n") + lone + (bool(data) and not data.endswith((b"\n", b"\r")))


def too_long(row: int) -> TooLarge:
    """The refusal of a row over the limit."""
    return TooLarge(
        f"Row {row} is over {MAX_ROW_BYTES} bytes. Is a quote left open there?",
        row=row,
        limit=MAX_ROW_BYTES,
    )


def _cell(delimiter: bytes) -> bytes:
    # A quote opens only at a cell's start. What follows a closed one belongs to the cell, which
    # then cannot be read; the row still ends where it ends.
    if not delimiter:
        return rb"[^\r\n]*+"
    stop = re.escape(delimiter)
    quoted = _QUOTED.pattern + rb"[^%b\r\n]*+" % stop
    return rb"(?>%b|[^\"%b\r\n][^%b\r\n]*+|)" % (quoted, stop, stop)


def _is_plain(lines: bytes, delimiter: bytes) -> bool:
    return not (delimiter and b'"' in lines) and lines.count(b"\r") == lines.count(b"\r\n")


def _count(block: Block) -> int:
    if block.spans is not None:
        return len(block.spans)
    return block.data.count(b"\n") + (bool(block.data) and block.data[-1:] != b"\n")


def _limit_rows(block: Block) -> None:
    at = 0
    if block.spans is not None:
        for number, (end, _, _) in enumerate(block.spans, block.first):
            if end - at > MAX_ROW_BYTES:
                raise too_long(number)
            at = end
        return
    data = block.data
    while len(data) - at > MAX_ROW_BYTES:
        # From row to row, in the longest steps that a list within the limit allows.
        end = data.rfind(b"\n", at, at + MAX_ROW_BYTES) + 1
        if not end:
            raise too_long(block.first + data.count(b"\n", 0, at))
        at = end
