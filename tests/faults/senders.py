"""Senders who ask without a pause: a process of its own, beside the people who opt out.

``python -m tests.faults.senders PORT SECONDS``, with the keys as JSON on standard input; what they
were told, on standard output. None of them heeds a Retry-After: it could not get worse.
"""

import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from typing import Any, Final

from tests.bench import load

CHECKS: Final = 150
"""Connections that ask for one address at a time."""

LISTED: Final = 10_000
"""Addresses in a batch, and lines of a list."""

TURNED_AWAY: Final = ("429", "503")
"""What they are told when there is too much to do. It must say when to come again."""

_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Asks:
    """Connections that all ask the same."""

    name: str
    connections: int
    method: str
    path: str
    body: bytes = b""
    media: str = "application/json"


def long_ones() -> tuple[Asks, ...]:
    """All that takes long, and holds a thread as long."""
    addresses = [f"r{number}@example.com" for number in range(LISTED)]
    lines = "\n".join(addresses).encode()
    batch = json.dumps({"channel": "email", "addresses": addresses}).encode()
    links = [{"channel": "email", "address": address} for address in addresses[:2000]]
    plain = "text/plain"
    return (
        Asks("batch", 24, "POST", "/v1/check/batch", batch),
        Asks("links", 6, "POST", "/v1/links/batch", json.dumps({"links": links}).encode()),
        Asks("scrub", 8, "POST", "/v1/scrub?channel=email", 10 * lines, plain),
        Asks("import", 2, "POST", "/v1/imports?channel=email", lines, plain),
        Asks("export", 4, "GET", "/v1/suppressions/export?format=csv"),
        Asks("feed", 12, "GET", "/v1/events?after=1000000000&wait=5"),
    )


class Senders:
    """All of them, and what they were told."""

    def __init__(self, port: int, keys: list[str], seconds: float) -> None:
        self._port = port
        self._keys = cycle(keys)
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._told: Counter[str] = Counter()
        self._lock = threading.Lock()

    def run(self) -> dict[str, int]:
        """Ask until the time is up. What was answered, by what was asked and the status."""
        threads = [
            threading.Thread(target=self._keep_asking, args=(asks, next(self._keys)))
            for asks in long_ones()
            for _ in range(asks.connections)
        ]
        for thread in threads:
            thread.start()
        self._check()
        for thread in threads:
            thread.join()
        return dict(self._told)

    def _check(self) -> None:
        body = json.dumps({"channel": "email", "address": "r1@example.com"}).encode()
        asked = [
            load.post("/v1/check", body, "application/json", b"", f"Authorization: Bearer {key}")
            for key, _ in zip(self._keys, range(CHECKS), strict=False)
        ]
        result = load.run(self._port, cycle(asked), connections=CHECKS, seconds=self._seconds)
        for status, times in result.statuses.items():
            self._note(f"check {status}", times)

    def _keep_asking(self, asks: Asks, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": asks.media}
        line = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        while time.monotonic() < self._until:
            self._note(f"{asks.name} {_ask(line, asks, headers)}")
        line.close()

    def _note(self, what: str, times: int = 1) -> None:
        with self._lock:
            self._told[what] += times


def _ask(line: HTTPConnection, asks: Asks, headers: dict[str, str]) -> str:
    try:
        line.request(asks.method, asks.path, asks.body or None, headers)
        answer = line.getresponse()
        answer.read()
    except (OSError, HTTPException) as fault:
        line.close()
        return type(fault).__name__
    status = str(answer.status)
    silent = status in TURNED_AWAY and "Retry-After" not in answer.headers
    return f"{status} without Retry-After" if silent else status


def main() -> None:
    """As the module says."""
    keys: Any = json.load(sys.stdin)
    print("begun", flush=True)
    told = Senders(int(sys.argv[1]), keys, float(sys.argv[2])).run()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
