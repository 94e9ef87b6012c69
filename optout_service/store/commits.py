"""Several acts, one fsync: writers of one process share a transaction.

Most of a small write is waiting: for the disk, and for whoever writes before. Each caller does its
work in turn, under a savepoint, on one connection; whoever finds nobody waiting behind him commits
for all. Nobody is answered before the commit that holds his act has returned, so this is no queue
between receipt and store. Nobody waits on purpose either: a group is what has come while the last
commit was under way.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, exc

from optout_service.core.errors import StoreUnavailable

_MOST: Final = 64
"""Acts in one commit. Beyond about 32 there is nothing left to win, and latency grows."""

_REFUSALS: Final = (exc.OperationalError, psycopg.OperationalError)

_SAVE: Final = "SAVEPOINT act"


@dataclass(eq=False)
class _Group:
    connection: Connection
    saved: bool = True
    """Whether nothing has been done since the savepoint."""
    size: int = 0
    settled: threading.Event = field(default_factory=threading.Event)
    fault: Exception | None = None


class SharedCommits:
    """Those who write on one connection at a time, and the commits they share."""

    def __init__(
        self,
        take: Callable[[], Connection],
        give: Callable[[Connection, bool], None],
        begin: str,
        committing: Callable[[Connection], AbstractContextManager[None]],
    ) -> None:
        """``take`` gives a connection that begins nothing by itself and may pass between threads.

        ``give`` takes it back; its second argument says whether it broke. It raises nothing that
        the store may bring: what is stored is settled by then. ``begin``: the statement.
        ``committing``: what stands around each commit.
        """
        self._take = take
        self._give = give
        self._begin_statement = begin
        self._committing = committing
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
        arrived = monotonic()
        group = self._take_turn(arrived)
        try:
            yield from self._act(group, arrived)
        finally:
            try:
                if group.fault or group.size >= _MOST or not self._waiting:
                    self._settle(group)
            finally:
                self._turn.release()
        group.settled.wait()
        if group.fault is not None:
            raise StoreUnavailable(
                "The act could not be stored. Please try again."
            ) from group.fault

    def _take_turn(self, arrived: float) -> _Group:
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
        self._refuse_with_others(arrived)
        try:
            connection = self._take()
            try:
                _run(connection, self._begin_statement, _SAVE)
            except Exception:
                self._give_up(connection)
                raise
        except Exception as fault:
            self._note(fault)
            raise
        return _Group(connection)

    def _note(self, fault: Exception) -> None:
        self._fault, self._failed_at = fault, monotonic()

    def _refuse_with_others(self, arrived: float) -> None:
        """Whoever already stood in line when the database refused has been refused with it.

        One after the other they would wait out the whole timeout each.
        """
        if self._fault is not None and arrived < self._failed_at:
            raise StoreUnavailable("The store takes no writes now.") from self._fault

    def _act(self, group: _Group, arrived: float) -> Iterator[Connection]:
        self._refuse_with_others(arrived)
        self._save(group)
        try:
            yield group.connection
            group.size += 1
        except BaseException as fault:
            # Such as a lock that did not come free. SQLite says so when a transaction begins.
            if isinstance(fault, _REFUSALS):
                self._note(fault)
            self._undo(group)
            raise

    def _save(self, group: _Group) -> None:
        try:
            if not group.saved:
                _run(group.connection, "RELEASE act", _SAVE)
            group.saved = False
        except Exception as fault:
            # Not to be undone: the savepoint may still be the one before, and its act would go too.
            group.fault = fault
            raise

    def _undo(self, group: _Group) -> None:
        try:
            _run(group.connection, "ROLLBACK TO act")
            group.saved = True
        except Exception as fault:
            # A full disk or an I/O error makes SQLite undo the whole transaction by itself: then
            # the acts before this one are gone too, and their callers must hear of it.
            group.fault = fault

    def _settle(self, group: _Group) -> None:
        self._open = None
        try:
            if group.fault is None:
                with self._committing(group.connection):
                    _run(group.connection, "COMMIT")
        except Exception as fault:
            group.fault = fault
        finally:
            try:
                if group.fault is None:
                    self._give(group.connection, False)
                else:
                    self._give_up(group.connection)
            finally:
                # Whoever waits must hear of it, or he waits for ever.
                group.settled.set()

    def _give_up(self, connection: Connection) -> None:
        # SQLite keeps a closed connection, its transaction and its lock for as long as anybody has
        # a cursor of it: a traceback, say.
        with suppress(Exception):
            _run(connection, "ROLLBACK")
        self._give(connection, True)


def _run(connection: Connection, *statements: str) -> None:
    """On the driver's own connection: through SQLAlchemy these cost more than the act.

    To a PostgreSQL server they go together: each way there and back is time under a row lock.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        driver.execute("; ".join(statements), prepare=False)
    else:
        for statement in statements:
            driver.execute(statement)
