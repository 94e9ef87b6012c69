"""The check and a batch over one table and over partitions, in one run, on PostgreSQL.

``python -m tests.bench.parts [--rows N] [--parts N] [--rounds N]``. It asks the store itself, with
no table of digests, since that asks no partition; both databases are up at once and take turns.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from click.testing import CliRunner

from optout_service.cli.main import main as optout
from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from tests.bench import ground
from tests.postgres import PostgreSQL
from tests.server import Server

BATCH = 10_000
CHECKS = 1000
SCOPE = Scope("email", "*", "marketing")


def addresses(first: int, number: int) -> list[Address]:
    """Every second of them is suppressed."""
    names = (f"{'sx'[n % 2]}{n}@example.com" for n in range(first, first + number))
    return [Address.parse(Kind.EMAIL, name) for name in names]


def taken(work: Callable[[], object]) -> float:
    """How many seconds it takes."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


class Laid:
    """One database, and what its rounds took, in milliseconds."""

    def __init__(self, rt: Runtime, tenant: int, rows: int) -> None:
        self._rt, self._tenant, self._rows = rt, tenant, rows
        self.checks: list[float] = []
        self.batches: list[float] = []

    def turn(self, number: int) -> None:
        """A thousand checks, and one batch."""
        asked = addresses(number * BATCH % (self._rows - BATCH), BATCH)
        for address in asked[:CHECKS]:
            self.checks.append(1000 * taken(lambda a=address: self._check(a)))
        self.batches.append(1000 * taken(lambda: self._batch(asked)))

    def _check(self, address: Address) -> None:
        self._rt.check(self._tenant, address, SCOPE)

    def _batch(self, asked: list[Address]) -> None:
        digests = [self._rt.keys.digest(address) for address in asked]
        found, _ = self._rt.check_many(self._tenant, digests, SCOPE)
        assert len(found) == BATCH // 2

    def line(self, name: str) -> str:
        """The row of the table."""
        cells = (
            f"{figure:.{digits}f}"
            for figures, digits in ((self.checks, 3), (self.batches, 0))
            for figure in (min(figures), statistics.median(figures))
        )
        return f"| {name} | {' | '.join(cells)} |"


def laid(server: Server, arguments: argparse.Namespace, parts: int, stack: ExitStack) -> Laid:
    """Fill a database, and lay it out in so many parts."""
    cast = server.set_up()
    ground.fill(server, cast.acme, arguments.rows)
    if parts:
        environ = server.environ | {"OPTOUT_DATA_DIR": str(server.data_dir)}
        command = ["db", "partition", "--count", f"{parts}", "--json"]
        done = CliRunner(env=environ).invoke(optout, command)
        assert done.exit_code == 0, done.output
        print(done.stdout, flush=True)
    return Laid(stack.enter_context(server.looking_in()), cast.acme, arguments.rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.parts", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        postgres = PostgreSQL()
        stack.callback(postgres.remove)
        postgres.start()
        both = []
        for parts in (0, arguments.parts):
            place = Path(name) / str(parts)
            place.mkdir()
            server = Server(place, postgres.create_database(f"parts{parts}"))
            both.append((f"{parts} parts" if parts else "one table", server, parts))
        found = [(title, laid(server, arguments, parts, stack)) for title, server, parts in both]
        for number in range(arguments.rounds):
            for _, one in found:
                one.turn(number)
        print("| | check, ms: quickest | median | batch of 10,000, ms: quickest | median |")
        print("|---|---|---|---|---|")
        for title, one in found:
            print(one.line(title))


if __name__ == "__main__":
    main()
