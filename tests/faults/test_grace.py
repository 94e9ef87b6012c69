"""It ends, is reloaded, and changes its workers, and nobody who asked goes without an answer."""

import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from optout_service.core.address import Address
from optout_service.core.keyring import new_key
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from tests.server import ByGunicorn, Server
from tests.stage import Cast

PAIR = {"List-Unsubscribe": "One-Click"}
PATIENCE = 60
MARKETING = Scope("email", "*", "marketing")


def until(there: Callable[[], object]) -> None:
    """Come back when it is so."""
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def address(number: int) -> Address:
    return Address.parse(Kind.EMAIL, f"r{number}@example.com")


class Leaving:
    """People who leave one after the other: some keep their connections, some take new ones."""

    def __init__(self, server: Server, rt: Runtime, cast: Cast) -> None:
        self._server, self._rt, self.tenant = server, rt, cast.acme
        self._numbers = count()
        self._over = threading.Event()
        self.acknowledged: list[int] = []
        self.told: Counter[str] = Counter()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """They do so for as long as the block lasts."""
        with ThreadPoolExecutor(4) as pool:
            people = [pool.submit(self._keep_leaving, kept=n % 2 == 0) for n in range(4)]
            try:
                yield
            finally:
                self._over.set()
        for one in people:
            one.result()

    def further(self, number: int) -> None:
        """Come back when so many more have been told that they left."""
        wanted = len(self.acknowledged) + number
        until(lambda: len(self.acknowledged) >= wanted)

    def _keep_leaving(self, *, kept: bool) -> None:
        headers = {} if kept else {"Connection": "close"}
        with httpx.Client(base_url=self._server.base_url, timeout=30, headers=headers) as client:
            while not self._over.is_set():
                number = next(self._numbers)
                link = self._rt.links.mint(Claim(self.tenant, "email", address(number)))
                try:
                    told = str(client.post(f"/u/{link}", data=PAIR).status_code)
                except httpx.TransportError as fault:
                    told = type(fault).__name__
                self.told[told] += 1
                if told == "200":
                    self.acknowledged.append(number)


@contextmanager
def leaving(server: Server) -> Iterator[Leaving]:
    cast = server.set_up()
    with server.looking_in() as rt:
        people = Leaving(server, rt, cast)
        try:
            server.start()
            with people.leaving():
                people.further(20)
                yield people
        finally:
            server.stop_if_running()
        digests = {rt.keys.digest(address(number)): number for number in people.acknowledged}
        found, _ = rt.check_many(cast.acme, list(digests), MARKETING)
        assert digests.keys() == found.keys()


@pytest.mark.parametrize("kind", [Server, ByGunicorn])
def test_a_reload_under_load_fails_no_request_and_reads_the_keys_anew(
    kind: type[Server], tmp_path: Path
) -> None:
    server = kind(tmp_path)
    with leaving(server) as people:
        before = set(server.workers())
        ring = server.data_dir / "keys" / "signing"
        ring.write_text(f"{ring.read_text().strip()}\n{new_key()}\n")
        server.signal(signal.SIGHUP)
        until(lambda: set(server.workers()).isdisjoint(before) and server.workers())
        people.further(20)
        with server.looking_in() as renewed:
            link = renewed.links.mint(Claim(people.tenant, "email", address(0)))
        assert httpx.get(f"{server.base_url}/u/{link}").status_code == 200
    assert set(people.told) == {"200"}


def test_workers_that_are_recycled_lose_no_request(tmp_path: Path) -> None:
    server = ByGunicorn(tmp_path, OPTOUT_WORKERS="2")
    server.options = ("--max-requests", "25", "--max-requests-jitter", "0")
    with leaving(server) as people:
        before = set(server.workers())
        until(lambda: before.isdisjoint(server.workers()))
        people.further(20)
    assert set(people.told) == {"200"}


def test_who_is_told_that_he_left_while_it_ends_has_left(
    tmp_path: Path, empty_database_url: str
) -> None:
    database = "" if empty_database_url.startswith("sqlite") else empty_database_url
    server = Server(tmp_path, database)
    with leaving(server) as people:
        assert server.stop() == 0
    assert not [told for told in people.told if told.startswith("5")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Server, dict[str, str]]]:
    server = Server(tmp_path)
    keys = server.set_up().keys
    server.start()
    yield server, keys
    server.stop_if_running()


def ending(server: Server) -> "Future[int]":
    """It has been told to end, and takes nobody any more."""
    pool = ThreadPoolExecutor(1)
    status = pool.submit(server.stop)
    pool.shutdown(wait=False)

    def is_closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except ConnectionRefusedError:
            return True
        return False

    until(is_closed)
    return status


def test_a_list_that_is_being_scrubbed_is_answered_before_it_ends(
    served: tuple[Server, dict[str, str]],
) -> None:
    server, keys = served
    half = b"".join(b"r%d@example.com\n" % number for number in range(2000))
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as call:
        head = (
            "POST /v1/scrub?channel=email HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {keys['sender']}",
            "Content-Type: text/plain",
            f"Content-Length: {2 * len(half)}",
        )
        call.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + half)
        status = ending(server)
        call.sendall(half)
        answer = b""
        while block := call.recv(1 << 16):
            answer += block
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(half)
    assert status.result(PATIENCE) == 0


def test_who_waits_for_news_is_answered_before_it_ends(
    served: tuple[Server, dict[str, str]],
) -> None:
    server, keys = served
    headers = {"Authorization": f"Bearer {keys['integration']}"}
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(
            httpx.get, f"{server.base_url}/v1/events?wait=30", headers=headers, timeout=PATIENCE
        )
        # The connection of who waits is the only one that stands.
        until(lambda: established(server.port))
        status = ending(server)
        assert waiter.result(PATIENCE).json() == {"events": [], "next": 0}
    assert status.result(PATIENCE) == 0


def established(port: int) -> int:
    """How many connections to a port of this machine stand."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "01" for row in rows)
