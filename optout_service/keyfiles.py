"""Where the keys come from: the settings, or files in the data directory.

Files are made by an explicit step and never replaced: a fresh pepper over an existing database
would call everybody "allowed".
"""

import os
import stat
from pathlib import Path
from typing import Final

from optout_service import disk
from optout_service.core.errors import Misconfigured
from optout_service.core.keyring import KeyRing, new_key, parse_key
from optout_service.settings import Settings

_NAMES: Final = {
    "pepper": "OPTOUT_PEPPER",
    "encryption": "OPTOUT_ENCRYPTION_KEYS",
    "signing": "OPTOUT_SIGNING_KEYS",
}


def directory(data_dir: Path) -> Path:
    """Where the key files of a data directory lie."""
    return data_dir / "keys"


def load(settings: Settings) -> KeyRing:
    """The keys: each from the settings where it is set there, else from its file.

    Raises Misconfigured listing every key that is missing or cannot be read, with the ways to give
    it.
    """
    given = {
        "pepper": (settings.pepper,) if settings.pepper else (),
        "encryption": settings.encryption_keys,
        "signing": settings.signing_keys,
    }
    found: dict[str, tuple[bytes, ...]] = {}
    faults: list[str] = []
    for name, secrets in given.items():
        try:
            texts = [secret.reveal() for secret in secrets] or _read(settings.data_dir, name)
            found[name] = tuple(parse_key(text) for text in texts)
        except Misconfigured as fault:
            faults.append(f"{_NAMES[name]}: {fault.detail}")
    if faults:
        raise Misconfigured("\n".join(faults))
    if len(found["pepper"]) != 1:
        raise Misconfigured("OPTOUT_PEPPER: there is exactly one pepper.")
    return KeyRing(found["pepper"][0], found["encryption"], found["signing"])


def create_missing(data_dir: Path) -> bool:
    """Make the data directory and its key files (mode 0600) unless they are there.

    Says whether it made any. Raises Misconfigured when some key files exist and others do not, or
    a database exists without them: then keys were lost, and new ones would hide it.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory(data_dir).mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise Misconfigured(
            f"OPTOUT_DATA_DIR: {data_dir} cannot be made: {fault.strerror}."
        ) from None
    missing = [name for name in _NAMES if not (directory(data_dir) / name).exists()]
    if not missing:
        return False
    if len(missing) < len(_NAMES) or (data_dir / "optout.db").exists():
        raise Misconfigured(
            f"{directory(data_dir)} lacks: {', '.join(missing)}. The database in {data_dir} was "
            "made with them, so new ones would make every check say that nobody opted out. Put "
            "them back from your backup or escrow. To start from nothing, take another directory."
        )
    for name in missing:
        _write(directory(data_dir) / name, new_key())
    disk.sync(directory(data_dir))
    return True


def _read(data_dir: Path, name: str) -> list[str]:
    path = directory(data_dir) / name
    try:
        mode = path.stat().st_mode
        texts = path.read_text(encoding="ascii").split()
    except FileNotFoundError:
        raise Misconfigured(
            f"it is not set, and there is no {path}. Set {_NAMES[name]} or {_NAMES[name]}_FILE; on "
            "the embedded default `optout serve` makes the keys itself."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(f"{path} cannot be read.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise Misconfigured(f"{path} can be read by others. Run: chmod 600 {path}")
    if not texts:
        raise Misconfigured(f"{path} is empty. Put the key back from your backup or escrow.")
    return texts


def _write(path: Path, text: str) -> None:
    """The whole file or none of it, whatever happens meanwhile."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(handle, f"{text}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    os.link(draft, path)
    draft.unlink()
