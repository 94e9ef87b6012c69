"""A file of lines that is only appended to: whole lines, on the disk, read from either end."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from optout_service import disk
from optout_service.core.errors import Conflict

_BLOCK: Final = 64 * 1024


@contextmanager
def alone(lock: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock, a file whose directory is made, against every other process for the block.

    Raises Conflict where another process holds it, unless it may ``wait``; OSError.
    """
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Conflict(f"Another process is writing {lock.parent.name}.") from None
        yield
    finally:
        os.close(handle)


def append(path: Path, line: str) -> None:
    """Add a line, fsynced. One process at a time.

    What a crash left of a line is cut off first: nobody was told that it had been written.
    """
    new = not path.exists()
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        end = _end_of_the_last_line(handle)
        os.ftruncate(handle, end)
        os.pwrite(handle, f"{line}\n".encode(), end)
        os.fsync(handle)
    finally:
        os.close(handle)
    if new:
        disk.sync(path.parent)


def forwards(path: Path) -> Iterator[bytes]:
    """The lines from the first on, without the unfinished end of a crash. None if no file."""
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line
    except FileNotFoundError:
        return


def backwards(path: Path) -> Iterator[bytes]:
    """The lines from the last on, without reading more of the file than is asked for."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        start, rest = _end_of_the_last_line(handle), b""
        while start > 0:
            size = min(_BLOCK, start)
            start -= size
            first, *whole = (os.pread(handle, size, start) + rest).split(b"\n")
            yield from (line for line in reversed(whole) if line)
            rest = first
        if rest:
            yield rest
    finally:
        os.close(handle)


def _end_of_the_last_line(handle: int) -> int:
    end = os.fstat(handle).st_size
    while end > 0:
        size = min(_BLOCK, end)
        found = os.pread(handle, size, end - size).rfind(b"\n")
        if found >= 0:
            return end - size + found + 1
        end -= size
    return 0
