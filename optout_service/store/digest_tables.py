"""A file of sorted digests: what stood for a tenant at one position, looked up a block at a time.

It is only ever a short cut. Its seal is keyed with the pepper, so that what is not ours, or is
damaged, is not read; whether it still fits the database is proven at each use (``quick``). Digests
alone are in it, no address.
"""

import mmap
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Self

import msgspec
import numpy as np

from optout_service.core.keyring import KeyRing
from optout_service.store import sieves
from optout_service.store.sieves import Bits, Flags, Numbers

Section = tuple[int, int, str, int]
"""Tenant, channel, topic and purpose of a suppression, as the database has them."""

_MAGIC: Final = b"optout digests 2"
_SEAL_BYTES: Final = 32
_MOST_SECTIONS: Final = 1000
_IN_MEMORY: Final = 1 << 18
_COPIED_AT_ONCE: Final = 1 << 22


class Ledger(msgspec.Struct, frozen=True):
    """One ledger as it was: whose, made when, its last number and the hash of that."""

    tenant: int
    created_at: int
    seq: int
    head: bytes


class Origin(msgspec.Struct, frozen=True):
    """What a table was made of: keys, ledgers, and the topics of their tenants.

    Topics, since what stands for a new one is written down with it and not in the ledger.
    """

    pepper: str
    ledgers: tuple[Ledger, ...]
    topics: tuple[tuple[int, str], ...]


class _Contents(msgspec.Struct, frozen=True):
    origin: Origin
    sections: tuple[tuple[Section, int], ...]

    @property
    def counts(self) -> list[int]:
        """How many digests each section has."""
        return [count for _, count in self.sections]


class Digests:
    """A set of digests, as two arrays of halves, sorted together; a large one with a sieve."""

    def __init__(self, high: Numbers, low: Numbers, sieve: Bits | None = None) -> None:
        self._high, self._low, self._sieve = high, low, sieve

    @classmethod
    def of(cls, digests: bytes) -> Self:
        """Digests that stand one after the other, in any order."""
        high, low = halves(digests)
        order = np.lexsort((low, high))
        return cls(high[order], low[order])

    def holds(self, high: Numbers, low: Numbers) -> Flags:
        """Which of these are in the set, in any order."""
        found = np.zeros(high.shape, np.bool_)
        if self._sieve is None:
            open_ = np.arange(high.size)
        else:
            open_ = np.flatnonzero(sieves.passing(self._sieve, high))
        # One after the other through the list, what is near is in the processor's memory already.
        open_ = open_[np.argsort(high[open_])]
        places = np.searchsorted(self._high, high[open_])
        # More than once only where two digests share their first 64 bits.
        while True:
            inside = places < self._high.size
            open_, places = open_[inside], places[inside]
            same = self._high[places] == high[open_]
            open_, places = open_[same], places[same]
            if not open_.size:
                return found
            hit = self._low[places] == low[open_]
            found[open_[hit]] = True
            open_, places = open_[~hit], places[~hit] + 1


class DigestTable:
    """A table that has been opened: its origin, and the digests of each section."""

    def __init__(self, origin: Origin, sections: Mapping[Section, Digests]) -> None:
        self.origin = origin
        self.sections = sections

    @classmethod
    def open(cls, path: Path, keys: KeyRing) -> Self | None:
        """The table in this file; None where there is none, or none that can be trusted."""
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return None
        start = len(_MAGIC) + _SEAL_BYTES
        seal = keys.table_seal()
        with memoryview(mapped)[start:] as sealed:
            seal.update(sealed)
        if mapped[:start] != _MAGIC + seal.digest():
            return None
        length = int.from_bytes(mapped[start : start + 8])
        contents = msgspec.json.decode(mapped[start + 8 : start + 8 + length], type=_Contents)
        return cls(contents.origin, dict(_sections(mapped, start + 8 + length, contents)))


def write(path: Path, keys: KeyRing, origin: Origin, rows: Iterator[tuple[Section, bytes]]) -> None:
    """Put a table in this place, whole or not at all; for its owner alone.

    ``rows``: runs of digests of one section, sorted within the section. Raises OSError, and
    ValueError where there are so many sections that the store itself is the better way.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with ExitStack() as stack:
        stack.callback(draft.unlink, missing_ok=True)
        parts: dict[Section, tuple[IO[bytes], IO[bytes]]] = {}
        for section, digests in rows:
            if section not in parts:
                if len(parts) == _MOST_SECTIONS:
                    raise ValueError("too many sections")
                parts[section] = (_part(stack, path.parent), _part(stack, path.parent))
            for file, half in zip(parts[section], halves(digests), strict=True):
                file.write(half.tobytes())
        counted = tuple((section, files[0].tell() // 8) for section, files in parts.items())
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with os.fdopen(handle, "w+b") as out:
            _assemble(out, keys, _Contents(origin, counted), parts)
        draft.replace(path)


def _part(stack: ExitStack, folder: Path) -> Any:
    # Few sections are long. A file for each of the others would be many files.
    return stack.enter_context(SpooledTemporaryFile(_IN_MEMORY, dir=str(folder)))


def halves(digests: bytes) -> tuple[Numbers, Numbers]:
    """The first and the last 64 bits of digests that stand one after the other."""
    both = np.frombuffer(digests, ">u8").reshape(-1, 2)
    return both[:, 0].astype(np.uint64), both[:, 1].astype(np.uint64)


def _assemble(
    out: IO[bytes],
    keys: KeyRing,
    contents: _Contents,
    parts: Mapping[Section, tuple[IO[bytes], IO[bytes]]],
) -> None:
    start = len(_MAGIC) + _SEAL_BYTES
    head = msgspec.json.encode(contents)
    # Blanks after the JSON put the arrays on a boundary of eight bytes.
    head += b" " * (-(start + 8 + len(head)) % 8)
    out.seek(start)
    out.write(len(head).to_bytes(8) + head)
    highs = []
    for high, low in parts.values():
        highs.append(out.tell())
        for file in (high, low):
            file.seek(0)
            shutil.copyfileobj(file, out, _COPIED_AT_ONCE)
    _add_sieves(out, [*zip(highs, contents.counts, strict=True)])
    out.seek(start)
    seal = keys.table_seal()
    while block := out.read(_COPIED_AT_ONCE):
        seal.update(block)
    out.seek(0)
    out.write(_MAGIC + seal.digest())
    out.flush()
    os.fsync(out.fileno())


def _add_sieves(out: IO[bytes], lists: list[tuple[int, int]]) -> None:
    """``lists``: where the sorted first halves of each section stand, and how many they are."""
    at = out.tell()
    out.truncate(at + sum(sieves.size_of(count) for _, count in lists))
    out.flush()
    with mmap.mmap(out.fileno(), 0) as mapped:
        for start, count in lists:
            size = sieves.size_of(count)
            bits = np.frombuffer(mapped, np.uint8, size, at)
            if size:
                sieves.mark(bits, np.frombuffer(mapped, np.uint64, count, start))
            at += size
            del bits  # while an array looks at it, the map cannot be closed


def _sections(mapped: Any, at: int, contents: _Contents) -> Iterator[tuple[Section, Digests]]:
    sieve = at + 16 * sum(contents.counts)
    for section, count in contents.sections:
        high = np.frombuffer(mapped, np.uint64, count, at)
        low = np.frombuffer(mapped, np.uint64, count, at + 8 * count)
        size = sieves.size_of(count)
        bits = np.frombuffer(mapped, np.uint8, size, sieve) if size else None
        yield section, Digests(high, low, bits)
        at, sieve = at + 16 * count, sieve + size
