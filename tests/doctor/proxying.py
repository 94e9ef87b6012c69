"""A proxy of our own making before the service: over TLS, and as wrong as a test asks for."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests import loopback

CALLS_FROM = "127.0.0.2"
"""So that the service can tell the proxy from whoever calls it."""


def adds(given: str) -> str:
    """What a good proxy makes of X-Forwarded-For: who called it stands last."""
    return f"{given}, 127.0.0.1"


@dataclass(frozen=True)
class Ways:
    """What a proxy does: to ``X-Forwarded-For`` ("": none is sent), to the target, to answers."""

    forwarded: Callable[[str], str] = adds
    target: Callable[[str], str] = str
    https_only: str = "max-age=31536000"
    answers: int = 0
    """The status that it answers with itself; 0: it asks the service."""


@contextmanager
def proxying(port: int, to: int, ways: Ways, certificate: Path) -> Iterator[None]:
    """A proxy at this port of loopback, before the service at another."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = (ways.answers, b"") if ways.answers else self._asked(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            if ways.https_only:
                self.send_header("Strict-Transport-Security", ways.https_only)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else said)

        do_GET = do_HEAD = do_POST  # noqa: N815

        def _asked(self, body: bytes) -> tuple[int, bytes]:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "x-forwarded-for"}
            if told := ways.forwarded(self.headers.get("X-Forwarded-For") or ""):
                headers["X-Forwarded-For"] = told
            line = HTTPConnection("127.0.0.1", to, source_address=(CALLS_FROM, 0))
            line.request(self.command, ways.target(self.path), body, headers)
            answer = line.getresponse()
            found = answer.status, answer.read()
            line.close()
            return found

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with loopback.serving(server):
        yield
