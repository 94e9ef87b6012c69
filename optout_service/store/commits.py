"""Several acts, one fsync: writers of one process share SQLite's transaction.

SQLite has one writer at a time, and most of a small write is waiting for the disk. Each caller
does its work in turn, under a savepoint, on one connection; whoever finds nobody waiting behind
him commits for all. Nobody is answered before the commit that holds his act has returned, so this
is no queue between receipt and store. Nobody waits on purpose either: a group is what has come
while the last commit was under way.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, Engine

from optout_service.core.errors import StoreUnavailable

_MOST: Final = 64
"""Acts in one commit. Beyond about 32 there is nothing left to win, and latency grows."""


@dataclass(eq=False)
class _Group:
    connection: Connection
    size: int = 0
    settled: threading.Event = field(default_factory=threading.Event)
    fault: Exception | None = None


class SharedCommits:
    """The one writing connection of a process, and the commits it shares."""

    def __init__(self, engine: Engine, identity: Callable[[], object]) -> None:
        """``engine`` lets a connection pass between threads, and begins nothing by itself.

        ``identity`` names the file that is at the database's path now.
        """
        self._engine = engine
        self._identity = identity
        self._connection: Connection | None = None
        self._connected_to: object = None
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._open: _Group | None = None
        self._failed_at = float("-inf")
        self._fault: Exception | None = None

    def close(self) -> None:
        """Give the connection back."""
        with self._turn:
            self._disconnect()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection for one act. When the block has ended well, the act is on the disk.

        What the block raises undoes that act alone. If the shared commit fails, each act in it
        fails with StoreUnavailable, and none of them is stored.
        """
        group = self._take_turn()
        try:
            yield from self._act(group)
        finally:
            if group.fault or group.size >= _MOST or not self._waiting:
                self._settle(group)
            self._turn.release()
        group.settled.wait()
        if group.fault is not None:
            raise StoreUnavailable(
                "The act could not be stored. Please try again."
            ) from group.fault

    def _take_turn(self) -> _Group:
        arrived = monotonic()
        with self._counting:
            self._waiting += 1
        self._turn.acquire()
        with self._counting:
            self._waiting -= 1
        try:
            if self._open is None:
                self._open = self._begin(arrived)
            return self._open
        except BaseException:
            self._turn.release()
            raise

    def _begin(self, arrived: float) -> _Group:
        # Whoever already stood in line when the database refused has been refused with it:
        # one after the other would wait out the whole timeout each.
        if self._fault is not None and arrived < self._failed_at:
            raise StoreUnavailable("The store takes no writes now.") from self._fault
        try:
            connection = self._connected()
            _run(connection, "BEGIN IMMEDIATE")
        except Exception as fault:
            self._disconnect()
            self._fault, self._failed_at = fault, monotonic()
            raise
        return _Group(connection)

    def _connected(self) -> Connection:
        """The connection; a new one where another file has taken the place of the one we hold."""
        there = self._identity()
        if self._connection is None or there != self._connected_to:
            self._disconnect()
            self._connection = self._engine.connect()
            self._connected_to = there
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _act(self, group: _Group) -> Iterator[Connection]:
        try:
            _run(group.connection, "SAVEPOINT act")
            yield group.connection
            _run(group.connection, "RELEASE act")
            group.size += 1
        except BaseException:
            self._undo(group)
            raise

    def _undo(self, group: _Group) -> None:
        try:
            _run(group.connection, "ROLLBACK TO act")
            _run(group.connection, "RELEASE act")
        except Exception as fault:
            # A full disk or an I/O error makes SQLite undo the whole transaction by itself: then
            # the acts before this one are gone too, and their callers must hear of it.
            group.fault = fault

    def _settle(self, group: _Group) -> None:
        self._open = None
        try:
            if group.fault is None:
                _run(group.connection, "COMMIT")
        except Exception as fault:
            group.fault = fault
        finally:
            if group.fault is not None:
                self._disconnect()
            group.settled.set()


def _run(connection: Connection, statement: str) -> None:
    """On the driver's own connection: through SQLAlchemy the four of an act cost more than it."""
    driver: Any = connection.connection.driver_connection
    driver.execute(statement)
