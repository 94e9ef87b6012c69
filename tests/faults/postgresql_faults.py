"""R5 on PostgreSQL: the server stopped, silent, locked, full, read-only, damaged, put back."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.faults.proxy import Proxy
from tests.faults.suffering import Fault
from tests.postgres import PostgreSQL
from tests.server import Server

NAME: Final = "suffers"
"""The database that suffers."""


@dataclass(frozen=True)
class Harm:
    """What can be done to one database of one server of PostgreSQL, and undone."""

    database: PostgreSQL
    proxy: Proxy
    server: Server

    def faults(self) -> tuple[Fault, ...]:
        """Those that pass by themselves when they are over."""
        return (
            Fault("stopped", self._stopped, suite=False),
            Fault("killed, and a worker with it", self._killed, kills=True),
            Fault("silent", self._silent),
            Fault("no connections to be had", self._closed, suite=False),
            Fault("the state locked", lambda: self._locked("suppression")),
            Fault("the ledger locked", lambda: self._locked("event"), reads=True, suite=False),
            Fault("a tenant locked", self._row_locked, reads=True),
            Fault("read only", self._read_only, reads=True),
            Fault("a page of the state damaged", self._damaged),
            Fault("another pepper's", self._other_pepper),
        )

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        self.database.stop()
        yield
        self.database.start()

    @contextmanager
    def _killed(self) -> Iterator[None]:
        self.database.kill()
        os.kill(self.server.workers()[0], signal.SIGKILL)
        yield
        self.database.start()

    @contextmanager
    def _silent(self) -> Iterator[None]:
        self.proxy.stall()
        try:
            yield
        finally:
            self.proxy.flow()

    @contextmanager
    def _closed(self) -> Iterator[None]:
        with self._other() as connection:
            connection.execute(f"ALTER DATABASE {NAME} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [NAME]
            )
            yield
            connection.execute(f"ALTER DATABASE {NAME} ALLOW_CONNECTIONS true")

    @contextmanager
    def _locked(self, table: str) -> Iterator[None]:
        with self._inside() as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {table}")
            yield

    @contextmanager
    def _row_locked(self) -> Iterator[None]:
        with self._inside() as connection, connection.transaction():
            connection.execute("SELECT * FROM tenant FOR UPDATE")
            yield

    @contextmanager
    def _read_only(self) -> Iterator[None]:
        with self._other() as connection:
            for value in ("on", "off"):
                connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
                connection.execute("SELECT pg_reload_conf()")
                while connection.execute("SHOW default_transaction_read_only").fetchone() != (
                    value,
                ):
                    pass
                if value == "on":
                    yield

    @contextmanager
    def _damaged(self) -> Iterator[None]:
        files = []
        with self._inside() as connection:
            for name in ("suppression", "pk_suppression"):
                found = connection.execute("SELECT pg_relation_filepath(%s)", [name]).fetchone()
                assert found is not None
                files.append(self.database.data / found[0])
        self.database.stop()
        kept = [file.read_bytes() for file in files]
        for file in files:
            with file.open("r+b") as opened:
                opened.seek(100)
                opened.write(b"\xa5" * 4000)
        self.database.start()
        yield
        self.database.stop()
        for file, content in zip(files, kept, strict=True):
            file.write_bytes(content)
        self.database.start()

    @contextmanager
    def _other_pepper(self) -> Iterator[None]:
        with self._inside() as connection:
            (true,) = connection.execute("SELECT pepper FROM seal").fetchone() or ("",)
            connection.execute("UPDATE seal SET pepper = %s", [true[::-1]])
            yield
            connection.execute("UPDATE seal SET pepper = %s", [true])

    def _inside(self) -> psycopg.Connection[tuple[str, ...]]:
        return psycopg.connect(self.database.url(NAME), autocommit=True)

    def _other(self) -> psycopg.Connection[tuple[str, ...]]:
        return psycopg.connect(self.database.url(), autocommit=True)
