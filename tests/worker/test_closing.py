"""Who is refused while his body still comes reads the answer, and is told that the line ends."""

import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.server import Server
from tests.stage import Cast

LONG = 8 * 1024 * 1024
"""Bytes of a body: more than the kernels of both sides keep."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Cast]]:
    running = Server(tmp_path_factory.mktemp("closing"), OPTOUT_HEAVY_RATE_PER_MINUTE="6")
    cast = running.set_up()
    running.start()
    yield running, cast
    running.stop()


def head(path: str, key: str, length: int) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: text/plain",
        f"Content-Length: {length}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_one_who_sends_on_after_the_refusal_still_reads_it(server: tuple[Server, Cast]) -> None:
    running, _ = server
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as call:
        call.sendall(head("/v1/scrub?channel=email", "no key of ours", LONG))
        # Longer than it was heard out before, with pauses, and to the end.
        for _ in range(8):
            call.sendall(bytes(LONG // 8))
            time.sleep(0.4)
        answer = b"".join(iter(lambda: call.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()


def test_a_connection_that_is_said_to_stay_takes_the_next_request(
    server: tuple[Server, Cast],
) -> None:
    running, cast = server
    addresses = [f"r{number}@example.com" for number in range(10_000)]
    body = json.dumps({"channel": "email", "addresses": addresses})
    headers = {
        "Authorization": f"Bearer {cast.keys['sender']}",
        "Content-Type": "application/json",
    }
    line = HTTPConnection("127.0.0.1", running.port, timeout=20)
    told = []
    for _ in range(12):
        line.request("POST", "/v1/check/batch", body, headers)
        answer = line.getresponse()
        answer.read()
        told.append((answer.status, answer.will_close))
    line.close()
    assert set(told) == {(200, False), (429, True)}


def test_one_whose_body_comes_in_chunks_is_told_that_the_line_ends(
    server: tuple[Server, Cast],
) -> None:
    lines = ("POST /v1/check HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding: chunked")
    with socket.create_connection(("127.0.0.1", server[0].port), timeout=20) as call:
        call.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        answer = call.recv(65536).lower()
    assert answer.startswith(b"http/1.1 401 ")
    assert b"\r\nconnection: close\r\n" in answer


def test_a_small_request_that_is_refused_keeps_its_connection(
    server: tuple[Server, Cast],
) -> None:
    line = HTTPConnection("127.0.0.1", server[0].port, timeout=20)
    line.request("POST", "/v1/check", "{}", {"Content-Type": "application/json"})
    answer = line.getresponse()
    answer.read()
    assert (answer.status, answer.will_close) == (401, False)
    line.close()
