"""What comes over the wire to the real server that is no request, or is two: refused, not repeated.

RFC 9112, 2.2, 5.2, 6.1, 6.3 and 11.2: a message of which two readers could make two things.
"""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from optout_service.core.token import Claim
from tests.cast import ANA
from tests.security.test_answer_headers import ALWAYS
from tests.server import Server
from tests.stage import Cast
from tests.store.acts import MAIL

BODY = json.dumps({"channel": "email", "address": ANA.email}).encode()
SIZED = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
SECOND = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
GET = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@dataclass(frozen=True)
class Site:
    """The running server, and what must never come back from it."""

    server: Server
    cast: Cast
    token: str

    def answer(self, sent: bytes, *, then_close: bool = False) -> list[bytes]:
        """The answers to these bytes, until the server closes."""
        filled = sent.replace(b"TOKEN", self.token.encode())
        filled = filled.replace(b"KEY", self.cast.keys["admin"].encode())
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(filled)
            if then_close:
                # It may have been answered and closed by then.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: connection.recv(65536), b""))
        return re.split(rb"(?=HTTP/1\.1 \d{3} )", got)[1:]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    server = Server(tmp_path_factory.mktemp("wire"))
    cast = server.set_up()
    with server.looking_in() as rt:
        token = rt.links.mint(Claim(cast.acme, "email", MAIL, "newsletter"))
    server.start()
    yield Site(server, cast, token)
    server.stop()
    # Whatever came: each line of the log is a line of ours, and holds nothing that was sent.
    text = server.log.read_text()
    for line in text.splitlines():
        assert line.startswith("{") is False or json.loads(line)
    for secret in (token, token[:40], cast.keys["admin"], ANA.email, "owned"):
        assert secret not in text


def asked(headers: bytes, body: bytes = BODY) -> bytes:
    """A check by a good key, with these headers beside."""
    head = b"POST /v1/check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n"
    return head + b"Content-Type: application/json\r\n" + headers + b"\r\n" + body


REFUSED: dict[str, tuple[bytes, int]] = {
    "no request line": (b"/u/TOKEN\r\n\r\n", 400),
    "a method with a NUL": (b"G\0T /u/TOKEN HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a version that there is not": (b"GET /u/TOKEN HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"owned" * 20 + b"\r\n\r\n", 400),
    "a proxy's line": (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + GET % b"/u/TOKEN" + b"\r\n", 400),
    "bytes in the target": (GET % b"/u/\xc0\xaf\xffTOKEN" + b"\r\n", 400),
    "an endless target": (GET % (b"/u/TOKEN" + b"A" * 9000) + b"\r\n", 414),
    "an endless header": (GET % b"/healthz" + b"X: TOKEN" + b"a" * 20_000 + b"\r\n\r\n", 431),
    "many headers": (GET % b"/healthz" + b"X: owned\r\n" * 500 + b"\r\n", 431),
    "a NUL in a header": (GET % b"/healthz" + b"X: owned\0\r\n\r\n", 400),
    "a space in a name": (GET % b"/healthz" + b"X-owned : TOKEN\r\n\r\n", 400),
    "a folded header": (GET % b"/healthz" + b"X-owned: a\r\n TOKEN\r\n\r\n", 400),
    "bare line feeds": (b"GET /u/TOKEN HTTP/1.1\nHost: x\n\n", 400),
    "a length and chunks": (asked(b"Content-Length: 5\r\n" + CHUNKED, SECOND), 400),
    "chunks and a length": (asked(CHUNKED + b"Content-Length: 5\r\n", SECOND), 400),
    "two lengths": (asked(SIZED + b"Content-Length: 5\r\n"), 400),
    "a list of lengths": (asked(b"Content-Length: 5, 5\r\n"), 400),
    "a length with a sign": (asked(b"Content-Length: +5\r\n"), 400),
    "a negative length": (asked(b"Content-Length: -1\r\n"), 400),
    "a length in hex": (asked(b"Content-Length: 0x5\r\n"), 400),
    "an unknown coding": (asked(b"Transfer-Encoding: xchunked\r\n", SECOND), 501),
    "a coding with a space": (asked(b"Transfer-Encoding : chunked\r\n", SECOND), 400),
    "a coding after chunks": (asked(CHUNKED + b"Transfer-Encoding: gzip\r\n", CHUNKS), 400),
    "a coding in a tab": (asked(b"Transfer-Encoding:\tchunked\x0b\r\n", CHUNKS), 400),
    "chunks in HTTP/1.0": (asked(CHUNKED, CHUNKS).replace(b"/1.1", b"/1.0", 1), 400),
    "a chunk that is no size": (asked(CHUNKED, b"owned\r\n" + CHUNKS), 400),
    "a negative chunk": (asked(CHUNKED, b"-1\r\n" + CHUNKS), 400),
    "a chunk without its end": (asked(CHUNKED, b"2\r\n{}owned\r\n0\r\n\r\n"), 400),
    "an expectation": (asked(b"Expect: owned\r\n" + SIZED), 417),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_request_is_refused_once_and_nothing_of_it_comes_back(
    site: Site, what: str
) -> None:
    sent, status = REFUSED[what]
    answers = site.answer(sent)
    assert len(answers) == 1
    head, _, body = answers[0].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    for name, value in ALWAYS.items():
        assert f"{name}: {value}".encode() in head
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert b"charset=utf-8" in head or b"application/problem+json" in head
    for secret in (site.token[:20].encode(), b"owned", b"<", b"Traceback", b"gunicorn/"):
        assert secret not in body
        assert secret not in head


CLOSED = b"Connection: close\r\n"


def test_a_body_that_ends_before_its_length_is_not_acted_upon(site: Site) -> None:
    # Ahead of the framework too: by a key that has been seen before.
    assert site.answer(asked(SIZED + CLOSED))[0].startswith(b"HTTP/1.1 200 ")
    (answer,) = site.answer(asked(b"Content-Length: 500\r\n"), then_close=True)
    assert answer.startswith(b"HTTP/1.1 400 ")
    form = b"POST /u/TOKEN HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nContent-Type: %b\r\n\r\n%b"
    kind = b"application/x-www-form-urlencoded"
    (answer,) = site.answer(form % (kind, b"List-Unsubscribe=One-Click"), then_close=True)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_body_over_the_limit_is_refused_before_it_has_come(site: Site) -> None:
    (answer,) = site.answer(asked(b"Content-Length: 99999999999\r\n"), then_close=True)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_chunks_over_the_limit_are_refused_while_they_come(site: Site) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    (answer,) = site.answer(asked(CHUNKED + CLOSED, chunk * 33 + b"0\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_what_follows_a_body_that_was_too_short_is_no_request_of_ours(site: Site) -> None:
    sent = asked(b"Content-Length: 2\r\n", b"[]" + BODY + b"\r\n\r\n")
    answers = site.answer(sent, then_close=True)
    assert [one[:13] for one in answers] == [b"HTTP/1.1 422 ", b"HTTP/1.1 400 "]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (asked(CHUNKED + CLOSED, CHUNKS), 200),
        (asked(CHUNKED + CLOSED, CHUNKS.replace(b"\r\n", b";x=owned\r\n", 1)), 200),
        (asked(SIZED + CLOSED + b"Optout_Tenant: bolt\r\n"), 200),
        (asked(SIZED + CLOSED + b"Optout-Tenant: bolt\r\n"), 404),
        (asked(SIZED + CLOSED + b"X-HTTP-Method-Override: GET\r\n"), 200),
        (GET % b"http://owned.example/u/TOKEN" + b"\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"CONNECT owned.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"TRACE /u/TOKEN HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: owned\r\n\r\n", 405),
        (GET % b"/healthz" + b"Upgrade: h2c, websocket\r\n\r\n", 200),
        (GET % b"/docs/..%2f..%2f..%2fetc%2fpasswd" + b"\r\n", 404),
        (GET % b"/docs/../../../../etc/passwd" + b"\r\n", 404),
        (GET % b"//owned.example/%2e%2e" + b"\r\n", 404),
    ],
)
def test_what_is_odd_and_means_one_thing_is_answered_as_that(
    site: Site, sent: bytes, status: int
) -> None:
    (answer,) = site.answer(sent)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"owned" not in answer
    assert b"\r\nLocation:" not in answer


def test_the_server_says_no_version(site: Site) -> None:
    (answer,) = site.answer(GET % b"/healthz" + b"\r\n")
    assert re.search(rb"\r\nServer: \S*\d|X-Powered-By", answer) is None
