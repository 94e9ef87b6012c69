"""Checkpoints by themselves: a thread of the server that writes one every few minutes.

Off the path of every request: whatever fails here is logged and counted, and breaks no opt-out. Of
several processes on one directory the one that finds the lock free writes.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Final

from optout_service.core.errors import Conflict, OptOutError
from optout_service.evidence import checkpoints, quarantine
from optout_service.evidence.checkpoints import Behind
from optout_service.runtime import Runtime

TASK: Final = "checkpoints"
"""As the metrics name it."""

_log: Final = logging.getLogger(__name__)


class Keeper:
    """Writes checkpoints as often as the settings say, for as long as the process lives."""

    def __init__(self, rt: Runtime) -> None:
        self.failures = 0
        """Rounds in a row in which none could be written, or a ledger contradicted its own."""
        self._rt = rt
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Hold the ledgers to their checkpoints now, and begin, unless the settings say never."""
        self._look()
        if self._rt.settings.checkpoint_seconds:
            self._thread.start()

    def stop(self) -> None:
        """End, and wait until the last one is written."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def round(self) -> None:
        """One round of ``checkpoints.write``. Raises nothing."""
        try:
            behind = checkpoints.write(self._rt, wait=False).behind
        except Conflict:
            return
        except (OptOutError, OSError) as fault:
            self._failed("no checkpoint could be written", exc_info=fault)
            return
        if behind:
            self._hold(behind)
        else:
            self.failures = 0
            self._rt.metrics.checkpointed(self._rt.now().timestamp())

    def _hold(self, behind: Sequence[Behind]) -> None:
        slugs = ", ".join(one.tenant for one in behind)
        self._failed("a ledger is not what its checkpoint says", tenants=slugs)
        try:
            quarantine.hold(self._rt, behind)
        except OptOutError as fault:
            self._failed("the database could not be put in quarantine", exc_info=fault)

    def _run(self) -> None:
        while not self._stopped.wait(self._rt.settings.checkpoint_seconds):
            self.round()

    def _look(self) -> None:
        """It may be an old database that was put back: before the first check is answered."""
        try:
            quarantine.look(self._rt)
        except (OptOutError, OSError) as fault:
            self._failed("the ledgers could not be held to their checkpoints", exc_info=fault)

    def _failed(self, what: str, *, exc_info: Exception | None = None, **more: str) -> None:
        self.failures += 1
        self._rt.metrics.task_failed(TASK)
        _log.error(what, extra={"failures": self.failures, **more}, exc_info=exc_info)


def keep(rt: Runtime) -> Keeper:
    """Start keeping checkpoints in this process."""
    keeper = Keeper(rt)
    keeper.start()
    return keeper
