"""A million rows over HTTP against ten million suppressions, beside what a user would do instead.

``python -m tests.bench.scrub [--rows N] [--suppressed N] [--rounds N] [--without postgresql ...]``
Needs the extras ``dev`` and ``bench``. All ways get the same list in one run, each in turn; every
answer is counted.
"""

import argparse
import http.client
import multiprocessing
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import ground, scrub_peers
from tests.postgres import PostgreSQL
from tests.server import Server

Way = Callable[[Path], tuple[float, float]]
"""Writes the allowed rows to a file; gives seconds, and the seconds of CPU."""


def write_lists(folder: Path, rows: int, suppressed: int) -> tuple[Path, Path]:
    """The list, one row in ten suppressed, and the suppressed."""
    listed, gone = folder / "list.csv", folder / "suppressed.csv"
    with listed.open("w") as file:
        file.write("email,name,city\n")
        for number in range(rows):
            hit = number % 10 == 0
            name = f"s{number * 37 % suppressed}" if hit else f"r{number}"
            file.write(f"{name}@example.com,Person {number},London\n")
    with gone.open("w") as file:
        file.write("email\n")
        file.writelines(f"s{number}@example.com\n" for number in range(suppressed))
    return listed, gone


def over_http(server: Server, database: list[int], key: str, listed: Path) -> Way:
    """The service, as a client with the file would ask it."""

    def ask(out: Path) -> tuple[float, float]:
        before = ground.cpu_seconds([server.pid, *database])
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, blocksize=1 << 20)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
        headers["Content-Length"] = str(listed.stat().st_size)
        with listed.open("rb") as file, out.open("wb") as written:
            connection.request("POST", "/v1/scrub?channel=email", body=file, headers=headers)
            answer = connection.getresponse()
            while block := answer.read(1 << 20):
                written.write(block)
        connection.close()
        assert answer.status == 200, answer.status
        took = time.perf_counter() - started
        return took, ground.cpu_seconds([server.pid, *database]) - before

    return ask


def apart(run: Any, *arguments: Any, database: tuple[int, ...] = ()) -> Way:
    """A peer, in a process of its own."""

    def measured(out: Path) -> tuple[float, float]:
        before = ground.cpu_seconds(list(database)) if database else 0.0
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(int)  # the process is up, its imports are done
            took, used = pool.apply(scrub_peers.seconds, (run, *arguments, out))
        after = ground.cpu_seconds(list(database)) if database else 0.0
        return took, used + after - before

    return measured


def most_memory(server: Server) -> dict[int, int]:
    """The most that each worker has held by now, in MiB."""
    found = {}
    for pid in server.workers():
        status = Path(f"/proc/{pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        found[pid] = int(peak[1]) // 1024 if peak else 0
    return found


def own_memory(server: Server) -> int:
    """What the first worker holds for itself alone now, mapped files aside, in MiB."""
    status = Path(f"/proc/{server.workers()[0]}/status").read_text()
    held = re.search(r"RssAnon:\s+(\d+)", status)
    return int(held[1]) // 1024 if held else 0


def await_table(server: Server, ask: Way, out: Path) -> float:
    """Ask once, which has the table made aside, and wait for it: how long it took."""
    ask(out)
    started = time.perf_counter()
    while not list((server.data_dir / "cache").glob("*.digests")):
        time.sleep(0.1)
    return time.perf_counter() - started


def lines_of(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scrub", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the list")
    parser.add_argument("--suppressed", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "sqlite"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        listed, gone = write_lists(folder, arguments.rows, arguments.suppressed)
        ways: dict[str, Way] = {
            "DuckDB, anti-join of two CSV files": apart(scrub_peers.duckdb_files, listed, gone)
        }
        notes = []
        for kind in ("SQLite", "PostgreSQL"):
            if kind.lower() not in arguments.without:
                notes.append(_prepare(kind, folder, listed, gone, ways, stack, arguments))
        report(ways, folder, arguments)
        print("\n".join(note() for note in notes))


def _prepare(
    kind: str,
    folder: Path,
    listed: Path,
    gone: Path,
    ways: dict[str, Way],
    stack: ExitStack,
    arguments: argparse.Namespace,
) -> Callable[[], str]:
    url, database = "", []
    if kind == "PostgreSQL":
        postgres = PostgreSQL()
        stack.callback(postgres.remove)
        postgres.start()
        url, database = postgres.create_database("bench"), [postgres.pid]
        mine = postgres.create_database("mine")
        scrub_peers.prepare_postgresql(mine, gone)
        ways["PostgreSQL: COPY, NOT EXISTS, COPY"] = apart(
            scrub_peers.postgresql, mine, listed, database=(postgres.pid,)
        )
    else:
        scrub_peers.prepare_sqlite(folder / "peer.db", gone)
        ways["Python csv and SQLite, IN in chunks"] = apart(
            scrub_peers.sqlite, folder / "peer.db", listed
        )
    (folder / kind).mkdir()
    server = Server(folder / kind, url)
    cast = server.set_up()
    ground.fill(server, cast.acme, arguments.suppressed)
    server.start()
    stack.callback(server.stop)
    ask = over_http(server, database, cast.keys["sender"], listed)
    exact = ask(folder / "out")
    made = await_table(server, ask, folder / "out")
    before = own_memory(server)
    ways[f"optout, HTTP, {kind}"] = ask
    return lambda: (
        f"{kind}: before there was a table {exact[0]:.2f} s (CPU {exact[1]:.2f}); the table was "
        f"made aside in {made:.1f} s; the worker held {before} MiB of its own before, "
        f"{own_memory(server)} after, {max(most_memory(server).values())} with what it "
        "maps at most."
    )


def report(ways: dict[str, Way], folder: Path, arguments: argparse.Namespace) -> None:
    """Each way in turn, some rounds; medians."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            out = folder / "out"
            took[name].append(way(out))
            kept = lines_of(out) - 1
            expected = arguments.rows - len(range(0, arguments.rows, 10))
            assert kept == expected, f"{name}: {kept} rows"
    first = [seconds for seconds, _ in next(iter(took.values()))]
    print(
        f"{arguments.rows:,} rows, {arguments.suppressed:,} suppressed, {arguments.rounds} rounds, "
        f"{os.cpu_count()} cores\n\n| way | s (range) | CPU s | times as fast as DuckDB (range) |\n"
        "|---|---|---|---|"
    )
    for name, measured in took.items():
        seconds = [one for one, _ in measured]
        ratios = [floor / one for floor, one in zip(first, seconds, strict=True)]
        print(
            f"| {name} | {statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) "
            f"| {statistics.median(used for _, used in measured):.2f} "
            f"| **{statistics.median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f}) |"
        )


if __name__ == "__main__":
    main()
