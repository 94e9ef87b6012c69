"""Sends a body while it reads the answer, in one thread.

The answer to a long list begins before the list has ended. A client that sent all of it first would
wait for a service that waits for the client.
"""

import io
import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from typing import Final, cast

_NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_LAST: Final = b"0\r\n\r\n"


class Duplex(io.RawIOBase):
    """A connection's answer, as a stream; reading it sends what the connection will take.

    Each piece goes as a chunk (RFC 9112, 7.1). It is taken from the caller only when all before it
    has been sent, so a service that is slow slows its caller down.
    """

    def __init__(self, sock: socket.socket, pieces: Iterable[bytes], timeout: float) -> None:
        """``timeout``: seconds that may pass without a byte in either direction."""
        self._sock = sock
        self._chunks = _chunks(pieces)
        self._rest = memoryview(b"")
        self._timeout = timeout
        self.sent_all = False
        """Whether the service has been given the whole body."""
        self.caller_failed = False
        """Whether it was the caller's own source of pieces that raised."""
        self._refused = False
        self._at_last = False
        sock.setblocking(False)

    def response(self) -> HTTPResponse:
        """The answer, its head read. Raises as ``readinto`` does, and HTTPException."""
        response = HTTPResponse(cast(socket.socket, self), method="POST")
        response.begin()
        return response

    def makefile(self, *_: object) -> io.BufferedReader:
        """What HTTPResponse asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """As of any stream."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Raises OSError (TimeoutError among it), and whatever the source of pieces raises."""
        while True:
            sent = self._send()
            # After each piece: whoever refuses a list is not sent the whole of it.
            try:
                return self._sock.recv_into(buffer)
            except _NOT_YET:
                if not sent:
                    self._wait()

    def _send(self) -> bool:
        """Send what goes at once, of one piece at most; whether anything went."""
        if self.sent_all or self._refused:
            return False
        if not self._rest:
            self._take_next()
        try:
            self._rest = self._rest[self._sock.send(self._rest) :]
        except _NOT_YET:
            return False
        except OSError:
            # Whoever refuses a list need not read it: why, stands in the answer.
            self._refused = True
            return False
        # Now, and not when next asked for more: the answer can be whole by then.
        self.sent_all = self._at_last and not self._rest
        return True

    def _take_next(self) -> None:
        try:
            chunk = next(self._chunks)
        except BaseException:
            self.caller_failed = True
            raise
        self._at_last = chunk is _LAST
        self._rest = memoryview(chunk)

    def _wait(self) -> None:
        writers = [] if self.sent_all or self._refused else [self._sock]
        readable, writable, _ = select.select([self._sock], writers, [], self._timeout)
        if not readable and not writable:
            raise TimeoutError


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield _LAST
