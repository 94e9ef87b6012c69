"""Bodies too long to hold: read in blocks, answered from a spool, broken off where they fail.

Many clients send all of a request before they read any of the answer. So the answer is gathered in
a temporary file without a name while the request comes in, and begun when that has ended: with its
length, and with a status that is true. Only an answer over the spool's size is begun before, in
chunks; if it then fails, the last chunk never comes and the connection is closed, so that no client
takes a part for the whole (RFC 9112, 8).

A client that is slow holds one of the server's threads, for as long as it goes on moving.
"""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from flask import Response, request

from optout_service.core.errors import (
    Malformed,
    StoreUnavailable,
    TooLarge,
    UnsupportedMediaType,
)
from optout_service.web import runtime

BLOCK_BYTES: Final = 512 * 1024
_IN_MEMORY: Final = 1024 * 1024
_GZIP: Final = 31  # zlib's window bits for a gzip member (RFC 1952)
_UNPACKED_FREELY: Final = 16 * 1024 * 1024
_MOST_TO_ONE: Final = 100
"""How much more than its own size a gzip may hold. Lists of addresses hold three to ten times it;
one that is made to keep us busy, up to a thousand.
"""
_ENDED_EARLY: Final = "The body ended before it was complete, or stood still for too long."


def body() -> Iterator[bytes]:
    """This request's body, of any length, in blocks; unpacked, if it came in gzip.

    Raises UnsupportedMediaType (another encoding) at once, and Malformed while it is read: it ended
    early, stood still, or is no gzip; TooLarge for a gzip that holds far more than lists do.
    """
    packed = request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if packed not in ("identity", "gzip", "x-gzip"):
        raise UnsupportedMediaType("Send the body plain, or with Content-Encoding: gzip.")
    limit = runtime().settings.stream_timeout_ms / 1000
    # gunicorn hands out the connection. Another server has limits of its own.
    if (connection := request.environ.get("gunicorn.socket")) is not None:
        connection.settimeout(limit)
    request.max_content_length = 1 << 62
    blocks = _blocks(request.stream, request.content_length)
    return blocks if packed == "identity" else _unpacked(blocks)


def answer(pieces: Iterator[bytes]) -> tuple[Response, bool]:
    """What ``pieces`` gives, as a response, and whether all of it has been read by now.

    If not, whatever ``pieces`` stands on must last until the response is closed. Raises what
    ``pieces`` raises, and StoreUnavailable where there is no room for the spool.
    """
    packed = request.accept_encodings.quality("gzip") > 0
    if packed:
        pieces = _packed(pieces)
    with ExitStack() as held:
        spool = held.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        whole = _gather(pieces, spool, runtime().settings.spool_bytes)
        length = spool.tell()
        if not whole and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            raise TooLarge("So long an answer goes out in chunks, which takes HTTP/1.1.")
        spool.seek(0)
        if whole and length <= _IN_MEMORY:
            response = Response(spool.read())
        else:
            response = Response(_replayed(spool, pieces))
            response.call_on_close(held.pop_all().close)
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    if whole:
        response.content_length = length
    return response, whole


def _blocks(stream: IO[bytes], length: int | None) -> Iterator[bytes]:
    read = 0
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except Exception:  # the server has a dozen of its own for a body that cannot be read
            raise Malformed(_ENDED_EARLY) from None
        if not block:
            break
        read += len(block)
        yield block
    # The end of the connection looks like the end of the body.
    if length is not None and read < length:
        raise Malformed(_ENDED_EARLY)


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP)
    begun = False
    read = unpacked = 0
    for block in blocks:
        read += len(block)
        while block:
            begun = True
            try:
                # In bounded pieces: a little gzip can hold a lot of zeros.
                piece = member.decompress(block, BLOCK_BYTES)
            except zlib.error:
                raise Malformed("The body is not gzip, or is damaged.") from None
            if piece:
                unpacked += len(piece)
                _require_likely(read, unpacked)
                yield piece
            block = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member, begun = zlib.decompressobj(_GZIP), False
    if begun:
        raise Malformed("The gzip of the body ended before it was complete.")


def _require_likely(read: int, unpacked: int) -> None:
    if unpacked > max(_UNPACKED_FREELY, read * _MOST_TO_ONE):
        raise TooLarge(
            f"The gzip of the body holds over {_MOST_TO_ONE} times its own size. Send it plain."
        )


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.compressobj(level=1, wbits=_GZIP)
    for piece in pieces:
        if packed := member.compress(piece):
            yield packed
    yield member.flush()


def _gather(pieces: Iterator[bytes], spool: Any, limit: int) -> bool:
    """Whether all the pieces are in the spool; else it has passed its limit, and more come."""
    for piece in pieces:
        try:
            spool.write(piece)
        except OSError:
            raise StoreUnavailable(
                "There is no room to gather the answer. Nothing was answered."
            ) from None
        if spool.tell() > limit:
            return False
    return True


def _replayed(spool: Any, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with spool:
        while block := spool.read(BLOCK_BYTES // 2):
            yield block
        yield from pieces
