"""The primary dies under load, and its standby takes over: what was acknowledged, what was said.

Two nodes of the real service take opt-outs and answer checks all the while. Each opt-out is noted
when its acknowledgement has come in; each check asks, of either node, about one that was noted
before. So "allowed" is a fault, whatever happens to the database.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path

import httpx

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from tests.scaling.pair import Pair
from tests.server import Server

MARKETING = Scope("email", "*", "marketing")
_WRITERS, _CHECKERS = 3, 3


@dataclass
class History:
    """What clients saw, in the order in which it came in."""

    acknowledged: list[str] = field(default_factory=list)
    acknowledged_at: list[float] = field(default_factory=list)
    checked: int = 0
    said_allowed: list[str] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)

    def await_acknowledged(self, number: int) -> None:
        """Wait until so many were. Raises AssertionError."""
        deadline = time.monotonic() + 30
        while len(self.acknowledged) < number:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} opt-outs, not {number}"
            time.sleep(0.02)

    def longest_gap(self) -> float:
        """Seconds between two acknowledgements, at most."""
        times = self.acknowledged_at
        return max((b - a for a, b in pairwise(times)), default=float("inf"))


@contextmanager
def load(nodes: Sequence[str], key: str) -> Iterator[History]:
    """Opt-outs and checks at these nodes, for as long as the block takes."""
    history, over, numbers = History(), threading.Event(), count()
    headers = {"Authorization": f"Bearer {key}"}

    def repeat(act: Callable[[httpx.Client, str], None]) -> None:
        turns = iter(range(10**9))
        with httpx.Client(headers=headers, timeout=15) as client:
            while not over.is_set():
                try:
                    act(client, nodes[next(turns) % len(nodes)])
                except httpx.TransportError:
                    history.refused[0] = history.refused.get(0, 0) + 1

    def opt_out(client: httpx.Client, node: str) -> None:
        address = f"r{next(numbers)}@example.com"
        answer = client.post(f"{node}/v1/opt-outs", json={"channel": "email", "address": address})
        if answer.status_code in (200, 201):
            history.acknowledged.append(address)
            history.acknowledged_at.append(time.monotonic())
        else:
            _refused(history, answer)

    def check(client: httpx.Client, node: str) -> None:
        if not history.acknowledged:
            return
        # The newest of all is what a standby that is behind would not know.
        address = random.choice(history.acknowledged[-20:])
        answer = client.post(f"{node}/v1/check", json={"channel": "email", "address": address})
        if answer.status_code != 200:
            return _refused(history, answer)
        history.checked += 1
        if not answer.json()["suppressed"]:
            history.said_allowed.append(address)

    threads = [threading.Thread(target=repeat, args=(opt_out,)) for _ in range(_WRITERS)]
    threads += [threading.Thread(target=repeat, args=(check,)) for _ in range(_CHECKERS)]
    for thread in threads:
        thread.start()
    try:
        yield history
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _refused(history: History, answer: httpx.Response) -> None:
    history.refused[answer.status_code] = history.refused.get(answer.status_code, 0) + 1
    time.sleep(0.02)


@contextmanager
def nodes(folder: Path, url: str) -> Iterator[tuple[Server, Server, str]]:
    """Two nodes of the service over one database, and an integration's key."""
    homes = [folder / name for name in ("a", "b")]
    for home in homes:
        home.mkdir(mode=0o700)
    first = Server(homes[0], url)
    cast = first.set_up()
    shared = {
        f"OPTOUT_{name}_FILE": str(homes[0] / "keys" / name.lower().removesuffix("_keys"))
        for name in ("PEPPER", "ENCRYPTION_KEYS", "SIGNING_KEYS")
    }
    second = Server(homes[1], url, **shared)
    try:
        with ThreadPoolExecutor() as both:
            list(both.map(Server.start, (first, second)))
        yield first, second, cast.keys["integration"]
    finally:
        first.stop_if_running()
        second.stop_if_running()


def lost(rt: Runtime, tenant: int, history: History) -> list[str]:
    """Those of the acknowledged that the database does not know."""
    known = {rt.keys.digest(Address.parse(Kind.EMAIL, one)): one for one in history.acknowledged}
    found, _ = rt.check_many(tenant, list(known), MARKETING)
    return [address for digest, address in known.items() if digest not in found]


def kill_and_promote(pair: Pair) -> None:
    """The primary is gone between two instructions, and the standby is told at once."""
    pair.primary.kill()
    pair.standby.promote()
