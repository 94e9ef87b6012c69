"""Signed checkpoints of every ledger, in files outside the database; and the ledger held to them.

A file for each tenant, a line for each checkpoint, only ever appended to. Copy the directory to
where whoever can write to the database cannot write: only then does it prove anything against them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from optout_service.core.checkpoint import Checkpoint, as_line, from_line, is_good, sign
from optout_service.core.policy import PLATFORM
from optout_service.core.release import Release
from optout_service.core.release import sign as sign_release
from optout_service.evidence import lines, releases
from optout_service.runtime import Connection, Runtime
from optout_service.store import chain
from optout_service.store.chain import Position

_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Kept:
    """The checkpoints of a file that are ours, oldest first, and what is wrong with the others."""

    checkpoints: tuple[Checkpoint, ...]
    faults: tuple[str, ...] = ()
    releases: int = 0
    """How often an operator went on with the ledger although it was behind its checkpoint."""

    @property
    def marks(self) -> dict[int, bytes]:
        """Number -> hash, for ``chain.verify``."""
        return {one.seq: bytes.fromhex(one.head) for one in self.checkpoints if one.seq}


@dataclass(frozen=True, slots=True)
class Behind:
    """A ledger that is not what its newest checkpoint says: cut, put back, or written anew."""

    stands: Position
    checkpoint: Checkpoint

    @property
    def tenant(self) -> str:
        """Its slug."""
        return self.stands.slug

    @property
    def seq(self) -> int:
        """How many events it has."""
        return self.stands.seq


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of writing did: the new checkpoints, and the ledgers that got none."""

    written: tuple[Checkpoint, ...]
    behind: tuple[Behind, ...]


def path(rt: Runtime, tenant: int) -> Path:
    """The file of a tenant's checkpoints."""
    return rt.settings.effective_checkpoint_dir / f"{tenant}.jsonl"


def read(rt: Runtime, tenant: int, file: Path | None = None) -> Kept:
    """The checkpoints of a tenant's file, or of a copy of it that was kept elsewhere.

    Those from before a release say nothing of the ledger that was gone on with, and are left out.
    """
    trusted = rt.signatures.public_keys(tenant)
    kept = file or path(rt, tenant)
    made = list(releases.all_of(kept, trusted))
    released = made[0] if made else None
    found: list[Checkpoint] = []
    faults: list[str] = []
    said: dict[int, str] = {}
    for number, line in enumerate(lines.forwards(kept), start=1):
        try:
            one = from_line(line)
            bytes.fromhex(one.head)
        except ValueError:
            faults.append(f"Line {number} of the checkpoints cannot be read.")
            continue
        if not is_good(one, trusted):
            faults.append(f"Line {number} of the checkpoints is signed by none of our keys.")
        elif released is not None and one.at < released.at:
            continue
        elif said.setdefault(one.seq, one.head) != one.head:
            faults.append(f"Line {number} of the checkpoints contradicts an earlier one.")
        else:
            found.append(one)
    return Kept(tuple(found), tuple(faults), len(made))


def newest(rt: Runtime, tenant: int) -> Checkpoint | None:
    """A tenant's newest checkpoint, or None. Lines that are not ours are passed over."""
    return next(backwards(rt, tenant), None)


def backwards(rt: Runtime, tenant: int, *, before: int | None = None) -> Iterator[Checkpoint]:
    """A tenant's checkpoints from the newest on; given ``before``, those of fewer events."""
    trusted = rt.signatures.public_keys(tenant)
    for line in lines.backwards(path(rt, tenant)):
        try:
            one = from_line(line)
        except ValueError:
            continue
        if (before is None or one.seq < before) and is_good(one, trusted):
            yield one


def behind(rt: Runtime) -> list[Behind]:
    """The ledgers that their newest checkpoint contradicts. Two small reads a tenant."""
    return list(_look(rt)[1])


def write(rt: Runtime, *, wait: bool = True) -> Round:
    """A checkpoint for every ledger that has grown since its last, on the disk when this returns.

    A ledger that contradicts its newest checkpoint gets none: it would bless what was done to it.
    Raises Conflict where another process is writing, unless it may ``wait``; OSError.
    """
    with lines.alone(rt.settings.effective_checkpoint_dir / _LOCK, wait=wait):
        grown, wrong = _look(rt)
        return Round(tuple(_append(rt, stands) for stands in grown), wrong)


def accept(rt: Runtime, reason: str) -> tuple[Release, ...]:
    """Go on with the ledgers that are behind: a release for each, and a checkpoint where it stands.

    Where none is, the platform's ledger gets the release. Raises OSError.
    """
    with lines.alone(rt.settings.effective_checkpoint_dir / _LOCK):
        _, wrong = _look(rt)
        if not wrong:
            with rt.reading() as connection:
                stands = chain.position(connection, PLATFORM)
            return (_release(rt, stands, stands.seq, stands.head.hex(), reason),)
        made = []
        for one in wrong:
            mark = one.checkpoint
            made.append(_release(rt, one.stands, mark.seq, mark.head, reason))
            _append(rt, one.stands)
        return tuple(made)


def _release(rt: Runtime, stands: Position, seq: int, head: str, reason: str) -> Release:
    made = sign_release(
        rt.signatures,
        stands.tenant,
        Release(
            origin=rt.settings.public_url,
            tenant=stands.slug,
            seq=stands.seq,
            head=stands.head.hex(),
            instead_of_seq=seq,
            instead_of_head=head,
            reason=reason,
            at=rt.now(),
        ),
    )
    releases.add(path(rt, stands.tenant), made)
    return made


def _look(rt: Runtime) -> tuple[tuple[Position, ...], tuple[Behind, ...]]:
    """The ledgers that have grown since their newest checkpoint, and those that contradict it."""
    with rt.reading() as connection:
        known = [stands.tenant for stands in chain.positions(connection)]
    # Before the ledgers: one that is written meanwhile would be ahead of what is read of them.
    marks = {tenant: newest(rt, tenant) for tenant in known}
    grown: list[Position] = []
    wrong: list[Behind] = []
    with rt.reading() as connection:
        for stands in chain.positions(connection):
            mark = marks.get(stands.tenant)
            if mark is not None and not _is_met(connection, stands, mark):
                wrong.append(Behind(stands, mark))
            elif stands.seq > (0 if mark is None else mark.seq):
                grown.append(stands)
    return tuple(grown), tuple(wrong)


def _is_met(connection: Connection, stands: Position, mark: Checkpoint) -> bool:
    there = chain.hash_at(connection, stands.tenant, mark.seq)
    return there is not None and there.hex() == mark.head and stands.seq >= mark.seq


def _append(rt: Runtime, stands: Position) -> Checkpoint:
    made = sign(
        rt.signatures,
        stands.tenant,
        Checkpoint(rt.settings.public_url, stands.slug, stands.seq, stands.head.hex(), rt.now()),
    )
    lines.append(path(rt, stands.tenant), as_line(made))
    return made
