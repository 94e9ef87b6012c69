"""A mail server on loopback that keeps what it is given, to the byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

from tests.loopback import serving

_ANSWERS = {
    b"EHLO": b"250-here\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


@dataclass
class Letterbox:
    """Where it listens, and each message as it came, dots unstuffed, without the last one."""

    port: int = 0
    messages: list[bytes] = field(default_factory=list)

    def lines(self, name: str) -> list[bytes]:
        """Of the last message: the lines of the header that begin with this name."""
        header = self.messages[-1].partition(b"\r\n\r\n")[0]
        start = f"{name}:".encode().lower()
        return [line for line in header.split(b"\r\n") if line.lower().startswith(start)]


@contextmanager
def letterbox() -> Iterator[Letterbox]:
    """A server for the length of a block."""
    box = Letterbox()

    class Session(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                self.wfile.write(_ANSWERS.get(verb, b"250 ok\r\n"))
                if verb == b"QUIT":
                    break
                if verb == b"DATA":
                    box.messages.append(b"".join(self._body()))
                    self.wfile.write(b"250 kept\r\n")

        def _body(self) -> Iterator[bytes]:
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                yield line[1:] if line.startswith(b".") else line

    with serving(ThreadingTCPServer(("127.0.0.1", 0), Session)) as box.port:
        yield box
