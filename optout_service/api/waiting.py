"""Waiting for news: callers who have read all there is, and one look at the store for all of them.

Who waits holds a thread of the server, but no connection. Four looks a second at the positions of
the ledgers that are waited for serve all waiters of the process; with no waiter nobody looks.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Final

INTERVAL_SECONDS: Final = 0.25
"""Between two looks at the store: how late a waiter can hear of an event."""

_log = logging.getLogger(__name__)

Read = Callable[[Collection[int]], Mapping[int, int]]


class Watch:
    """The waiters of one process."""

    def __init__(self, read: Read, *, most: int) -> None:
        """``read`` gives the number of the last event of each of these tenants.

        ``most``: how many may wait. A waiter takes a thread from those who ask before they send,
        so whoever comes when all places are taken is not made to wait.
        """
        self._read = read
        self._most = most
        self._waiting: list[int] = []
        self._positions: dict[int, int] = {}
        self._looks = 0
        self._looking = False
        self._changed = threading.Condition()
        self.ending: Callable[[], bool] = lambda: False
        """Whether the process is about to end: then nobody is kept any longer."""

    def wait(self, tenant: int, *, after: int, seconds: float) -> None:
        """Until the tenant's ledger is past ``after``, or the time is up, or there is no place.

        What there is then is the caller's to read; so is a store that cannot be read.
        """
        with self._changed:
            if len(self._waiting) >= self._most:
                return
            self._waiting.append(tenant)
            # A position from before may be that of a database that has been put back since.
            seen = self._looks
            self._look_around()
            try:
                self._changed.wait_for(
                    lambda: self._looks > seen and self._positions.get(tenant, 0) > after, seconds
                )
            finally:
                self._waiting.remove(tenant)

    def _look_around(self) -> None:
        if not self._looking:
            self._looking = True
            threading.Thread(target=self._look, name="waiting", daemon=True).start()

    def _look(self) -> None:
        while True:
            with self._changed:
                wanted = set(self._waiting)
                if not wanted:
                    self._looking = False
                    return
            found = self._reached(wanted)
            with self._changed:
                self._positions = found
                self._looks += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._waiting, INTERVAL_SECONDS)

    def _reached(self, wanted: Collection[int]) -> dict[int, int]:
        """Where the ledgers stand. Past everything, if nobody is to be kept: each looks himself."""
        if not self.ending():
            try:
                return dict(self._read(wanted))
            except Exception as fault:
                # Whoever waits meets the same when he reads, and answers for it.
                _log.warning("nobody could look for news", exc_info=fault)
        return dict.fromkeys(wanted, 2**63)
