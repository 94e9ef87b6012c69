"""What operators released from quarantine: a file for each tenant, beside its checkpoints."""

from collections.abc import Collection, Iterator
from pathlib import Path

from optout_service.core.release import Release, as_line, from_line, is_good
from optout_service.evidence import lines


def path_beside(checkpoints: Path) -> Path:
    """The releases that belong to a file of checkpoints, or to a copy of one."""
    return checkpoints.with_suffix(f".released{checkpoints.suffix}")


def add(checkpoints: Path, release: Release) -> None:
    """Write a release down, fsynced. Raises OSError."""
    lines.append(path_beside(checkpoints), as_line(release))


def all_of(checkpoints: Path, trusted: Collection[str]) -> Iterator[Release]:
    """Those that are signed by one of our keys, newest first."""
    for line in lines.backwards(path_beside(checkpoints)):
        try:
            one = from_line(line)
        except ValueError:
            continue
        if is_good(one, trusted):
            yield one
