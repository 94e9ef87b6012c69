"""Where the keys come from: the settings, or files in the data directory.

Files are made by an explicit step and never replaced: a fresh pepper over an existing database
would call everybody "allowed".
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from optout_service import disk
from optout_service.core.errors import Misconfigured
from optout_service.core.keyring import KeyRing, fingerprint, new_key, parse_key
from optout_service.knobs import Secret
from optout_service.settings import Settings

RINGS: Final = {
    "pepper": "OPTOUT_PEPPER",
    "encryption": "OPTOUT_ENCRYPTION_KEYS",
    "signing": "OPTOUT_SIGNING_KEYS",
}
"""The rings, as their files are called, and the settings that go before these."""


def directory(data_dir: Path) -> Path:
    """Where the key files of a data directory lie."""
    return data_dir / "keys"


def load(settings: Settings) -> KeyRing:
    """The keys: each from the settings where it is set there, else from its file.

    Raises Misconfigured listing every key that is missing or cannot be read, with the ways to give
    it.
    """
    found: dict[str, tuple[bytes, ...]] = {}
    faults: list[str] = []
    for name, secrets in _given(settings).items():
        try:
            texts = [secret.reveal() for secret in secrets] or _read(settings.data_dir, name)
            found[name] = tuple(parse_key(text) for text in texts)
        except Misconfigured as fault:
            faults.append(f"{RINGS[name]}: {fault.detail}")
    if faults:
        raise Misconfigured("\n".join(faults))
    for name, keys in found.items():
        if len(set(keys)) < len(keys):
            raise Misconfigured(f"{RINGS[name]}: the same key is in it twice. Take one out.")
    pepper, *covers = found["pepper"]
    return KeyRing(pepper, found["encryption"], found["signing"], tuple(covers))


def add(settings: Settings, name: str) -> str:
    """Add a new key at the end of a ring's file, and give its fingerprint.

    The file is whole at every moment, the old one or the new. Raises Misconfigured where the ring
    comes from the settings, or its file cannot be read.
    """
    if _given(settings)[name]:
        raise Misconfigured(
            f"{RINGS[name]} is set, so the file keys/{name} is not read. Make a key with: optout "
            f"db new-key; and add it at the end of {RINGS[name]}, or of the file it is read from."
        )
    known = _read(settings.data_dir, name)
    made = _new_beside(known)
    path = directory(settings.data_dir) / name
    with disk.drafted(path, replace=True) as draft, disk.new(draft) as file:
        file.write("".join(f"{text}\n" for text in (*known, made)).encode())
    return fingerprint(parse_key(made))


def _new_beside(known: Sequence[str]) -> str:
    """A new key whose fingerprint begins as none of these does: a sealed text begins so too."""
    taken = {fingerprint(parse_key(text))[:2] for text in known}
    while True:
        made = new_key()
        if fingerprint(parse_key(made))[:2] not in taken:
            return made


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
    missing = [name for name in RINGS if not (directory(data_dir) / name).exists()]
    if not missing:
        return False
    if len(missing) < len(RINGS) or (data_dir / "optout.db").exists():
        raise Misconfigured(
            f"{directory(data_dir)} lacks: {', '.join(missing)}. The database in {data_dir} was "
            "made with them, so new ones would make every check say that nobody opted out. Put "
            "them back from your backup or escrow. To start from nothing, take another directory."
        )
    for name in missing:
        _write(directory(data_dir) / name, new_key())
    disk.sync(directory(data_dir))
    return True


def _given(settings: Settings) -> dict[str, tuple[Secret, ...]]:
    return {
        "pepper": settings.pepper,
        "encryption": settings.encryption_keys,
        "signing": settings.signing_keys,
    }


def _read(data_dir: Path, name: str) -> list[str]:
    path = directory(data_dir) / name
    try:
        mode = path.stat().st_mode
        texts = path.read_text(encoding="ascii").split()
    except FileNotFoundError:
        raise Misconfigured(
            f"it is not set, and there is no {path}. Set {RINGS[name]} or {RINGS[name]}_FILE; on "
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
