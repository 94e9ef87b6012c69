"""One command for all: ``python -m tests.bench [--rows N] [--rounds N] [--seconds S]``."""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from optout_service.core.token import Links
from tests.bench import asks, ground, load, texts
from tests.bench.asks import Requests
from tests.bench.load import Result
from tests.bench.minting import minting
from tests.postgres import PostgreSQL
from tests.server import Server

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
MARK = "<!-- below: written by python -m tests.bench -->\n"
CONNECTIONS = 32


@dataclass(frozen=True)
class Setup:
    """One database and one number of processes."""

    name: str
    workers: int
    threads: int


@dataclass(frozen=True)
class Measured:
    """One candidate beside its floor, a round each."""

    floor: list[Result]
    candidate: list[Result]
    floor_cpu: list[float]
    candidate_cpu: list[float]

    def line(self, what: str, setup: Setup, aim: str) -> str:
        """The row of the table: medians, and the range of the ratio."""
        kept = self._steady()
        ratios = [self.candidate[n].rate / self.floor[n].rate for n in kept]
        cpu = statistics.median(self.floor_cpu[n] / self.candidate_cpu[n] for n in kept)
        latencies = Result(1, [x for n in kept for x in self.candidate[n].latencies])
        wrong = sum(result.wrong for result in (*self.floor, *self.candidate))
        cells = (
            what,
            f"{setup.name}, {setup.workers} x {setup.threads}",
            f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f})",
            aim,
            f"{cpu:.2f}",
            f"{statistics.median(self.floor[n].rate for n in kept):,.0f}",
            f"{statistics.median(self.candidate[n].rate for n in kept):,.0f}",
            f"{latencies.percentile(0.5):.1f} / {latencies.percentile(0.99):.1f}",
            f"{statistics.median(self.candidate_cpu[n] for n in kept) * 1e6:,.0f}",
            f"{len(kept)} of {len(ratios) if len(kept) == len(self.floor) else len(self.floor)}",
            str(wrong),
        )
        return f"| {' | '.join(cells)} |"

    def _steady(self) -> list[int]:
        """The rounds in which the floor stayed within a third of its median."""
        middle = statistics.median(result.rate for result in self.floor)
        steady = [n for n, r in enumerate(self.floor) if abs(r.rate - middle) <= middle / 3]
        return steady or list(range(len(self.floor)))


def side_by_side(
    ports: tuple[int, int],
    pids: tuple[list[int], list[int]],
    requests: tuple[Requests, Requests],
    arguments: argparse.Namespace,
    connections: int = CONNECTIONS,
) -> Measured:
    """Floor, candidate, floor, candidate ...: what the machine does meanwhile meets both."""
    results: tuple[list[Result], list[Result]] = ([], [])
    cpu: tuple[list[float], list[float]] = ([], [])
    for side in (0, 1):
        load.run(ports[side], requests[side](), connections=connections, seconds=1)
    for _ in range(arguments.rounds):
        for side in (0, 1):
            before = ground.cpu_seconds(pids[side])
            result = load.run(
                ports[side], requests[side](), connections=connections, seconds=arguments.seconds
            )
            used = ground.cpu_seconds(pids[side]) - before
            results[side].append(result)
            cpu[side].append(max(used, 0.01) / len(result.latencies))
    return Measured(results[0], results[1], cpu[0], cpu[1])


def measure(
    setup: Setup,
    server: Server,
    database: list[int],
    arguments: argparse.Namespace,
    tenant: int,
    key: str,
) -> Iterator[str]:
    """The rows of one set-up."""
    with ExitStack() as stack:
        server.start()
        stack.callback(server.stop)
        port, pid = stack.enter_context(ground.floor(server, setup.workers))
        with server.looking_in() as rt:
            links = Links(rt.keys)
        ports, pids = (port, server.port), ([pid], [server.pid, *database])
        sqlite = setup.name == "SQLite"
        yield side_by_side(
            ports,
            pids,
            (
                asks.checks(key, arguments.rows, floor=True),
                asks.checks(key, arguments.rows, floor=False),
            ),
            arguments,
        ).line("check", setup, "0.85" if sqlite else "0.6")
        both = asks.batches(key, arguments.rows)
        yield side_by_side(ports, pids, (both, both), arguments, connections=1).line(
            "batch of 10,000", setup, "-"
        )
        yield side_by_side(
            ports,
            pids,
            (asks.clicks(links, tenant, floor=True), asks.clicks(links, tenant, floor=False)),
            arguments,
        ).line("one-click POST", setup, "0.6, p99 50 ms" if sqlite else "0.55")
        shown = asks.pages(links, tenant)
        yield side_by_side(ports, pids, (shown, shown), arguments).line("page GET", setup, "-")
        both = asks.hooks(server.base_url)
        yield side_by_side(ports, pids, (both, both), arguments).line("signed STOP", setup, "-")


def on(setup: Setup, arguments: argparse.Namespace) -> Iterator[str]:
    """Prepare one set-up, and measure it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url, database = "", []
        if setup.name == "PostgreSQL":
            postgres = PostgreSQL()
            stack.callback(postgres.remove)
            postgres.start()
            url, database = postgres.create_database("bench"), [postgres.pid]
        server = Server(Path(folder), url, workers=setup.workers)
        cast = server.set_up()
        ground.fill(server, cast.acme, arguments.rows)
        yield from measure(setup, server, database, arguments, cast.acme, cast.keys["sender"])


def main() -> None:
    """Measure, print, and write the lower part of docs/performance.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="suppressions in the table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--dry", action="store_true", help="print only")
    arguments = parser.parse_args()
    head = (
        "| what | on, processes x threads | ratio to the floor (range) | aim | CPU ratio "
        "| floor /s | ours /s | p50 / p99 ms | CPU us each | rounds kept | wrong |"
    )
    lines = [_machine(arguments), "", head, "|" + "---|" * 11]
    for setup in (Setup("SQLite", 1, 16), Setup("SQLite", 2, 16), Setup("PostgreSQL", 2, 8)):
        for line in on(setup, arguments):
            lines.append(line)
            print(line, flush=True)
    lines += ["", minting(), "", texts.classifying()]
    text = "\n".join(lines) + "\n"
    print(text)
    if not arguments.dry:
        PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + "\n" + text)


def _machine(arguments: argparse.Namespace) -> str:
    names = ("flask", "gunicorn", "sqlalchemy", "psycopg", "msgspec")
    return (
        f"{time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores shared by client, server and "
        f"database; Python {platform.python_version()}, "
        f"{', '.join(f'{name} {version(name)}' for name in names)}; "
        f"{arguments.rows:,} suppressions, one address in ten suppressed; {CONNECTIONS} "
        f"connections kept (one for the batch); {arguments.rounds} rounds of "
        f"{arguments.seconds:g} s each side, interleaved; SQLite in WAL with synchronous=FULL, "
        "PostgreSQL over TCP with fsync on; a log line for each request."
    )


if __name__ == "__main__":
    main()
