"""A list of any length through ``POST /v1/scrub``, from the first row to the last or not at all."""

from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final

from optout_service.client.duplex import Duplex
from optout_service.client.errors import Unavailable
from optout_service.client.line import Line, problem
from optout_service.client.shapes import unlike_ours

_PIECE: Final = 1 << 16
_BROKEN_OFF: Final = "The answer was broken off: what came is not the whole list. Scrub it again."


class Scrubbed:
    """What the service gives back, in pieces; ``as_of`` is the position for which all is true.

    Reading it raises Unavailable if the answer does not come to its end: what was read until then
    is a part, and no list to send to.
    """

    def __init__(
        self,
        line: Line,
        pieces: Iterable[bytes],
        media_type: str,
        query: Mapping[str, Any],
    ) -> None:
        """Raises Refused, Unavailable, and whatever ``pieces`` raises."""
        self._connection = line.connect()
        try:
            self._duplex = self._ask(line, pieces, media_type, query)
            self._response = self._answered(self._duplex)
            self.as_of = self._position()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._read():
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Let the service go, also in the middle."""
        self._connection.close()

    def _ask(
        self, line: Line, pieces: Iterable[bytes], media_type: str, query: Mapping[str, Any]
    ) -> Duplex:
        headers = {"Content-Type": media_type, "Transfer-Encoding": "chunked"}
        try:
            sock = _begin(self._connection, line.target("/v1/scrub", query), line.headers | headers)
        except (OSError, HTTPException):
            raise Unavailable("The service did not answer. Do not send now.") from None
        return Duplex(sock, pieces, line.timeout)

    def _answered(self, duplex: Duplex) -> HTTPResponse:
        try:
            response = duplex.response()
            if response.status == 200:
                return response
            raise problem(response.status, response.read())
        except (OSError, HTTPException):
            if duplex.caller_failed:
                raise
            raise Unavailable("The service did not answer. Do not send now.") from None

    def _position(self) -> int:
        as_of = self._response.getheader("Optout-As-Of", "")
        # Without either nobody could tell a part from the whole.
        framed = self._response.chunked or self._response.length is not None
        if not framed or not as_of.isdecimal():
            raise unlike_ours()
        return int(as_of)

    def _read(self) -> bytes:
        try:
            piece = self._response.read(_PIECE)
        except (OSError, HTTPException):
            if self._duplex.caller_failed:
                raise
            raise Unavailable(_BROKEN_OFF) from None
        if not piece and (self._response.length or not self._duplex.sent_all):
            raise Unavailable(_BROKEN_OFF)
        return piece


def lines_of(addresses: Iterable[str]) -> Iterator[bytes]:
    """Addresses as plain text, a line each, in pieces; empty ones are left out.

    Raises ValueError for what has a line break in it: it would be two.
    """
    lines: list[str] = []
    size = 0
    for address in map(str.strip, addresses):
        if "\n" in address or "\r" in address:
            raise ValueError("An address is one line.")
        lines += [address] if address else []
        size += len(address)
        if size >= _PIECE:
            yield _joined(lines)
            lines, size = [], 0
    if lines:
        yield _joined(lines)


def _joined(lines: list[str]) -> bytes:
    try:
        return "\n".join((*lines, "")).encode()
    except UnicodeEncodeError:
        raise ValueError("An address is made of characters that UTF-8 can write.") from None


def in_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of plain text that comes in pieces."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode()
    if rest:
        yield rest.decode()


def _begin(connection: HTTPConnection, target: str, headers: Mapping[str, str]) -> Any:
    connection.putrequest("POST", target)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.sock
