"""What is done beside the requests: every so often, and once more when the process ends."""

import atexit
import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def every(seconds: float, work: Callable[[], None], failed: Callable[[], None]) -> None:
    """Do ``work`` in a thread of its own for as long as the process lives.

    What it raises is logged, ``failed`` is told, and it is tried again at the next turn. Call it
    after the fork: a thread does not survive one.
    """
    ended = threading.Event()

    def turns() -> None:
        while not ended.wait(seconds):
            attempt(work, failed)

    def last() -> None:
        ended.set()
        attempt(work, failed)

    atexit.register(last)
    threading.Thread(target=turns, daemon=True).start()


def attempt(work: Callable[[], None], failed: Callable[[], None]) -> None:
    """One turn. Raises nothing."""
    try:
        work()
    except Exception as error:
        failed()
        _log.warning("a task in the background failed", exc_info=error)
