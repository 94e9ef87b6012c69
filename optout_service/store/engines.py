"""Engines: how a connection to either kind of database is made, and when it may be used again."""

import os
import select
import sqlite3
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

T = TypeVar("T")

_GRACE: Final = 0.25
"""Seconds that a server's own refusal may need to arrive."""

_INTERVAL: Final = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections, and how long anything may wait (milliseconds)."""

    pool_size: int = 8
    statement_timeout_ms: int = 1500
    busy_timeout_ms: int = 1500
    prepared_statements: bool = True


def sqlite(path: str, limits: Limits, *, write: bool) -> Engine:
    """An engine for one SQLite file, to read or to write; it connects to nothing yet."""

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
        pool_size=1 if write else 2 * limits.pool_size,
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
        record.info["file"] = identity(path)

    return on_connect


def _same_file(path: str) -> Any:
    """A file put in the place of the one we hold open is another database: connect anew.

    Without this a process goes on reading, and writing acknowledged opt-outs, to a deleted file.
    """

    def on_checkout(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != identity(path):
            raise exc.DisconnectionError

    return on_checkout


def is_same_file(path: str, held: PoolProxiedConnection) -> bool:
    """Whether a pooled connection is to the file that is at this path now."""
    return bool(held.info["file"] == identity(path))


def identity(path: str) -> tuple[int, int] | None:
    """What tells a file from another one that took its place; None: there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def postgresql(url: str, limits: Limits, *, write: bool) -> Engine:
    """An engine for one PostgreSQL database, to read or to write; it connects to nothing yet."""
    options = f"-c statement_timeout={limits.statement_timeout_ms}"
    options += f" -c lock_timeout={limits.busy_timeout_ms}"
    if not write:
        options += " -c default_transaction_read_only=on"
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=limits.pool_size if write else 2 * limits.pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=limits.statement_timeout_ms / 1000,
        pool_use_lifo=True,
        pool_reset_on_return="rollback" if write else None,
        isolation_level="READ COMMITTED" if write else "AUTOCOMMIT",
        connect_args={
            "connect_timeout": 2,
            "options": options,
            "prepare_threshold": 0 if limits.prepared_statements else None,
        },
    )
    patience = limits.statement_timeout_ms / 1000 + _GRACE
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _hurry(patience))
    event.listen(engine, "checkout", _still_open)
    return engine


class Patient(psycopg.Connection[Any]):
    """A connection that gives a server up which stays silent.

    The server ends a statement in time by itself, if it can. One that hangs, or is behind a broken
    network, cannot, and the client would wait for as long as that lasts.
    """

    patience: float | None = None
    """Seconds that one answer may take; None: as long as it takes."""

    def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:
        """As psycopg's. Raises OperationalError when patience has ended; then it is closed."""
        began = monotonic()
        patience = self.patience
        try:
            return super().wait(gen, interval, patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if patience is not None and monotonic() - began >= patience:
                # An answer may still come, and would be taken for that to the next question.
                self.close()
            raise


def unhurried(driver: Any) -> None:
    """Let the statements of a PostgreSQL driver's transaction take as long as they take."""
    driver.execute("SET LOCAL statement_timeout = 0")
    driver.patience = None


def _connect(_: Any, __: Any, arguments: Any, options: Any) -> Patient:
    return Patient.connect(*arguments, **options)


def _hurry(patience: float) -> Any:
    def on_checkout(connection: Any, _: Any, __: Any) -> None:
        connection.patience = patience

    return on_checkout


def _still_open(connection: Any, _: Any, __: Any) -> None:
    """A ping before use, without the round trip of SQLAlchemy's, which would double a check.

    An idle connection has nothing to read; one whose server went away has: its farewell.
    """
    if select.select((connection.fileno(),), (), (), 0)[0]:
        raise exc.InvalidatePoolError
