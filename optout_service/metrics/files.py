"""Where the workers of one server keep their figures, so that each can show those of all.

A directory of the master's, made before the first fork and removed at the end. A worker writes to
files of its *slot*, not of its process id: whoever takes the place of a worker that has died or was
recycled counts on in the same file, so that no count is lost and no file is left for each of them.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from prometheus_client.multiprocess import mark_process_dead

from optout_service.settings import Settings, name_metrics_directory

_PREFIX: Final = "optout-metrics-"
_LOCK: Final = "lock"
_MEMORY: Final = Path("/dev/shm")


class _Here:
    """What a worker inherits from its master by the fork."""

    directory: Path | None = None
    lock: int | None = None
    slot: int = 0


def shared() -> Path | None:
    """The directory of this server; None where there is none: a process that is alone."""
    return _Here.directory


def slot() -> int:
    """Which of the directory's files are this worker's."""
    return _Here.slot


def make(settings: Settings) -> None:
    """In the master, before it forks: make the directory, and clear away what was left by one that
    was killed.
    """
    where = settings.data_dir if os.access(settings.data_dir, os.W_OK) else _memory()
    _clear(where)
    _Here.directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=where.absolute()))
    # The workers inherit it: it is locked for as long as one process of this server lives.
    _Here.lock = os.open(_Here.directory / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(_Here.lock, fcntl.LOCK_EX)
    name_metrics_directory(_Here.directory)


def remove() -> None:
    """In the master, at the end."""
    if _Here.directory is not None:
        shutil.rmtree(_Here.directory, ignore_errors=True)
        _Here.directory = None
    if _Here.lock is not None:
        os.close(_Here.lock)
        _Here.lock = None


def before_fork(server: Any, worker: Any) -> None:
    """In the master: give a worker the lowest slot that no living one has."""
    taken = {getattr(other, "optout_slot", None) for other in server.WORKERS.values()}
    worker.optout_slot = next(n for n in range(len(taken) + 1) if n not in taken)


def after_fork(_server: Any, worker: Any) -> None:
    """In the worker, before it loads the application."""
    _Here.slot = worker.optout_slot


def after_death(_server: Any, worker: Any) -> None:
    """In the master: forget what was true of a worker only while it lived. Its counts stay."""
    if _Here.directory is not None:
        mark_process_dead(worker.optout_slot, str(_Here.directory))  # type: ignore[no-untyped-call]


def _memory() -> Path:
    return _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _clear(where: Path) -> None:
    for left in where.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(left / _LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)
