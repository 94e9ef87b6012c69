"""Engines: how a connection to either kind of database is made, and when it may be used again."""

import os
import select
import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from optout_service.store import doubts, patience, pooled
from optout_service.store.limits import Limits


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


def postgresql(url: str, limits: Limits, *, write: bool, standby: bool = False) -> Engine:
    """An engine for one PostgreSQL database, to read or to write; it connects to nothing yet.

    Of several hosts in the URL it takes the one that is no standby. A standby is refused, whatever
    the URL says: it would not show an opt-out at once. Unless it is for ``standby``: then the URL
    says which of them.
    """
    arguments: dict[str, Any] = {
        "connect_timeout": 2,
        "prepare_threshold": 0 if limits.prepared_statements else None,
        **_vanishing(limits),
    }
    if not standby:
        # A server that a reader may not write to is a primary all the same.
        arguments["target_session_attrs"] = "read-write" if write else "primary"
    if limits.prepared_statements:
        arguments["options"] = _options(limits, write=write)
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=limits.pool_size if write else 2 * limits.pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=limits.statement_timeout_ms / 1000,
        pool_use_lifo=True,
        isolation_level="READ COMMITTED" if write else "AUTOCOMMIT",
        connect_args=arguments,
    )
    event.listen(engine, "do_connect", patience.connect)
    event.listen(engine, "checkout", patience.limit(limits))
    if write:
        event.listen(engine, "connect", doubts.collect)
    if not limits.prepared_statements:
        event.listen(engine, "begin", pooled.say_limits(limits))
    event.listen(engine, "checkout", _still_open)
    return engine


def _options(limits: Limits, *, write: bool) -> str:
    options = f"-c statement_timeout={limits.statement_timeout_ms}"
    options += f" -c lock_timeout={limits.busy_timeout_ms}"
    return options if write else f"{options} -c default_transaction_read_only=on"


def plan_once(driver: Any) -> None:
    """Have a connection's statements planned once, for any values: those of the check, that is.

    Over partitions the server would plan each check anew, since it takes for dear that a look-up
    might go to any of them. A page of a list is better planned for its length.
    """
    driver.execute("SET plan_cache_mode = force_generic_plan")


def _vanishing(limits: Limits) -> dict[str, int]:
    """A machine that lost its power says no farewell: without these we would wait for minutes.

    No statement takes longer than both limits together, so what is not even acknowledged by then
    has nobody at the other end; one that waits for its answer asks every other second.
    """
    return {
        "tcp_user_timeout": limits.statement_timeout_ms + limits.busy_timeout_ms,
        "keepalives_idle": 2,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }


def _still_open(connection: Any, _: Any, __: Any) -> None:
    """A ping before use, without the round trip of SQLAlchemy's, which would double a check.

    An idle connection has nothing to read; one whose server went away has: its farewell.
    """
    if select.select((connection.fileno(),), (), (), 0)[0]:
        raise exc.InvalidatePoolError
