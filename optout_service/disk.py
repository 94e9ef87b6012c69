"""Files that are ours alone, and that a power cut leaves whole or not there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def new(path: Path) -> IO[bytes]:
    """A new file to write to, mode 0600. Raises FileExistsError, and OSError otherwise."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    return os.fdopen(handle, "wb")


def sync(path: Path) -> None:
    """Have a file, or the names in a directory, on the disk when this returns. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def drafted(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A name for a draft of what is to be ``path``, and is when the block has ended well.

    Never over something, unless it is to ``replace`` that: raises FileExistsError then, and OSError
    otherwise. No draft is left.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield draft
        sync(draft)
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)  # unlike a rename, never over what came meanwhile
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)
