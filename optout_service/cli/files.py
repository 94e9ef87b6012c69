"""Files of any length, for commands: read in blocks, and written whole or not at all."""

import gzip
import os
import secrets
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Final, cast

import click

from optout_service.core.errors import Malformed

_BLOCK_BYTES: Final = 1024 * 1024
_GZIP: Final = b"\x1f\x8b"  # how every member begins (RFC 1952, 2.3.1)


@contextmanager
def blocks(source: str, label: str) -> Iterator[Iterable[bytes]]:
    """The bytes of a file in blocks, with a bar on standard error for how much of it is read."""
    size = 0 if source == "-" else Path(source).stat().st_size
    with (
        click.open_file(source, "rb") as raw,
        click.progressbar(length=size or 1, label=label, file=sys.stderr) as bar,
    ):
        # Around it once more, since standard input need not be one that can be looked into.
        buffered = BufferedReader(cast(RawIOBase, raw))
        packed = source.endswith(".gz") or buffered.peek(len(_GZIP)).startswith(_GZIP)
        file = gzip.GzipFile(fileobj=buffered) if packed else buffered

        def read() -> Iterator[bytes]:
            done = 0
            try:
                while block := file.read(_BLOCK_BYTES):
                    yield block
                    if size:
                        bar.update(raw.tell() - done)
                        done = raw.tell()
            except (EOFError, gzip.BadGzipFile, zlib.error):
                raise Malformed(f"{source} is not gzip, or not all of it.") from None

        try:
            yield read()
        finally:
            buffered.detach()


@contextmanager
def written(target: str) -> Iterator[IO[bytes]]:
    """A file that takes its name when the block has ended well; else there is none."""
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = Path(f"{target}.{secrets.token_hex(4)}.part")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if target.endswith(".gz"):
                with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, filename="") as packed:
                    yield cast(IO[bytes], packed)
            else:
                yield file
            file.flush()
            os.fsync(handle)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
