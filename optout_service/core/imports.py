"""Lists of people who must not be sent to, as they come in: whose list it is, and its rows."""

import codecs
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from optout_service.core import documents, fields, layouts, lists
from optout_service.core.evidence import Reason
from optout_service.core.layouts import ADDRESS, Layout, Values, simple
from optout_service.core.lists import Listing, Media, Told
from optout_service.core.scope import Kind

EXPORTED: Final = ("address", "channel", "topic", "purpose", "reason", "source", "since")
"""The columns of our own exports."""

_OF_OUR_EXPORT: Final = frozenset(EXPORTED)
AS_IF_SAFE: Final = re.compile(r"'+[=+\-@\t\r\n]")
"""How a cell of them begins that a spreadsheet would have computed."""

_MOST_UNREADABLE: Final = 100

Row = tuple[int, Values | None]
"""A row's number and what stands in it; None if it cannot be read.

Rows are numbered as an editor shows them, the header counted; records of JSON by their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said of a list as a whole; None: nothing was. ``format``: one of ``formats()``."""

    format: str = layouts.AUTO
    channel: str | None = None
    topic: str | None = None
    purpose: str | None = None
    reason: Reason | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A list that has been begun: whose it is, and its rows, to be read once."""

    layout: Layout
    rows: Iterator[Row]


def begin(chunks: Iterable[bytes], told: Told | None, format: str = layouts.AUTO) -> Incoming:
    """Begin a list; ``told`` None: it is JSON, an array or pages of it.

    Raises InvalidRequest (the format), and, then or while the rows are read, what ``lists.read``
    and ``documents.records`` raise.
    """
    names: Collection[str] | None = None
    if told is None:
        rows = _records(chunks)
    else:
        listing = lists.read(chunks, told)
        if listing.names is not None:
            names = [simple(name) for name in listing.names]
        rows = _objects(listing) if told.media is Media.NDJSON else _cells(listing)
    if names is not None:
        return Incoming(layouts.recognise(names, format), rows)
    # Without a header, by the first row that can be read.
    seen: list[Row] = []
    for row in islice(rows, _MOST_UNREADABLE):
        seen.append(row)
        if row[1] is not None:
            names = row[1].keys()
            break
    return Incoming(layouts.recognise(names or (), format), chain(seen, rows))


def sniffed(
    pieces: Iterable[bytes], charset: str | None, kind: Kind | None
) -> tuple[Iterable[bytes], Told | None]:
    """What a list is by its first bytes, for ``begin``; and the list, from its beginning."""
    pieces = iter(pieces)
    first = next(pieces, b"")
    media: Media | None = Media.CSV
    if first.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{"):
        values = fields.values_of(first.lstrip().partition(b"\n")[0])
        media = None if values is None or documents.may_be_page(values) else Media.NDJSON
    whole = chain((first,), pieces)
    return whole, None if media is None else Told(media=media, charset=charset, kind=kind)


def _cells(listing: Listing) -> Iterator[Row]:
    names = None if listing.names is None else [simple(name) for name in listing.names]
    read = _unguarded if names is not None and set(names) >= _OF_OUR_EXPORT else str
    for block in listing.blocks:
        for number, raw in listing.rows(block):
            if names is None:
                text = listing.address(raw)
                yield number, None if text is None else {ADDRESS: text}
                continue
            cells = listing.cells(raw)
            if None in cells or any(cells[len(names) :]):
                yield number, None
                continue
            # Empty cells at the end of a row are left out by some, and added by others.
            values = {name: read(cell or "") for name, cell in zip(names, cells, strict=False)}
            yield number, values | {ADDRESS: values.get(names[listing.column], "")}


def _unguarded(cell: str) -> str:
    return cell[1:] if AS_IF_SAFE.match(cell) else cell


def _objects(listing: Listing) -> Iterator[Row]:
    for block in listing.blocks:
        for number, raw in listing.rows(block):
            yield number, _values(fields.values_of(raw))


def _records(chunks: Iterable[bytes]) -> Iterator[Row]:
    for number, record in enumerate(documents.records(chunks), 1):
        yield number, _values({ADDRESS: record} if isinstance(record, str) else record)


def _values(found: Any) -> Values | None:
    if not isinstance(found, dict):
        return None
    values = {simple(name): _text(value) for name, value in found.items()}
    if (chosen := fields.chosen(tuple(found), None)) is not None:
        values[ADDRESS] = _text(found[chosen])
    return values


def _text(value: Any) -> str:
    """What a value of JSON would be in a cell."""
    match value:
        case None | dict():
            return ""
        case list():
            return ",".join(map(_text, value))
        case _:
            return str(value)
