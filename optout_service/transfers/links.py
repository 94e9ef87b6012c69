"""A list with an unsubscribe link for each of its rows: one column more, and else as it came.

A row that gets no link stays, with an empty cell, and is told of by its number: whoever sends by
the list must notice it, and a row that vanished is noticed by nobody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from optout_service.core import fields, rows
from optout_service.core.errors import InvalidAddress, InvalidRequest
from optout_service.core.lists import Listing, Media
from optout_service.core.rows import Block
from optout_service.transfers.imports import MOST_REJECTS, Reject

COLUMN: Final = "unsubscribe_url"


@dataclass(slots=True)
class Linking:
    """One pass over one list.

    ``link``: from the text of an address to its link; raises InvalidAddress. ``rows``, ``invalid``
    and ``rejects``, the first thousand of the invalid, grow as ``pieces`` is read.
    """

    listing: Listing
    link: Callable[[str], str]
    rows: int = 0
    invalid: int = 0
    rejects: list[Reject] = field(default_factory=list)

    def pieces(self) -> Iterator[bytes]:
        """The list that comes out, in pieces.

        Raises what reading the list raises, and InvalidRequest where it has such a column already.
        """
        listing = self.listing
        if listing.names is not None and COLUMN in (name.strip() for name in listing.names):
            raise _there_already()
        head = listing.head
        if listing.names is not None:
            head = listing.widened(head, COLUMN, COLUMN)
        if head:
            yield listing.encoded(head)
        for block in listing.blocks:
            yield listing.encoded(b"".join(self._linked(block)))

    def _linked(self, block: Block) -> Iterator[bytes]:
        for number, raw in self.listing.rows(block):
            self.rows += 1
            try:
                url = self._url(number, raw)
            except InvalidAddress as error:
                url = ""
                self.invalid += 1
                if len(self.rejects) < MOST_REJECTS:
                    self.rejects.append(Reject(number, error.detail))
            yield self.listing.widened(raw, COLUMN, url)

    def _url(self, number: int, raw: bytes) -> str:
        names = self.listing.names
        if self.listing.media is Media.NDJSON:
            if COLUMN in (fields.values_of(raw) or ()):
                raise _there_already(row=number)
        elif names is not None:
            cells = rows.cells(rows.content(raw), self.listing.delimiter)
            if len(cells) != len(names):
                # The new cell would stand under another column.
                raise InvalidAddress(f"The row has {len(cells)} cells, the header {len(names)}.")
        text = self.listing.address(raw)
        if text is None:
            raise InvalidAddress("There is no address where the others are, or none to be read.")
        return self.link(text)


def _there_already(**where: int) -> InvalidRequest:
    return InvalidRequest(
        f"The list has a column {COLUMN} already. Take it out, or use the links in it.",
        field="column",
        **where,
    )
