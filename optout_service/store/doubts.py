"""What PostgreSQL warns of while it commits: an act of which it warned is not acknowledged.

A commit that waits for its synchronous standby waits for ever, and with it, soon, every thread. So
here it waits for as long as a statement may; then it is cancelled, and PostgreSQL ends it well, and
with a warning: it is on this server's disk alone, and lost if that standby takes over.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final

import psycopg
from sqlalchemy import Connection

from optout_service.core.errors import StoreUnavailable

_WARNINGS: Final = "warnings"
_CANCEL_SECONDS: Final = 2
_SHARE: Final = 0.7
"""A commit is ended sooner than its connection is given up (``store.patience``): one that is given
up goes on waiting at the server, and holds its locks."""


def collect(driver: Any, record: Any) -> None:
    """Listens to a new connection of psycopg's, from SQLAlchemy's event of that."""
    collected: list[str] = record.info.setdefault(_WARNINGS, [])

    def note(said: Any) -> None:
        if said.severity_nonlocalized == "WARNING":
            collected.append(said.message_primary)

    driver.add_notice_handler(note)


class Doubts:
    """The commits that are under way. One thread looks after all of them, once there was one."""

    def __init__(self, patience: float) -> None:
        """``patience``: seconds that a server has for an answer; ours has to come before."""
        self._patience = _SHARE * patience
        self._due: dict[Any, float] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watch = threading.Thread()

    @contextmanager
    def committing(self, connection: Connection) -> Iterator[None]:
        """Around a commit of psycopg's. Raises StoreUnavailable if the server warned of it."""
        driver: Any = connection.connection.driver_connection
        warnings: list[str] = connection.info.get(_WARNINGS, [])
        warnings.clear()
        self._begin(driver)
        try:
            yield
        finally:
            with self._lock:
                del self._due[driver]
        if warnings:
            raise StoreUnavailable(
                "The act may not be stored everywhere it has to be. Please try again."
            ) from RuntimeError(warnings[-1])

    def close(self) -> None:
        """Look after nothing any more."""
        self._closed.set()

    def _begin(self, driver: Any) -> None:
        with self._lock:
            self._due[driver] = monotonic() + self._patience
            # Not alive either where a process was forked from the one that began it.
            if not self._watch.is_alive():
                self._watch = threading.Thread(target=self._look, daemon=True)
                self._watch.start()

    def _look(self) -> None:
        while not self._closed.wait(self._patience / 8):
            # Under the lock, so that no commit ends between the look and the cancelling: whatever
            # comes next on that connection would be cancelled in its place.
            with self._lock:
                for driver, due in list(self._due.items()):
                    if due < monotonic():
                        _cancel(driver)


def _cancel(driver: Any) -> None:
    try:
        driver.cancel_safe(timeout=_CANCEL_SECONDS)
    except psycopg.Error:
        return  # then the server is gone, and the commit fails by itself
