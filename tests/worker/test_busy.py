"""More than can be done in time: senders are told so at once, people are served."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from tests.server import Server
from tests.stage import Cast

CHECK = {"channel": "email", "address": "jo@example.com"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Cast]]:
    narrow = {"OPTOUT_THREADS": "2", "OPTOUT_API_PATIENCE_MS": "100"}
    running = Server(tmp_path_factory.mktemp("busy"), **narrow)
    cast = running.set_up()
    running.start()
    yield running, cast
    running.stop()


@contextmanager
def scrubbing(server: Server, cast: Cast) -> Iterator[None]:
    """Somebody whose list does not end, and who so holds the one thread that the API may hold."""
    with socket.create_connection(("127.0.0.1", server.port)) as call:
        head = (
            "POST /v1/scrub?channel=email HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {cast.keys['sender']}",
            "Content-Type: text/plain",
            "Transfer-Encoding: chunked",
        )
        call.sendall("\r\n".join(head).encode() + b"\r\n\r\n6\r\na@b.c\n\r\n")
        yield


def asked(server: Server, cast: Cast) -> httpx.Response:
    key = {"Authorization": f"Bearer {cast.keys['sender']}"}
    return httpx.post(f"{server.base_url}/v1/check", json=CHECK, headers=key)


def test_a_check_that_would_wait_too_long_is_told_to_come_again(
    server: tuple[Server, Cast],
) -> None:
    with scrubbing(*server):
        answer = asked(*server)
    assert (answer.status_code, answer.json()["kind"]) == (503, "busy")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Connection"] == "close"
    assert asked(*server).status_code == 200


def test_people_are_served_all_the_while(server: tuple[Server, Cast]) -> None:
    running, cast = server
    with running.looking_in() as rt:
        address = Address.parse(Kind.EMAIL, "jo@example.com")
        link = f"{running.base_url}/u/{rt.links.mint(Claim(cast.acme, 'email', address))}"
    with scrubbing(running, cast):
        for _ in range(3):
            assert httpx.get(link).status_code == 200
            assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
            assert httpx.get(f"{running.base_url}/readyz").status_code == 200
