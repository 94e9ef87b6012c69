"""The ground to measure on: a filled database, the service, and the floor beside it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from tests.server import Server, free_port


def fill(server: Server, tenant: int, rows: int) -> None:
    """Put ``s0@example.com`` and so on into the state, past the ledger: an hour's work else."""
    with server.looking_in() as rt:
        digests = sorted(
            rt.keys.digest(Address.parse(Kind.EMAIL, f"s{number}@example.com"))
            for number in range(rows)
        )
        rest = (tenant, 1, "*", 1, 1, 8, 1_700_000_000_000_000, 0)
        if rt.database.dialect == "sqlite":
            marks = ", ".join("?" * (1 + len(rest)))
            with rt.writing() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                made = ((digest, *rest) for digest in digests)
                driver.executemany(f"INSERT INTO suppression VALUES ({marks})", made)
        else:
            url = server.settings.effective_database_url.reveal()
            with psycopg.connect(url) as connection:
                with connection.cursor().copy("COPY suppression FROM STDIN BINARY") as copy:
                    copy.set_types(
                        ["bytea", "int4", "int2", "varchar", "int2", "int2", "int2", "int8", "int8"]
                    )
                    for digest in digests:
                        copy.write_row((digest, *rest))
                connection.commit()
        _analyse(rt)


def _analyse(rt: Runtime) -> None:
    with rt.writing() as connection:
        connection.execute(text("ANALYZE"))


@contextmanager
def floor(server: Server, workers: int) -> Iterator[tuple[int, int]]:
    """The floor beside a server, with its settings: its port and process id."""
    port = free_port()
    environ = server.environ | {"OPTOUT_PORT": str(port), "OPTOUT_WORKERS": str(workers)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.floor"],
        env=environ,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(roots: list[int]) -> float:
    """What these processes and their children have used, in seconds; the dead ones' share too."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            # utime, stime, and what its children that ended had used (proc_pid_stat(5)).
            used[int(folder.name)] = sum(map(int, fields[11:15]))
    wanted = set(roots)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in wanted} - wanted
        wanted |= more
        grown = bool(more)
    return sum(used.get(pid, 0) for pid in wanted) / os.sysconf("SC_CLK_TCK")
