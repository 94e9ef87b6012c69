"""R5 on SQLite: the file gone, locked, not to be written, damaged, another's."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.suffering import Fault
from tests.server import Server


@dataclass(frozen=True)
class Harm:
    """What can be done to a file of SQLite that a server has open, and undone."""

    path: Path
    server: Server

    def faults(self) -> tuple[Fault, ...]:
        """Those that pass by themselves when they are over."""
        return (
            Fault("the file gone", self._gone),
            Fault("locked to write", lambda: self._locked("IMMEDIATE"), reads=True, suite=False),
            Fault("locked exclusively", lambda: self._locked("EXCLUSIVE"), reads=True),
            Fault("every write failing", self._not_writable, reads=True),
            Fault("a page of the state damaged", self._damaged),
            Fault("another pepper's", self._other_pepper),
        )

    @contextmanager
    def _gone(self) -> Iterator[None]:
        away = self.path.parent / "away"
        away.mkdir()
        move(self.path, away)
        yield
        move(away / self.path.name, self.path.parent)
        away.rmdir()

    @contextmanager
    def _locked(self, how: str) -> Iterator[None]:
        with self._opened() as connection:
            connection.execute(f"BEGIN {how}")
            yield

    @contextmanager
    def _not_writable(self) -> Iterator[None]:
        """No file may grow or be written beyond its first byte: root passes over chmod, and the
        kernel over remounting what is open."""
        pids = self.server.workers()
        for pid in pids:
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, most))
        yield
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))

    @contextmanager
    def _damaged(self) -> Iterator[None]:
        """Pages of the table of suppressions, overwritten in the file."""
        with self._opened() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (page,) = connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'suppression'"
            ).fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        with self.path.open("r+b") as file:
            file.seek((page - 1) * size)
            kept = file.read(size)
            self._put(page, size, b"\xa5" * size)
            yield
            self._put(page, size, kept)

    def _put(self, page: int, size: int, content: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(content)

    @contextmanager
    def _other_pepper(self) -> Iterator[None]:
        with self._opened() as connection:
            (true,) = connection.execute("SELECT pepper FROM seal").fetchone()
            connection.execute("UPDATE seal SET pepper = ?", [true[::-1]])
            yield
            connection.execute("UPDATE seal SET pepper = ?", [true])

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=30)) as connection:
            yield connection


def move(path: Path, folder: Path) -> None:
    """A file of SQLite into another folder, with what lies beside it."""
    for part in path.parent.glob(f"{path.name}*"):
        part.rename(folder / part.name)
