"""What goes between a worker and its hand: messages with their length before them.

Both ends are the same code, started one by the other, on a line that nobody else has.
"""

import socket
from typing import Any, Final

import msgspec
import numpy as np

from optout_service.core.digesting import Digester
from optout_service.core.fields import Finder
from optout_service.core.keyring import KeyRing
from optout_service.core.lists import Listing, Media
from optout_service.core.rows import Block
from optout_service.core.scope import Kind

_LENGTH_BYTES: Final = 4


class Task(msgspec.Struct):
    """A block to digest, and how its list is read. ``spans``: three 64-bit numbers a row."""

    media: str
    kind: str
    delimiter: bytes
    column: int
    field: str | None
    data: bytes
    spans: bytes | None

    @classmethod
    def of(cls, digester: Digester, block: Block) -> "Task":
        """The task that a block of this list is."""
        listing, spans = digester.listing, block.spans
        return cls(
            media=listing.media.value,
            kind=digester.kind.value,
            delimiter=listing.delimiter,
            column=listing.column,
            field=listing.finder.field,
            data=block.data,
            spans=None if spans is None else np.array(spans, np.int64).tobytes(),
        )

    def done(self, keys: KeyRing) -> "Done":
        """Do it."""
        kind = Kind(self.kind)
        listing = Listing(
            media=Media(self.media),
            delimiter=self.delimiter,
            column=self.column,
            finder=Finder(self.field, kind),
            blocks=iter(()),
        )
        spans: Any = None
        if self.spans is not None:
            spans = np.frombuffer(self.spans, np.int64).reshape(-1, 3)
        digested = Digester(listing, kind, keys).of(Block(self.data, 1, spans))
        return Done(digested.places.tobytes(), digested.digests)


class Done(msgspec.Struct):
    """The rows that have an address, as 64-bit numbers, and the digests of those."""

    places: bytes
    digests: bytes


def send(line: socket.socket, message: bytes) -> None:
    """One message. Raises OSError: the other end is gone, or has stood still for too long."""
    line.sendall(len(message).to_bytes(_LENGTH_BYTES) + message)


def receive(line: socket.socket) -> bytes:
    """The next message. Raises OSError as ``send`` does."""
    return _exactly(line, int.from_bytes(_exactly(line, _LENGTH_BYTES)))


def _exactly(line: socket.socket, size: int) -> bytes:
    gathered = bytearray(size)
    rest = memoryview(gathered)
    while rest:
        read = line.recv_into(rest)
        if not read:
            raise ConnectionResetError("the other end is gone")
        rest = rest[read:]
    return bytes(gathered)
