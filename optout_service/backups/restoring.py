"""A backup is proven, and put back where nothing is.

What was recorded after it was made is not in it. So what is put back begins in quarantine: opt-outs
are taken, no check is answered, and an operator goes on with it (``evidence.quarantine``).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from optout_service.backups import archive
from optout_service.backups.making import ledgers_of, part_of, workplace
from optout_service.core.errors import InvalidRequest, Malformed, WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.core.manifest import Manifest, from_text, is_good, missing_keys
from optout_service.core.policy import PLATFORM
from optout_service.core.signing import Signatures
from optout_service.evidence import checkpoints
from optout_service.evidence.checkpoints import Kept
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import chain, copying, migrating, seal


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that is what its manifest says, laid out in a folder for as long as it is used."""

    folder: Path
    manifest: Manifest

    @property
    def database(self) -> Path:
        """The copy of the database."""
        return self.folder / copying.FILE_NAMES[self.manifest.database]

    @property
    def checkpoints(self) -> Path:
        """The directory of its checkpoints."""
        return self.folder / archive.CHECKPOINTS


def check(
    settings: Settings, keys: KeyRing, backup: Path, identity: Path | None, scratch: str = ""
) -> Manifest:
    """Prove a backup: signature, parts, keys, and every ledger along its chain to its head.

    ``settings`` say where there is room to work, and no more. ``scratch``: the URL of an empty
    database of PostgreSQL, for a copy of one, which is left there in quarantine. Raises Malformed
    for what is not whole, WrongKeys, InvalidRequest, and what ``copying.put_back`` raises.
    """
    with opened(settings, keys, backup, identity) as found:
        if found.manifest.database == "sqlite":
            url = f"sqlite:///{found.database}"
        elif scratch:
            url = scratch
            copying.put_back(found.database, url)
        else:
            raise InvalidRequest(
                "This is a backup of PostgreSQL. To walk its ledgers give an empty database for a "
                "copy: --scratch postgresql://…; drop it when you have seen enough.",
                field="scratch",
            )
        _prove(_at(settings, found, url), keys, found, by_checkpoints=True)
    return found.manifest


def restore(settings: Settings, keys: KeyRing, backup: Path, identity: Path | None) -> Manifest:
    """Put a backup back into the database of these settings, where nothing is, in quarantine.

    Its checkpoints are laid beside those that are there, never over them: these may be newer, and
    tell what was lost. Raises Conflict where something is, and as ``check`` does.
    """
    url = settings.effective_database_url.reveal()
    copying.require_empty(url)
    with opened(settings, keys, backup, identity) as found:
        if (found.manifest.database == "sqlite") != settings.on_sqlite:
            raise InvalidRequest(
                f"This is a backup of {found.manifest.database}, and can be put back into that "
                "alone: --to names another kind of database.",
                field="to",
            )
        if settings.on_sqlite:
            # Proven, and in quarantine, before it has a name that a service could start with.
            _prove(_at(settings, found, f"sqlite:///{found.database}"), keys, found)
            _keep_checkpoints(found, settings.effective_checkpoint_dir)
            copying.put_back(found.database, url)
        else:
            _keep_checkpoints(found, settings.effective_checkpoint_dir)
            copying.put_back(found.database, url)
            _prove(_at(settings, found, url), keys, found)
    return found.manifest


@contextmanager
def opened(
    settings: Settings, keys: KeyRing, backup: Path, identity: Path | None
) -> Iterator[Opened]:
    """A backup laid out, once its manifest is ours and its parts are those of the manifest.

    Raises Malformed, WrongKeys (it was made with keys that are not here), InvalidRequest, OSError.
    """
    by = archive.identities(identity) if identity is not None else []
    with workplace(settings) as folder:
        archive.unpack(backup, folder, by)
        yield Opened(folder, _manifest(folder, keys))


def _manifest(folder: Path, keys: KeyRing) -> Manifest:
    try:
        found = from_text((folder / archive.MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        raise Malformed("This is no backup: it has no manifest that can be read.") from None
    if missing := missing_keys(found, keys):
        raise WrongKeys(
            f"The backup was made with the keys {', '.join(missing)} (fingerprints), which are not "
            "here. A backup holds no keys: put those from your escrow into the directory keys of "
            "the data directory, or into OPTOUT_PEPPER, OPTOUT_ENCRYPTION_KEYS and "
            "OPTOUT_SIGNING_KEYS."
        )
    if not is_good(found, Signatures(keys).public_keys(PLATFORM)):
        raise Malformed("The manifest is not signed by our keys: it was edited, or forged.")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    named = {part.name: part for part in found.parts}
    if there - {archive.MANIFEST} != named.keys():
        raise Malformed("The backup does not hold the parts that its manifest names.")
    for name, part in named.items():
        if part_of(folder, name) != part:
            raise Malformed(f"{name} in the backup is not what the manifest says: it was changed.")
    if found.database not in copying.FILE_NAMES:
        raise Malformed("The backup is of a kind of database that this release does not know.")
    if copying.FILE_NAMES[found.database] not in named:
        raise Malformed("The backup has no database in it.")
    return found


def _at(settings: Settings, found: Opened, url: str) -> Settings:
    """Settings to look into a copy with, held to the checkpoints of its backup alone."""
    return replace(
        settings,
        database_url=Secret(url),
        checkpoint_dir=str(found.checkpoints),
        cache_dir=str(found.folder / "cache"),
        metrics_port=0,
    )


def _prove(
    settings: Settings, keys: KeyRing, found: Opened, *, by_checkpoints: bool = False
) -> None:
    """Put a copy in quarantine, then walk its ledgers. Raises as ``check`` does.

    One of an older release gets this one's schema first, in which ledgers are read.

    By its checkpoints too, for a check. To be put back it need not meet them: a backup made during
    a quarantine does not, and may be all that is left.
    """
    migrating.upgrade_older(settings.effective_database_url.reveal())
    rt = Runtime.build(settings, keys)
    try:
        with rt.writing() as connection:
            seal.quarantine(connection, keys)
        with rt.reading() as connection:
            copying.require_intact(connection)
            if ledgers_of(connection) != found.manifest.ledgers:
                raise Malformed("The ledgers in the copy stand elsewhere than the manifest says.")
        for ledger in found.manifest.ledgers:
            kept = checkpoints.read(rt, ledger.number) if by_checkpoints else Kept(())
            with rt.reading() as connection:
                walked = chain.verify(connection, ledger.number, keys, kept.marks)
            if fault := " ".join(filter(None, (walked.fault, *kept.faults))):
                raise Malformed(f"The ledger of {ledger.tenant} is not whole: {fault}")
    finally:
        rt.close()


def _keep_checkpoints(found: Opened, directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in sorted(found.checkpoints.iterdir()):
        target = directory / file.name
        if not target.exists():
            shutil.copyfile(file, target)
            target.chmod(0o600)
