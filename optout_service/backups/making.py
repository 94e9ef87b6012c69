"""A backup is made: a copy of one state while acts go on, the checkpoints, and what proves both."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from optout_service import __version__
from optout_service.backups import archive
from optout_service.core.manifest import Ledger, Manifest, Part, as_text, sign
from optout_service.evidence import backed_up
from optout_service.runtime import Connection, Runtime
from optout_service.settings import Settings
from optout_service.store import chain, copying, revisions, seal

_CHECKPOINT_FILES: Final = "[0-9]*.jsonl"


def make(rt: Runtime, out: Path, recipients: Sequence[str] = ()) -> Manifest:
    """Write a backup to the new file ``out``, encrypted to these recipients if there are any.

    Needs room for two copies of the database at once. Raises Conflict where ``out`` exists,
    InvalidRequest (no recipient), Misconfigured (no pg_dump), StoreUnavailable and OSError; then
    there is no ``out``.
    """
    to = archive.recipients(recipients)
    archive.require_new(out)
    with workplace(rt.settings) as folder:
        # Before the database: one that is written meanwhile would be ahead of the copy.
        kept = _copy_checkpoints(rt.settings.effective_checkpoint_dir, folder)
        database = copying.FILE_NAMES[rt.database.dialect]
        at = rt.now()
        with rt.reading_one_state() as connection:
            schema = revisions.revision_of(connection) or ""
            ledgers = ledgers_of(connection)
            peppers = seal.regime_of(connection, rt.keys).written
            url = rt.settings.effective_database_url.reveal()
            copying.copy(connection, url, folder / database)
        names = (database, *kept)
        prints = rt.keys.fingerprints
        manifest = sign(
            rt.signatures,
            Manifest(
                origin=rt.settings.public_url,
                release=__version__,
                made_at=at,
                database=rt.database.dialect,
                schema=schema,
                ledgers=ledgers,
                pepper=" ".join((prints.pepper, *prints.covers)[:peppers]),
                encryption=prints.encryption,
                signing=prints.signing,
                parts=tuple(part_of(folder, name) for name in names),
            ),
        )
        (folder / archive.MANIFEST).write_text(as_text(manifest), encoding="utf-8")
        archive.pack(folder, (archive.MANIFEST, *names), out, to)
    backed_up.note(rt.settings, at)
    return manifest


@contextmanager
def workplace(settings: Settings) -> Iterator[Path]:
    """A directory for copies, gone afterwards: on the disk that has room for the database."""
    where = settings.effective_cache_dir
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="backup-", dir=where) as folder:
        yield Path(folder)


def ledgers_of(connection: Connection) -> tuple[Ledger, ...]:
    """Where every ledger stands in a database."""
    stands = chain.positions(connection)
    return tuple(Ledger(one.tenant, one.slug, one.seq, one.head.hex()) for one in stands)


def part_of(folder: Path, name: str) -> Part:
    """What there is to say of a file. Raises OSError."""
    path = folder / name
    with path.open("rb") as file:
        return Part(name, path.stat().st_size, file_digest(file, "sha256").hexdigest())


def _copy_checkpoints(source: Path, folder: Path) -> list[str]:
    (folder / archive.CHECKPOINTS).mkdir(mode=0o700)
    names = []
    for file in sorted(source.glob(_CHECKPOINT_FILES)):
        name = f"{archive.CHECKPOINTS}/{file.name}"
        shutil.copyfile(file, folder / name)
        names.append(name)
    return names
