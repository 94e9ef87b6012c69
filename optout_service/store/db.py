"""The database behind the memory: connections, transactions, and what must be true before we start.

Two names say it at the call: ``reading()`` and ``writing()``. On SQLite a writer begins IMMEDIATE
and a reader deferred, else every check would wait for every click; on PostgreSQL readers are in
autocommit and read only.
"""

import os
import select
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import QueuePool

from optout_service.core.errors import Misconfigured, StoreUnavailable
from optout_service.store.commits import SharedCommits

_FAULTS: Final = (exc.DBAPIError, exc.TimeoutError, sqlite3.Error, psycopg.Error)
_GONE: Final = "The store cannot be reached. Nothing was answered or recorded; please try again."


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections, and how long anything may wait (milliseconds)."""

    pool_size: int = 8
    statement_timeout_ms: int = 2000
    busy_timeout_ms: int = 5000
    prepared_statements: bool = True


class Database:
    """One database, with a pool to read and a way to write."""

    def __init__(self, url: str, limits: Limits) -> None:
        """Connects to nothing yet. Raises Misconfigured for a URL of another kind of database."""
        parsed = make_url(url)
        self.dialect = parsed.get_backend_name()
        match self.dialect:
            case "sqlite":
                path = parsed.database or ""
                self._reader = _sqlite_engine(path, limits, write=False)
                self._writer = _sqlite_engine(path, limits, write=True)
            case "postgresql":
                self._reader = _postgresql_engine(url, limits, write=False)
                self._writer = _postgresql_engine(url, limits, write=True)
            case _:
                raise Misconfigured(
                    "OPTOUT_DATABASE_URL: only sqlite:/// and postgresql:// are spoken here."
                )
        self._shared = (
            SharedCommits(self._writer, partial(_identity, parsed.database or ""))
            if self.dialect == "sqlite"
            else None
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads. Raises StoreUnavailable when the store cannot be read."""
        with _translated(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction, committed and fsynced when the block has ended.

        An exception in the block undoes all of it. Raises StoreUnavailable when it could not be
        written: then nothing was.
        """
        with _translated(), self._transaction() as connection:
            yield connection

    @contextmanager
    def driver(self) -> Iterator[Any]:
        """A reading connection of the driver itself, from the same pool: for the check alone."""
        try:
            pooled = self._reader.raw_connection()
            try:
                yield pooled.driver_connection
            except _FAULTS:
                pooled.invalidate()
                raise
            finally:
                pooled.close()
        except _FAULTS as fault:
            raise StoreUnavailable(_GONE) from fault

    def close(self) -> None:
        """Give all connections back."""
        if self._shared:
            self._shared.close()
        self._reader.dispose()
        self._writer.dispose()

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self._shared.writing() if self._shared else self._writer.begin()


def assert_durable(connection: Connection) -> None:
    """Refuse a database that may forget what it has acknowledged.

    SQLite must be in WAL mode with synchronous=FULL and foreign keys on; PostgreSQL must have
    fsync, full_page_writes and synchronous_commit on. Raises Misconfigured naming each fault.
    """
    if connection.dialect.name == "sqlite":
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        faults = [f"{name} is {found[name]}" for name in wanted if found[name] != wanted[name]]
    else:
        names = ("fsync", "full_page_writes", "synchronous_commit")
        faults = [
            f"{name} is off"
            for name in names
            if connection.exec_driver_sql(f"SHOW {name}").scalar() == "off"
        ]
    if faults:
        raise Misconfigured(
            f"This database may lose what it has acknowledged: {', '.join(faults)}. Turn it on in "
            "the server's configuration and start again."
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _FAULTS as fault:
        raise StoreUnavailable(_GONE) from fault


def _sqlite_engine(path: str, limits: Limits, *, write: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        # mode=rw: a database that went away is an error. An empty new one would say "allowed".
        connection = sqlite3.connect(
            f"file:{path}?mode=rw",
            uri=True,
            timeout=limits.busy_timeout_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA mmap_size=1073741824")
        connection.execute("PRAGMA temp_store=MEMORY")
        if write:
            connection.execute("PRAGMA journal_mode=WAL")
        else:
            connection.execute("PRAGMA query_only=ON")
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=1 if write else limits.pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=limits.statement_timeout_ms / 1000,
        pool_use_lifo=True,
        pool_reset_on_return="rollback" if write else None,
    )
    if not write:
        event.listen(engine, "begin", _begin_reading)
    event.listen(engine, "connect", _remember_file(path))
    event.listen(engine, "checkout", _same_file(path))
    return engine


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _remember_file(path: str) -> Any:
    def on_connect(_: Any, record: Any) -> None:
        record.info["file"] = _identity(path)

    return on_connect


def _same_file(path: str) -> Any:
    """A file put in the place of the one we hold open is another database: connect anew.

    Without this a process goes on reading, and writing acknowledged opt-outs, to a deleted file.
    """

    def on_checkout(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != _identity(path):
            raise exc.DisconnectionError

    return on_checkout


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgresql_engine(url: str, limits: Limits, *, write: bool) -> Engine:
    options = f"-c statement_timeout={limits.statement_timeout_ms}"
    options += f" -c lock_timeout={limits.busy_timeout_ms}"
    if not write:
        options += " -c default_transaction_read_only=on"
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=limits.pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=limits.statement_timeout_ms / 1000,
        pool_use_lifo=True,
        pool_pre_ping=write,
        pool_reset_on_return="rollback" if write else None,
        isolation_level="READ COMMITTED" if write else "AUTOCOMMIT",
        connect_args={
            "connect_timeout": 2,
            "options": options,
            "prepare_threshold": 0 if limits.prepared_statements else None,
        },
    )
    if not write:
        event.listen(engine, "checkout", _still_open)
    return engine


def _still_open(connection: Any, _: Any, __: Any) -> None:
    """A ping without a round trip, which would double the cost of a check.

    An idle connection has nothing to read; one whose server went away has: its farewell.
    """
    if select.select((connection.fileno(),), (), (), 0)[0]:
        raise exc.InvalidatePoolError
