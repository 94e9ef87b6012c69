"""Lists of addresses as people keep them: CSV in its dialects, NDJSON, plain lines.

A list is read in blocks of whole rows, so that one of any length takes the same memory. A row is
never rewritten: it is bytes, with its own line end, and only the address is looked for in it.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from optout_service.core import fields, rows
from optout_service.core.charsets import codec_of, recoded
from optout_service.core.errors import InvalidRequest
from optout_service.core.rows import MAX_ROW_BYTES, Block
from optout_service.core.scope import Kind

DELIMITERS: Final = {"comma": b",", "semicolon": b";", "tab": b"\t", "pipe": b"|"}
"""What may stand between cells, the likeliest first."""

_BOM: Final = codecs.BOM_UTF8
_EMPTY_ROWS: Final = re.compile(rb"(?:\r\n|\n|\r)*+")


class Media(StrEnum):
    """What a list is made of."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"
    TEXT = "text/plain"


MEDIA_TYPES: Final = {
    "text/csv": Media.CSV,
    "text/tab-separated-values": Media.CSV,
    "text/plain": Media.TEXT,
    "application/x-ndjson": Media.NDJSON,
    "application/ndjson": Media.NDJSON,
    "application/jsonl": Media.NDJSON,
}
"""How callers name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a list before it is read. None: its first row shall tell.

    ``column``: the address's, by name, or by number from 1. ``kind``: of its addresses, which tells
    between a column of mail addresses and one of phones.
    """

    media: Media
    charset: str | None = None
    delimiter: bytes | None = None
    header: bool | None = None
    column: str | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list that has been begun: how it is written, and the rows to come.

    ``head``: what stands before the first row of data, byte order mark and header; ``names``: the
    header's cells, None without one. ``delimiter``: empty for plain lines and NDJSON. ``column``:
    where the address is, from 0; for NDJSON ``finder`` knows. ``codec``: what ``encoded`` gives
    back, None for UTF-8. ``blocks``: to be read once.
    """

    media: Media
    codec: str | None = None
    delimiter: bytes = b""
    head: bytes = b""
    names: tuple[str, ...] | None = None
    column: int = 0
    finder: fields.Finder
    blocks: Iterator[Block]

    def rows(self, block: Block) -> Iterator[tuple[int, bytes]]:
        """Each row's number and bytes, line end included; the empty ones are left out."""
        at = 0
        for number, end in enumerate(rows.ends(block), block.first):
            raw = block.data[at:end]
            at = end
            if rows.content(raw):
                yield number, raw

    def address(self, raw: bytes) -> str | None:
        """The text where a row's address should be; None where there is none to be read."""
        if self.media is Media.NDJSON:
            return self.finder.address(raw)
        found = rows.row_pattern(self.delimiter, self.column).match(raw)
        return None if found is None else rows.text_of(found["cell"], self.delimiter)

    def cells(self, raw: bytes) -> list[str | None]:
        """The cells of a row; None for one that cannot be read. Not for NDJSON."""
        cells = rows.cells(rows.content(raw), self.delimiter)
        return [rows.text_of(cell, self.delimiter) for cell in cells]

    def widened(self, raw: bytes, name: str, value: str) -> bytes:
        """A row with one cell or field more, and else as it is; in plain text it is behind a tab.

        ``value``: of letters, digits and signs that need no quotes. What is no object in NDJSON
        becomes one.
        """
        content = rows.content(raw)
        line_end = raw[len(content) :]
        if self.media is not Media.NDJSON:
            return b"%b%b%b%b" % (content, self.delimiter or b"\t", value.encode(), line_end)
        field = b'"%b":"%b"' % (name.encode(), value.encode())
        bare = content.rstrip(b" \t\r")
        if fields.values_of(raw) is None:
            return b"{%b}%b" % (field, line_end)
        comma = b"" if bare[:-1].strip(b" \t\r") == b"{" else b","
        return b"%b%b%b}%b" % (bare[:-1], comma, field, line_end)

    def encoded(self, piece: bytes) -> bytes:
        """Rows in the charset in which the list came."""
        return piece if self.codec is None else piece.decode().encode(self.codec)


def read(chunks: Iterable[bytes], told: Told) -> Listing:
    """Begin a list: find out how it is written from its first row, and give the rows in blocks.

    ``chunks``: its bytes in pieces of any size. Raises UnsupportedMediaType (a charset that we do
    not read) and InvalidRequest (no such column); and, then or while the blocks are read, Malformed
    (not in its charset, a quote left open) and TooLarge (a row over 64 KiB), which name the row.
    """
    chunks = iter(chunks)
    start = _at_least(chunks, 2)
    codec = codec_of(told.charset, start)
    chunks = chain((start,), chunks)
    if codec is not None:
        chunks = recoded(chunks, codec)
    # In so much of it the first row is whole, or too long.
    start = _at_least(chunks, len(_BOM) + MAX_ROW_BYTES + 1)
    mark = _BOM if start.startswith(_BOM) else b""
    finder = fields.Finder(told.column, told.kind)
    if told.media is Media.NDJSON:
        blocks = rows.blocks(chain((start[len(mark) :],), chunks), 1, rows.no_spans)
        return Listing(media=told.media, codec=codec, head=mark, finder=finder, blocks=blocks)
    empty = _EMPTY_ROWS.match(start, len(mark))
    assert empty is not None
    number, start = 1 + rows.count_lines(empty[0]), start[empty.end() :]
    delimiter, row = _first_row(start, told, number)
    names = [rows.text_of(cell, delimiter) or "" for cell in rows.cells(row, delimiter)]
    header, column = fields.place(names if row else [], told.header, told.column, told.kind)
    head = b""
    if header and row:
        head = start[: rows.first_end(start, delimiter)]
    blocks = rows.blocks(
        chain((start[len(head) :],), chunks),
        number + bool(head),
        rows.spans_of(delimiter, column),
    )
    return Listing(
        media=told.media,
        codec=codec,
        delimiter=delimiter,
        head=mark + head,
        names=tuple(names) if head else None,
        column=column,
        finder=finder,
        blocks=blocks,
    )


def parse_delimiter(text: str) -> bytes:
    """One of ``DELIMITERS``, by its name. Raises InvalidRequest."""
    if text not in DELIMITERS:
        raise InvalidRequest(
            f"The delimiter is one of: {', '.join(DELIMITERS)}.", field="delimiter"
        )
    return DELIMITERS[text]


def _at_least(chunks: Iterator[bytes], size: int) -> bytes:
    gathered: list[bytes] = []
    length = 0
    for chunk in chunks:
        gathered.append(chunk)
        length += len(chunk)
        if length >= size:
            break
    return b"".join(gathered)


def _first_row(start: bytes, told: Told, number: int) -> tuple[bytes, bytes]:
    """The delimiter, and the first row without its line end."""
    if told.media is Media.TEXT:
        candidates = [b""]
    else:
        candidates = [told.delimiter] if told.delimiter else list(DELIMITERS.values())
    best, row, most = candidates[0], b"", (-1, -1)
    for delimiter in candidates:
        # Where a quote is left open there is no row; whoever reads the blocks is told so.
        found = rows.content(start[: rows.first_end(start, delimiter)])
        cells = rows.cells(found, delimiter)
        names = [rows.text_of(cell, delimiter) or "" for cell in cells]
        score = fields.known(names, told.kind), len(cells)
        if found and score > most:
            best, row, most = delimiter, found, score
    if len(row) > MAX_ROW_BYTES:
        raise rows.too_long(number)
    return best, row
