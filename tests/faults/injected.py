"""Faults at the drivers' own calls: the Nth of an act fails, as SQLite's own tests have it.

Below SQLAlchemy and below ``store.prepared``, so that no call goes past it.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from typing import Any, Final
from unittest.mock import patch

import psycopg
from psycopg.pq import TransactionStatus

_CONNECT: Final = sqlite3.connect


class Fault(Enum):
    """What becomes of a call."""

    REFUSED = "refused"
    """It is not done."""
    BROKEN = "broken"
    """It is not done, and what was open is undone with it: the disk failed, the line was cut."""
    LOST = "lost"
    """It is done, and nobody hears of it."""


class Calls:
    """The calls of one thread to its database, counted while an act is watched."""

    def __init__(self) -> None:
        self.count = 0
        self.failed = ""
        """What was being asked when the fault came; empty: it did not come."""
        self._watched = 0
        self._raised: list[Exception] = []
        self._at = 0
        self._fault = Fault.REFUSED

    @contextmanager
    def failing(self, at: int = 0, fault: Fault = Fault.REFUSED) -> Iterator[None]:
        """Count this thread's calls within the block, and let the one of this number fail."""
        self.count, self.failed, self._at, self._fault = 0, "", at, fault
        self._watched = threading.get_ident()
        try:
            yield
        finally:
            self._watched = 0

    @property
    def lost_a_commit(self) -> bool:
        """Whether what came after the fault cannot be known by whoever asked."""
        return self._fault is Fault.LOST and self.failed == "COMMIT"

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Every connection that is made within the block comes by here."""
        with ExitStack() as stack:
            for owner, name in _PSYCOPG:
                method = getattr(owner, name)
                stack.enter_context(patch.object(owner, name, self._around_psycopg(method, name)))
            stack.enter_context(patch.object(sqlite3, "connect", self._connect_sqlite))
            yield

    def around(
        self,
        asked: str,
        call: Callable[[], Any],
        *,
        cut: Callable[[], object],
        forget: Callable[[], object],
        error: Exception,
    ) -> Any:
        """One call, unless it is the one that fails. ``forget``: what follows on a lost answer."""
        if threading.get_ident() != self._watched:
            return call()
        self.count += 1
        if self.count != self._at:
            return call()
        self.failed = asked
        match self._fault:
            case Fault.REFUSED:
                pass
            case Fault.BROKEN:
                cut()
            case Fault.LOST:
                call()
                forget()
        # As a log's handler may keep it, with every frame and cursor that it came through.
        self._raised.append(error)
        raise error

    def _around_psycopg(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(owner: Any, *given: Any, **further: Any) -> Any:
            connection = owner if isinstance(owner, psycopg.Connection) else owner.connection
            asked = str(given[0]) if given else name.upper()
            if not given and connection.info.transaction_status is not TransactionStatus.INTRANS:
                asked = f"{asked} of nothing"
            return self.around(
                asked,
                lambda: method(owner, *given, **further),
                cut=connection.close,
                forget=connection.close,
                error=psycopg.OperationalError("the tests cut the line"),
            )

        return call

    def _connect_sqlite(self, *given: Any, **further: Any) -> sqlite3.Connection:
        calls = self

        class Cursor(sqlite3.Cursor):
            def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
                return calls._around_sqlite(
                    self.connection, sql, lambda: super(Cursor, self).execute(sql, *given)
                )

            def executemany(self, sql: str, *given: Any) -> sqlite3.Cursor:
                return calls._around_sqlite(
                    self.connection, sql, lambda: super(Cursor, self).executemany(sql, *given)
                )

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
                return self.cursor().execute(sql, *given)  # type: ignore[no-any-return]

            def commit(self) -> None:
                calls._around_sqlite(self, "COMMIT of nothing", super().commit)

            def rollback(self) -> None:
                calls._around_sqlite(self, "ROLLBACK", super().rollback)

        return _CONNECT(*given, factory=Connection, **further)

    def _around_sqlite(
        self, connection: sqlite3.Connection, asked: str, call: Callable[[], Any]
    ) -> Any:
        return self.around(
            asked,
            call,
            # An I/O error makes SQLite undo the whole transaction by itself.
            cut=lambda: sqlite3.Connection.rollback(connection),
            forget=lambda: None,
            error=sqlite3.OperationalError("disk I/O error"),
        )


_PSYCOPG: Final = (
    (psycopg.Cursor, "execute"),
    (psycopg.Cursor, "executemany"),
    (psycopg.Connection, "commit"),
    (psycopg.Connection, "rollback"),
)
