"""``optout backup`` and ``optout restore``: a copy of all, proven, and put back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from optout_service import keyfiles, knobs
from optout_service.cli.main import json_option, main, opened, settings_options, show
from optout_service.core.errors import Misconfigured
from optout_service.core.keyring import KeyRing
from optout_service.core.manifest import Manifest
from optout_service.knobs import NO_SECRET, Secret
from optout_service.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_WHAT_NOW = """\
It is in quarantine: no check is answered until optout evidence release.
Before that, with the files erased-*.jsonl of the lost machine beside its checkpoints:
optout erase --replay, since whoever was erased after the backup was made is in it again."""


@main.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="age1…",
    help="Encrypt it to this public key (age); any number. See: optout db new-identity",
)
@json_option
@settings_options
def backup(settings: Settings, out: Path, recipients: tuple[str, ...], as_json: bool) -> None:
    """Write the database, its checkpoints and a signed manifest to the new file OUT.

    Of one state, while the service goes on. The keys are not in it: keep them elsewhere.
    """
    from optout_service.backups import making

    with opened(settings) as rt:
        made = making.make(rt, out, recipients)
    show({"file": str(out), "encrypted": bool(recipients)} | _told(made), as_json=as_json)


@main.command()
@click.argument("backup", type=_FILE)
@click.option("--check", is_flag=True, help="Prove it, and leave everything as it is.")
@click.option("--to", metavar="DATA_DIR|URL", help="Put it back there, where no database is.")
@click.option("--identity", type=_FILE, help="The file of the private key, if it is encrypted.")
@click.option(
    "--scratch", metavar="URL", default="", help="An empty PostgreSQL database, to check one in."
)
@json_option
@settings_options
def restore(
    settings: Settings,
    backup: Path,
    check: bool,
    to: str | None,
    identity: Path | None,
    scratch: str,
    as_json: bool,
) -> None:
    """Prove a BACKUP (--check), or put it back (--to).

    Proven are the manifest's signature, all parts, the keys, and every ledger along its chain. What
    is put back begins in quarantine, since it may be older than what was recorded: docs/backup.md.
    """
    from optout_service.backups import restoring
    from optout_service.evidence import erasures

    if check == (to is not None):
        raise click.UsageError("Give --check to prove the backup, or --to to put it back.")
    if to is None:
        url = _database(scratch).reveal()
        made = restoring.check(settings, _keys(settings), backup, identity, url)
        show({"file": str(backup), "whole": True} | _told(made), as_json=as_json)
        return
    target = _target(settings, to)
    made = restoring.restore(target, _keys(target), backup, identity)
    known = erasures.written_since(target.effective_checkpoint_dir, made.made_at)
    told = {"file": str(backup), "whole": True} | _told(made)
    told |= {"restored_to": _named(to), "erasures_since": known}
    show(told, as_json=as_json)
    if not as_json:
        click.echo(_WHAT_NOW)


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at,
        "database": manifest.database,
        "schema": manifest.schema,
        "release": manifest.release,
        "ledgers": len(manifest.ledgers),
        "events": manifest.events,
    }


def _target(settings: Settings, to: str) -> Settings:
    if ":/" in to:
        return replace(settings, database_url=_database(to))
    return replace(settings, data_dir=Path(to), database_url=NO_SECRET)


def _named(to: str) -> str:
    """A URL may have a password in it."""
    return "the database given" if ":/" in to else to


def _database(url: str) -> Secret:
    try:
        return knobs.database(url)
    except knobs.Fault as fault:
        raise click.UsageError(f"The URL of the database {fault}.") from None


def _keys(settings: Settings) -> KeyRing:
    try:
        return keyfiles.load(settings)
    except Misconfigured as fault:
        raise Misconfigured(
            "A backup holds no keys. Put those it was made with, from your escrow, into "
            f"{keyfiles.directory(settings.data_dir)} or the environment first.\n{fault.detail}"
        ) from None
