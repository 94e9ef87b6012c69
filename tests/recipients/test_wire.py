"""One click as bytes on a connection to the real server: what HTTP libraries make of it."""

import socket
from collections.abc import Iterator

import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from tests.server import Server
from tests.stage import Cast

NEWSLETTER = Scope("email", "newsletter", "marketing")
PAIR = b"List-Unsubscribe=One-Click"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
LENGTH = b"Content-Length: 26\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Cast]]:
    running = Server(tmp_path_factory.mktemp("wire"))
    cast = running.set_up()
    running.start()
    yield running, cast
    running.stop()


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


CLIENTS = {
    "as Gmail does": (b"POST %b HTTP/1.1", FORM + LENGTH, PAIR),
    "a slash behind the link": (b"POST %b/ HTTP/1.1", FORM + LENGTH, PAIR),
    "names in lower case": (b"POST %b HTTP/1.1", (FORM + LENGTH).lower(), PAIR),
    "one chunk": (b"POST %b HTTP/1.1", FORM + CHUNKED, chunks(PAIR)),
    "two chunks": (b"POST %b HTTP/1.1", FORM + CHUNKED, chunks(PAIR[:5], PAIR[5:])),
    "no chunk": (b"POST %b HTTP/1.1", CHUNKED, chunks()),
    "an empty body": (b"POST %b HTTP/1.1", b"Content-Length: 0\r\n", b""),
    "no length at all": (b"POST %b HTTP/1.1", b"", b""),
    "HTTP/1.0": (b"POST %b HTTP/1.0", FORM + LENGTH, PAIR),
    "HTTP/1.0 with nothing": (b"POST %b HTTP/1.0", b"", b""),
    "by way of a proxy": (b"POST http://127.0.0.1%b HTTP/1.1", FORM + LENGTH, PAIR),
    "in the query": (b"POST %b?List-Unsubscribe=One-Click HTTP/1.1", b"", b""),
}


def test_it_is_done_when_it_is_answered_however_it_was_sent(server: tuple[Server, Cast]) -> None:
    running, cast = server
    told, stopped = {}, {}
    with running.looking_in() as rt:
        for number, (name, (start, fields, body)) in enumerate(CLIENTS.items()):
            address = Address.parse(Kind.EMAIL, f"r{number}@example.com")
            path = f"/u/{rt.links.mint(Claim(cast.acme, 'email', address, 'newsletter'))}".encode()
            head = start % path + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + fields
            told[name] = sent(running.port, head + b"\r\n" + body)
            stopped[name] = rt.check(cast.acme, address, NEWSLETTER).suppressed
    assert told == dict.fromkeys(CLIENTS, (b"200", b"You are unsubscribed.\n"))
    assert stopped == dict.fromkeys(CLIENTS, True)


def sent(port: int, request: bytes) -> tuple[bytes, bytes]:
    """The status and the body of what a request is answered with."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1], body
