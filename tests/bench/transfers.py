"""A million rows in, out, and along the feed, over HTTP: time, CPU, and the server's memory.

``python -m tests.bench.transfers [--rows N] [--without postgresql ...]``. Every answer is counted.
"""

import argparse
import http.client
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench import ground
from tests.postgres import PostgreSQL
from tests.server import Server

BLOCK: Final = 1 << 20


class Caller:
    """One client on one connection, with a key."""

    def __init__(self, server: Server, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=3600)
        self._key = {"Authorization": f"Bearer {key}"}

    def send(self, path: str, body: Iterator[bytes]) -> bytes:
        """POST lines, in chunks as they are made."""
        headers = self._key | {"Content-Type": "text/plain"}
        self._connection.request("POST", path, body=body, headers=headers, encode_chunked=True)
        return self._answer().read()

    def lines(self, path: str) -> int:
        """GET, and count the lines of the answer."""
        self._connection.request("GET", path, headers=self._key)
        answer = self._answer()
        return sum(block.count(b"\n") for block in iter(lambda: answer.read(BLOCK), b""))

    def get(self, path: str) -> bytes:
        """GET a small answer."""
        self._connection.request("GET", path, headers=self._key)
        return self._answer().read()

    def _answer(self) -> http.client.HTTPResponse:
        answer = self._connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer


def addresses(rows: int) -> Iterator[bytes]:
    """A list, in pieces."""
    for start in range(0, rows, 10_000):
        stop = min(start + 10_000, rows)
        yield b"".join(b"recipient%d@example.com\n" % number for number in range(start, stop))


def follow(caller: Caller, rows: int) -> None:
    """Read the feed from its beginning, a thousand events at a time."""
    after = seen = 0
    while True:
        page = json.loads(caller.get(f"/v1/events?after={after}&limit=1000"))
        if not page["events"]:
            break
        seen += len(page["events"])
        after = page["next"]
    assert seen == rows, seen


def take_in(caller: Caller, rows: int, *, again: bool) -> None:
    """Import the list; ``again``: it stands already."""
    told = json.loads(caller.send("/v1/imports?channel=email", addresses(rows)))
    assert told["unchanged" if again else "added"] == rows, told


def take_out(caller: Caller, rows: int, format_: str) -> None:
    """Export all of it."""
    lines = caller.lines(f"/v1/suppressions/export?format={format_}")
    assert lines == rows + (format_ == "csv"), lines


def memory(server: Server) -> tuple[int, int]:
    """What the worker holds of its own, and has held at most with what it maps, in MiB."""
    status = Path(f"/proc/{server.workers()[0]}/status").read_text()
    found = [re.search(rf"{name}:\s+(\d+)", status) for name in ("RssAnon", "VmHWM")]
    own, most = (int(one[1]) // 1024 if one else 0 for one in found)
    return own, most


def measure(server: Server, database: list[int], keys: dict[str, str], rows: int) -> Iterator[str]:
    """A row of the table for each thing that is done."""
    caller = Caller(server, keys["integration"])
    caller.get("/v1/events")
    steps: dict[str, Callable[[], None]] = {
        "import": lambda: take_in(caller, rows, again=False),
        "the same import again": lambda: take_in(caller, rows, again=True),
        "export, sha256": lambda: take_out(caller, rows, "sha256"),
        "export, csv": lambda: take_out(caller, rows, "csv"),
        "export, ndjson": lambda: take_out(caller, rows, "ndjson"),
        "the feed, 1,000 at a time": lambda: follow(caller, rows),
    }
    for name, step in steps.items():
        used, started = ground.cpu_seconds([server.pid, *database]), time.perf_counter()
        step()
        took = time.perf_counter() - started
        cpu = ground.cpu_seconds([server.pid, *database]) - used
        cells = (name, f"{took:.1f}", f"{rows / took:,.0f}", f"{cpu / rows * 1e6:.0f}")
        yield "| {} | {} | {} | {} | {} | {} |".format(*cells, *memory(server))


def on(kind: str, arguments: argparse.Namespace) -> None:
    """Measure on one kind of database, and print."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url, database = "", []
        if kind == "PostgreSQL":
            postgres = PostgreSQL()
            stack.callback(postgres.remove)
            postgres.start()
            url, database = postgres.create_database("bench"), [postgres.pid]
        server = Server(Path(folder), url)
        cast = server.set_up()
        server.start()
        stack.callback(server.stop)
        print(f"\n{kind}, one process; at rest the worker holds {memory(server)[0]} MiB\n")
        print("| what | s | rows a second | CPU us a row | own MiB | MiB at most, mapped too |")
        print("|---|---|---|---|---|---|")
        for line in measure(server, database, cast.keys, arguments.rows):
            print(line, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.transfers", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "sqlite"])
    arguments = parser.parse_args()
    print(f"{arguments.rows:,} rows, {os.cpu_count()} cores")
    for kind in ("SQLite", "PostgreSQL"):
        if kind.lower() not in arguments.without:
            on(kind, arguments)


if __name__ == "__main__":
    main()
