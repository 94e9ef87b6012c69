"""Law 1 and law 2 under SIGKILL: what was acknowledged is there, whatever dies and whenever."""

import random
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from optout_service import keyfiles
from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import chain, feed
from tests.server import Server

OPT_OUTS = 1000
KILLS = 20
CLIENTS = 8
MARKETING = Scope("email", "*", "marketing")


@pytest.fixture
def server(tmp_path: Path, empty_database_url: str) -> Iterator[Server]:
    sqlite = empty_database_url.startswith("sqlite")
    running = Server(tmp_path, "" if sqlite else empty_database_url, workers=1 if sqlite else 2)
    yield running
    running.stop()


def test_no_acknowledged_opt_out_is_lost_when_the_server_is_killed(
    server: Server,
) -> None:
    acme = server.set_up().acme
    server.start()
    rt = Runtime.build(server.settings, keyfiles.load(server.settings))
    acknowledged: list[str] = []
    numbers = count()
    done = threading.Event()

    def click() -> None:
        with httpx.Client(timeout=10) as client:
            while not done.is_set():
                address = f"r{next(numbers)}@example.com"
                claim = Claim(acme, "email", Address.parse(Kind.EMAIL, address))
                url = f"{server.base_url}/u/{rt.links.mint(claim)}"
                try:
                    answer = client.post(url, data={"List-Unsubscribe": "One-Click"})
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue
                if answer.status_code == 200:
                    acknowledged.append(address)

    clients = [threading.Thread(target=click) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        chance = random.Random(8058)
        for number in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.4))
            if number % 2:
                server.kill_a_worker()
            else:
                server.kill()
                server.start()
        patience = time.monotonic() + 60
        while len(acknowledged) < OPT_OUTS and time.monotonic() < patience:
            time.sleep(0.1)
    finally:
        done.set()
        for client in clients:
            client.join()
    assert len(acknowledged) >= OPT_OUTS
    digests = {
        rt.keys.digest(Address.parse(Kind.EMAIL, address)): address for address in acknowledged
    }
    found, as_of = rt.check_many(acme, list(digests), MARKETING)
    assert [address for digest, address in digests.items() if digest not in found] == []
    with rt.reading() as connection:
        verified = chain.verify(connection, acme, rt.keys)
        numbers_seen = _whole_feed(rt, acme)
    assert verified.whole
    assert verified.events == as_of
    assert numbers_seen == list(range(1, as_of + 1))
    rt.close()


def _whole_feed(rt: Runtime, tenant: int) -> list[int]:
    seen: list[int] = []
    while True:
        with rt.reading() as connection:
            page = feed.page(
                connection,
                tenant,
                after=seen[-1] if seen else 0,
                limit=1000,
                keys=rt.keys,
            )
        if not page:
            return seen
        seen += (event.number for event in page)
