"""Long lists under the real server: what a client sees when something breaks in the middle."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from tests.cast import ANA
from tests.server import Server
from tests.stage import Cast
from tests.store.acts import act

LAST_CHUNK = b"0\r\n\r\n"
LINES = b"".join(b"r%07d@example.com\n" % number for number in range(50_000))
WIDE = b"".join(b"r%d@example.com,%b\n" % (number, b"x" * 1000) for number in range(1000))


class Small(Server):
    """A server whose answers begin after a megabyte, and which waits for nobody long."""

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {
            "OPTOUT_SPOOL_BYTES": "1000000",
            "OPTOUT_STREAM_TIMEOUT_MS": "1500",
        }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Cast]]:
    running = Small(tmp_path_factory.mktemp("streams"))
    cast = running.set_up()
    with running.looking_in() as rt, rt.writing() as connection:
        scope, left = Scope("email", "*", "marketing"), Address.parse(Kind.EMAIL, ANA.email)
        rt.record(connection, act(cast.acme, address=left, scope=scope))
    running.start()
    yield running, cast
    running.stop()


class Call:
    """One request by hand."""

    def __init__(
        self,
        server: tuple[Server, Cast],
        *headers: str,
        version: str = "1.1",
        by: str = "sender",
        media: str = "text/plain",
    ) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server[0].port), timeout=30)
        head = [
            f"POST /v1/scrub?channel=email HTTP/{version}",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {server[1].keys.get(by, by)}",
            f"Content-Type: {media}",
            *headers,
        ]
        self.socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def answer(self) -> bytes:
        """All that comes until the server closes or has nothing more to say."""
        seen = bytearray()
        try:
            while block := self.socket.recv(1 << 20):
                seen += block
                # A request id may end in 0, and so then does a head.
                if seen.endswith(b"\r\n" + LAST_CHUNK) or _complete(bytes(seen)):
                    break
        except ConnectionError:
            pass
        self.socket.close()
        return bytes(seen)


def _complete(seen: bytes) -> bool:
    head, found, body = seen.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(found and length and len(body) >= int(length[1]))


CHUNKED = "Transfer-Encoding: chunked"


def test_a_client_that_sends_all_before_it_reads_gets_all(server: tuple[Server, Cast]) -> None:
    lines = LINES[: 40_000 * 21]
    call = Call(server, f"Content-Length: {len(lines)}", "Connection: close")
    call.socket.sendall(lines)
    answer = call.answer()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.partition(b"\r\n\r\n")[2] == lines


def test_an_answer_that_is_begun_early_ends_with_its_last_chunk(
    server: tuple[Server, Cast],
) -> None:
    call = Call(server, CHUNKED, "Connection: close")
    for _ in range(4):
        call.chunk(LINES)
    call.socket.sendall(LAST_CHUNK)
    answer = call.answer()
    assert b"Transfer-Encoding: chunked" in answer
    assert b"Optout-As-Of: 1" in answer
    assert answer.endswith(LAST_CHUNK)
    assert answer.count(b"@example.com") == 4 * 50_000


@pytest.mark.parametrize("fault", ["cut off", "an open quote's row", "stands still"])
def test_an_answer_that_was_begun_and_fails_is_broken_off(
    server: tuple[Server, Cast], fault: str
) -> None:
    call = Call(server, CHUNKED)
    for _ in range(4):
        call.chunk(LINES)
    if fault == "cut off":
        call.socket.shutdown(socket.SHUT_WR)
    elif fault == "stands still":
        pass
    else:
        call.chunk(b"x" * 70_000)
        call.socket.sendall(LAST_CHUNK)
    answer = call.answer()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Transfer-Encoding: chunked" in answer
    assert not answer.endswith(LAST_CHUNK), "no client may take it for the whole"


@pytest.mark.parametrize(
    "headers",
    [(CHUNKED,), (f"Content-Length: {len(LINES)}",)],
    ids=["chunked", "by length"],
)
def test_a_list_that_is_cut_off_before_the_answer_is_an_error(
    server: tuple[Server, Cast], headers: tuple[str, ...]
) -> None:
    call = Call(server, *headers)
    if headers[0] == CHUNKED:
        call.chunk(LINES[:70_000])
    else:
        call.socket.sendall(LINES[:70_000])
    call.socket.shutdown(socket.SHUT_WR)
    answer = call.answer()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"@example.com" not in answer


def test_a_client_that_stands_still_is_told_and_let_go(server: tuple[Server, Cast]) -> None:
    call = Call(server, CHUNKED)
    call.chunk(LINES[:70_000])
    assert call.answer().startswith(b"HTTP/1.1 400 ")


def test_a_client_that_goes_away_takes_nothing_with_it(server: tuple[Server, Cast]) -> None:
    for _ in range(5):
        call = Call(server, f"Content-Length: {4 * len(LINES)}")
        call.socket.sendall(LINES)
        call.socket.close()
    call = Call(server, f"Content-Length: {len(LINES)}", "Connection: close")
    call.socket.sendall(LINES)
    assert call.answer().startswith(b"HTTP/1.1 200 ")


def test_an_old_client_that_knows_no_chunks_gets_no_part(server: tuple[Server, Cast]) -> None:
    call = Call(server, f"Content-Length: {4 * len(LINES)}", version="1.0")
    call.socket.sendall(4 * LINES)
    answer = call.answer()
    assert answer.split(b" ", 2)[1] == b"413"
    assert b"@example.com" not in answer


def test_a_client_that_asks_first_is_told_to_go_on(server: tuple[Server, Cast]) -> None:
    data = ANA.email.encode() + b"\nb@example.com\n"
    call = Call(server, f"Content-Length: {len(data)}", "Expect: 100-continue", "Connection: close")
    assert call.socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    call.socket.sendall(data)
    answer = call.answer()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nb@example.com\n")


def test_who_may_not_scrub_is_told_so_although_the_list_is_long(
    server: tuple[Server, Cast],
) -> None:
    call = Call(server, f"Content-Length: {len(LINES)}", "Connection: close", by="auditor")
    call.socket.sendall(LINES[:200_000])
    assert call.answer().startswith(b"HTTP/1.1 403 ")


def memory(pid: int) -> int:
    """The most that a process has held, in KiB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def test_a_list_twenty_times_as_long_takes_the_same_memory(server: tuple[Server, Cast]) -> None:
    (worker,) = server[0].workers()

    def pass_through(times: int) -> None:
        call = Call(server, CHUNKED, "Connection: close", media="text/csv")
        answer = bytearray()
        for _ in range(times):
            call.chunk(WIDE)
            # Reads what there is, so that neither side has to hold it.
            call.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while block := call.socket.recv(1 << 20):
                    answer += block
            call.socket.settimeout(30)
        call.socket.sendall(LAST_CHUNK)
        assert (answer + call.answer()).count(b"@example.com") == times * 1000

    pass_through(4)
    before = memory(worker)
    pass_through(80)
    assert memory(worker) - before < 16 * 1024
