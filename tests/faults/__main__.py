"""All faults, in full: ``python -m tests.faults [--only R1,R5] [--on sqlite] [--dry]``."""

import argparse
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.faults.figures import Figure, Size, Trial
from tests.faults.ground import Ground
from tests.faults.trials import TRIALS
from tests.postgres import PostgreSQL, in_memory

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
MARK: Final = "<!-- below: written by python -m tests.faults -->\n"
_HEAD: Final = "| | fault or load | must hold | on | found | |\n|---|---|---|---|---|---|"


def main() -> None:
    """Try everything that is asked for, print it, and write it into the table of the page."""
    arguments = _arguments()
    size = Size.BOUNDED if arguments.bounded else Size.FULL
    found, broken = {}, 0
    for trial, dialect, figure in _tried(arguments, size):
        found[trial.name, dialect] = written = line(trial, dialect, figure)
        broken += not figure.holds
        print(written, *figure.broken[:20], sep="\n    ", flush=True)
        if not arguments.dry:
            write(size, found)
    sys.exit(1 if broken else 0)


def write(size: Size, found: Mapping[tuple[str, str], str]) -> None:
    """Put lines into the page; what was not tried now stays as it was found before."""
    above, _, below = PAGE.read_text().partition(MARK)
    before = {_key(row): row for row in below.splitlines() if row.startswith("| R")}
    rows = []
    for trial in TRIALS:
        for dialect in trial.dialects:
            old = before.get(_key(line(trial, dialect, Figure(""))))
            if new := found.get((trial.name, dialect), old):
                rows.append(new)
    PAGE.write_text(f"{above}{MARK}\n{_machine(size)}\n\n{_HEAD}\n" + "\n".join(rows) + "\n")


def _key(row: str) -> tuple[str, ...]:
    """What a line is about: all but what was found."""
    return tuple(cell.strip() for cell in row.split("|")[1:5])


def line(trial: Trial, dialect: str, figure: Figure) -> str:
    """The row of the table."""
    where = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "none": "-"}[dialect]
    verdict = "holds" if figure.holds else f"**BROKEN** ({len(figure.broken)})"
    cells = (trial.row, trial.fault, trial.must_hold, where, figure.found, verdict)
    return f"| {' | '.join(cells)} |"


def _tried(arguments: argparse.Namespace, size: Size) -> Iterator[tuple[Trial, str, Figure]]:
    with ExitStack() as stack:

        @cache
        def shared() -> PostgreSQL:
            server = PostgreSQL(folder=in_memory())
            stack.callback(server.remove)
            server.start()
            return server

        for trial in TRIALS:
            for dialect in trial.dialects:
                if _is_wanted(arguments, trial, dialect):
                    with tempfile.TemporaryDirectory() as folder:
                        ground = Ground(dialect, Path(folder), shared)
                        try:
                            yield trial, dialect, _run(trial, ground, size)
                        finally:
                            ground.close()


def _run(trial: Trial, ground: Ground, size: Size) -> Figure:
    """What it found. One that breaks down has not held, and keeps no other from being tried."""
    try:
        return trial.run(ground, size)
    except Exception as fault:
        traceback.print_exc()
        return Figure("it could not be tried to the end", (repr(fault),))


def _is_wanted(arguments: argparse.Namespace, trial: Trial, dialect: str) -> bool:
    rows: Mapping[str, None] = dict.fromkeys(arguments.only.split(",")) if arguments.only else {}
    return (not rows or trial.row in rows) and arguments.on in ("", dialect, "none")


def _machine(size: Size) -> str:
    return (
        f"{time.strftime('%Y-%m-%d')}, in {size.value} size: "
        f"{os.cpu_count()} cores shared by clients, service and database; Python "
        f"{platform.python_version()}, gunicorn {version('gunicorn')}, SQLAlchemy "
        f"{version('sqlalchemy')}, psycopg {version('psycopg')}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="rows, with commas: R1,R5")
    parser.add_argument("--on", default="", choices=("", "sqlite", "postgresql"))
    parser.add_argument("--bounded", action="store_true", help="in the size of the suite")
    parser.add_argument("--dry", action="store_true", help="print only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
