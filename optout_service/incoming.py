"""A request's body, whole or refused.

werkzeug takes what has come of a body whose sender went away for all of it, since gunicorn says
that it ends the stream itself; and of one in chunks it takes as much as the limit lets it, and
leaves the rest. A form of which the end is missing may say something else.
"""

from typing import IO, Any, Final

from werkzeug.exceptions import RequestEntityTooLarge

from optout_service.core.errors import Malformed

_BLOCK: Final = 64 * 1024


class Whole:
    """The stream of a body, for reading it once."""

    def __init__(self, stream: IO[bytes], length: int | None, most: int | None) -> None:
        """``length``: as announced; None: it ends by itself. ``most``: None for no limit.

        Raises RequestEntityTooLarge for an announced length over the limit.
        """
        if length is not None and most is not None and length > most:
            raise RequestEntityTooLarge
        self._stream = stream
        self._length = length
        self._most = most
        self._read = 0

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, empty at the end; all that is left if it is negative.

        Raises Malformed for a body that ends before its length (RFC 9112, 8), and
        RequestEntityTooLarge for one that passes the limit.
        """
        if size is not None and size >= 0:
            return self._piece(size)
        pieces = []
        while piece := self._piece(_BLOCK):
            pieces.append(piece)
        return b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        if self._length is not None:
            size = min(size, self._length - self._read)
        if not size:
            return b""
        piece = self._stream.read(size)
        self._read += len(piece)
        if not piece and self._length is not None:
            raise Malformed("The body ended before it was complete. Send it again.")
        if self._most is not None and self._read > self._most:
            raise RequestEntityTooLarge
        return piece


def whole(environ: dict[str, Any], length: int | None, most: int | None) -> Whole:
    """The body of a WSGI request. Without a length and an end of its own there is none."""
    if length is None and not environ.get("wsgi.input_terminated"):
        length = 0
    return Whole(environ["wsgi.input"], length, most)
