"""The check and a batch at ten thousand, a million and ten million suppressions, in one run.

``python -m tests.bench.growth [--sizes N ...] [--rounds N] [--seconds S] [--without postgresql]``.
All sizes of one kind of database are up at once and take turns; every answer is looked at.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from optout_service.runtime import Runtime
from tests.bench import asks, ground, load
from tests.postgres import PostgreSQL
from tests.server import Server

SIZES = (10_000, 1_000_000, 10_000_000)


@dataclass
class Sized:
    """A service on a table of one size, and what its rounds took, in seconds."""

    rows: int
    server: Server
    key: str
    row_bytes: float
    checks: list[float] = field(default_factory=list)
    check_cpu: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)
    batch_cpu: list[float] = field(default_factory=list)

    def turn(self, database: list[int], seconds: float) -> None:
        """One round of checks, and one of batches."""
        asked = asks.checks(self.key, self.rows, floor=False)
        for requests, connections, taken, cpu in (
            (asked, 16, self.checks, self.check_cpu),
            (asks.batches(self.key, self.rows), 1, self.batches, self.batch_cpu),
        ):
            before = ground.cpu_seconds([self.server.pid, *database])
            result = load.run(
                self.server.port, requests(), connections=connections, seconds=seconds
            )
            assert result.wrong == 0
            used = ground.cpu_seconds([self.server.pid, *database]) - before
            taken.append(1 / result.rate)
            cpu.append(used / len(result.latencies))

    def line(self, kind: str, smallest: "Sized") -> str:
        """The row of the table."""
        grown = statistics.median(
            one / first for one, first in zip(self.checks, smallest.checks, strict=True)
        )
        return (
            f"| {kind} | {self.rows:,} | {1 / statistics.median(self.checks):,.0f} "
            f"| {statistics.median(self.check_cpu) * 1e6:.0f} | **{grown:.2f}** "
            f"| {statistics.median(self.batches) * 1000:.0f} "
            f"| {statistics.median(self.batch_cpu) * 1000:.0f} | {self.row_bytes:.0f} |"
        )


def prepared(
    kind: str, sizes: list[int], folder: Path, postgres: PostgreSQL | None, stack: ExitStack
) -> Iterator[Sized]:
    """A service for each size, with its table of digests where it gets one."""
    for rows in sizes:
        place = folder / f"{kind}-{rows}"
        place.mkdir()
        server = Server(place, postgres.create_database(f"rows{rows}") if postgres else "")
        cast = server.set_up()
        ground.fill(server, cast.acme, rows)
        with server.looking_in() as rt:
            if rows >= rt.settings.table_rows:
                rt.tables.build(cast.acme)
            size = _bytes(server, rt)
        server.start()
        stack.callback(server.stop)
        yield Sized(rows, server, cast.keys["sender"], size / rows)


def _bytes(server: Server, rt: Runtime) -> float:

    if rt.database.dialect == "sqlite":
        return sum(path.stat().st_size for path in server.data_dir.glob("optout.db*"))
    with rt.reading() as connection:
        found = connection.execute(text("SELECT pg_total_relation_size('suppression')"))
        return float(found.scalar_one())


def on(kind: str, arguments: argparse.Namespace) -> None:
    """Measure one kind of database, and print."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        postgres = None
        if kind == "PostgreSQL":
            postgres = PostgreSQL()
            stack.callback(postgres.remove)
            postgres.start()
        database = [postgres.pid] if postgres else []
        found = list(prepared(kind, arguments.sizes, Path(name), postgres, stack))
        for _ in range(arguments.rounds):
            for one in found:
                one.turn(database, arguments.seconds)
        for one in found:
            print(one.line(kind, found[0]), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "sqlite"])
    arguments = parser.parse_args()
    print(f"{arguments.rounds} rounds of {arguments.seconds:g} s, {os.cpu_count()} cores\n")
    print(
        "| on | suppressions | checks /s | CPU us a check | time of a check, to the smallest "
        "| batch of 10,000, ms | CPU ms a batch | bytes a row |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in ("SQLite", "PostgreSQL"):
        if kind.lower() not in arguments.without:
            on(kind, arguments)


if __name__ == "__main__":
    main()
