"""One file for many: a tar, encrypted in the age format where there are recipients for it.

Both can be opened without us: ``age --decrypt --identity KEY BACKUP | tar x``, or ``tar xf BACKUP``
(POSIX.1-2001; https://age-encryption.org/v1).
"""

import os
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

import pyrage
from pyrage import x25519

from optout_service import disk
from optout_service.core.errors import Conflict, InvalidRequest, Malformed

MANIFEST: Final = "manifest.json"
CHECKPOINTS: Final = "checkpoints"
_NAMES: Final = re.compile(
    rf"manifest\.json|optout\.(?:db|dump)|{CHECKPOINTS}/[0-9]+(?:\.released)?\.jsonl", re.ASCII
)
_AGE: Final = b"age-encryption.org/"
_UNREADABLE: Final = "This is no backup, or not all of it."


def recipients(texts: Sequence[str]) -> list[x25519.Recipient]:
    """The public keys to encrypt to, ``age1...`` each. Raises InvalidRequest."""
    try:
        return [x25519.Recipient.from_str(text.strip()) for text in texts]
    except pyrage.RecipientError:
        raise InvalidRequest(
            "--recipient: a recipient is written age1…, as age-keygen or `optout db new-identity` "
            "prints it.",
            field="recipient",
        ) from None


def identities(file: Path) -> list[x25519.Identity]:
    """The private keys in a file, as age-keygen writes it. Raises InvalidRequest and OSError."""
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        found = [x25519.Identity.from_str(one) for one in lines if one and one[0] != "#"]
    except (pyrage.IdentityError, UnicodeError):
        found = []
    if not found:
        raise InvalidRequest(
            "--identity: the file has no lines AGE-SECRET-KEY-1…, or others besides.",
            field="identity",
        )
    return found


def pack(folder: Path, names: Sequence[str], out: Path, to: Sequence[x25519.Recipient]) -> None:
    """Put these files of a folder into the new file ``out``, the manifest first.

    Mode 0600; whole, and on the disk, or not at all. Raises Conflict where ``out`` exists, OSError.
    """
    require_new(out)
    try:
        with disk.drafted(out) as draft:
            if to:
                tar = folder / "tar"
                _write_tar(folder, names, tar)
                with tar.open("rb") as plain, disk.new(draft) as sealed:
                    pyrage.encrypt_io(plain, sealed, to)
            else:
                _write_tar(folder, names, draft)
    except FileExistsError:
        raise _there_is(out) from None


def unpack(file: Path, folder: Path, by: Sequence[x25519.Identity]) -> None:
    """Lay the files of a backup out in a folder. Nothing else can come of it, whatever it holds.

    Raises InvalidRequest (it is encrypted, and no identity fits), Malformed, and OSError.
    """
    tar = file
    with file.open("rb") as raw:
        if raw.read(len(_AGE)) == _AGE:
            raw.seek(0)
            tar = folder / "tar"
            _decrypt(raw, tar, by)
    (folder / CHECKPOINTS).mkdir(mode=0o700)
    try:
        with tarfile.open(tar, "r:") as packed:
            for member in packed:
                _lay_out(packed, member, folder)
    except (tarfile.TarError, EOFError, ValueError):
        raise Malformed(_UNREADABLE) from None
    if tar != file:
        tar.unlink()


def new_identity() -> tuple[str, str]:
    """A new pair of keys: the private one, ``AGE-SECRET-KEY-1...``, and its recipient."""
    made = x25519.Identity.generate()
    return str(made), str(made.to_public())


def require_new(out: Path) -> None:
    """Raises Conflict where there is something at ``out``."""
    if os.path.lexists(out):
        raise _there_is(out)


def _there_is(out: Path) -> Conflict:
    return Conflict(f"{out} exists, and is not overwritten. Take another name.")


def _write_tar(folder: Path, names: Sequence[str], target: Path) -> None:
    form = tarfile.PAX_FORMAT
    with disk.new(target) as file, tarfile.open(fileobj=file, mode="w", format=form) as packed:
        for name in names:
            packed.add(folder / name, name, recursive=False, filter=_anonymous)
            if name != MANIFEST:
                (folder / name).unlink()  # so that no more than two copies need room at once


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _decrypt(raw: IO[bytes], target: Path, by: Sequence[x25519.Identity]) -> None:
    if not by:
        raise InvalidRequest("This backup is encrypted. Give the key's file: --identity FILE.")
    try:
        with disk.new(target) as plain:
            pyrage.decrypt_io(raw, plain, by)
    except pyrage.DecryptError:
        raise InvalidRequest(
            "None of the identities opens this backup. Take the file of the key whose recipient "
            "it was made for.",
            field="identity",
        ) from None
    except OSError as fault:
        if fault.errno is not None:
            raise
        raise Malformed(_UNREADABLE) from None


def _lay_out(packed: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    source = packed.extractfile(member) if member.isreg() else None
    if source is None or not _NAMES.fullmatch(member.name):
        raise Malformed("This is no backup: it holds what none of ours does.")
    try:
        with disk.new(folder / member.name) as target:
            while block := source.read(1024 * 1024):
                target.write(block)
    except FileExistsError:
        raise Malformed("This is no backup: it holds something twice.") from None
