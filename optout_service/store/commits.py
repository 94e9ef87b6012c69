"""Several acts, one fsync: writers of one process share SQLite's transaction.

SQLite has one writer at a time, and most of a small write is waiting for the disk. Each caller
does its work in turn, under a savepoint, on one connection; whoever finds nobody waiting behind
him commits for all. Nobody is answered before the commit that holds his act has returned, so this
is no queue between receipt and store. Nobody waits on purpose either: a group is what has come
while the last commit was under way.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from sqlalchemy import Connection, Engine, RootTransaction

from optout_service.core.errors import StoreUnavailable

_MOST: Final = 64
"""Acts in one commit. Beyond about 32 there is nothing left to win, and latency grows."""


@dataclass(eq=False)
class _Group:
    connection: Connection
    transaction: RootTransaction
    size: int = 0
    settled: threading.Event = field(default_factory=threading.Event)
    fault: Exception | None = None


class SharedCommits:
    """The one writing connection of a process, and the commits it shares."""

    def __init__(self, engine: Engine) -> None:
        """``engine`` begins IMMEDIATE and lets a connection pass between threads."""
        self._engine = engine
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._open: _Group | None = None
        self._failed_at = float("-inf")
        self._fault: Exception | None = None

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
        connection = self._engine.connect()
        try:
            return _Group(connection, connection.begin())
        except Exception as fault:
            connection.close()
            self._fault, self._failed_at = fault, monotonic()
            raise

    def _act(self, group: _Group) -> Iterator[Connection]:
        run = group.connection.exec_driver_sql
        try:
            run("SAVEPOINT act")
            yield group.connection
            run("RELEASE act")
            group.size += 1
        except BaseException:
            self._undo(group)
            raise

    def _undo(self, group: _Group) -> None:
        try:
            group.connection.exec_driver_sql("ROLLBACK TO act")
            group.connection.exec_driver_sql("RELEASE act")
        except Exception as fault:
            # A full disk or an I/O error makes SQLite undo the whole transaction by itself: then
            # the acts before this one are gone too, and their callers must hear of it.
            group.fault = fault

    def _settle(self, group: _Group) -> None:
        self._open = None
        try:
            if group.fault is None:
                group.transaction.commit()
            else:
                group.transaction.rollback()
        except Exception as fault:
            group.fault = group.fault or fault
            group.connection.invalidate()
        finally:
            group.connection.close()
            group.settled.set()
