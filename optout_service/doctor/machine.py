"""What this machine tells: room on its disks, the kind of file system, who runs what."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from optout_service import __version__, keyfiles
from optout_service.doctor.finding import Finding, advice, mend, ok
from optout_service.settings import Settings

MOUNTS: Final = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted where (proc(5))."""

_FULL: Final = 64 * 1024**2
_NEARLY: Final = 1024**3
_FAR_AWAY: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2", "lustre"}
    | {"ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
"""SQLite's WAL needs memory that all processes share, which these cannot give
(https://sqlite.org/wal.html, section 1)."""


def examine(settings: Settings, mounts: Path = MOUNTS) -> Iterator[Finding]:
    """All findings. Raises nothing for what is wrong."""
    yield versions()
    yield from room(settings)
    if settings.on_sqlite:
        yield from near(settings, mounts)
    if settings.embedded:
        yield from keys_apart(settings)


def versions() -> Finding:
    """What runs here."""
    return ok("versions", f"optout {__version__}, Python {platform.python_version()}.")


def room(settings: Settings) -> Iterator[Finding]:
    """Whether what the service writes to has room left."""
    lacking = False
    for what, directory in _places(settings).items():
        free = shutil.disk_usage(there(directory)).free
        said = f"{free // 1024**2} MB are left for {what} in {directory}."
        if free < _FULL:
            lacking = True
            yield mend("disk", f"{said} Opt-outs will be refused (503). Make room.")
        elif free < _NEARLY:
            lacking = True
            yield advice("disk", f"{said} Make room before it is full.")
    if not lacking:
        yield ok("disk", "There is room left wherever this service writes.")


def near(settings: Settings, mounts: Path = MOUNTS) -> Iterator[Finding]:
    """Whether SQLite's file is on a disk of this machine, where that can be told."""
    kind = file_system(database(settings).parent, mounts)
    if kind in _FAR_AWAY:
        yield mend(
            "file system",
            f"The database lies on {kind}, where SQLite can lose what it has acknowledged. Move "
            "the data directory to a disk of this machine, or use PostgreSQL.",
        )
    elif kind:
        yield ok("file system", f"The database lies on {kind}.")


def keys_apart(settings: Settings) -> Iterator[Finding]:
    """Whether a lost disk would take the keys along with the database."""
    files = keyfiles.directory(settings.data_dir)
    if settings.pepper or not os.path.isdir(files):
        return
    yield advice(
        "escrow",
        f"The keys lie in {files}, on the database's own disk, and no backup has them in it. Keep "
        "a copy of that directory in two other places: without the pepper nobody can be told from "
        "anybody.",
    )


def file_system(directory: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that a directory is on; "" where that is not told."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    where = there(directory).resolve()
    found = ("", "")
    for line in lines:
        fields, _, kind = line.partition(" - ")
        point = fields.split()[4].replace("\\040", " ")
        # Of two that are mounted on one another, the later one is seen.
        if where.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind.split()[0])
    return found[1]


def database(settings: Settings) -> Path:
    """SQLite's file."""
    return Path(settings.effective_database_url.reveal().removeprefix("sqlite:///"))


def there(directory: Path) -> Path:
    """The directory, or the nearest above it that is there: whoever writes first makes the rest."""
    whole = Path(os.path.abspath(directory))
    return next(one for one in (whole, *whole.parents) if os.path.exists(one))


def _places(settings: Settings) -> dict[str, Path]:
    places = {
        "checkpoints": settings.effective_checkpoint_dir,
        "backups and tables": settings.effective_cache_dir,
    }
    return {"the database": database(settings).parent} | places if settings.on_sqlite else places
