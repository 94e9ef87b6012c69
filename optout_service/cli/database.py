"""``optout db``: schema and keys, do they fit?"""

from pathlib import Path

import click

from optout_service import keyfiles
from optout_service.cli.files import written
from optout_service.cli.main import json_option, main, opened, settings_options, show
from optout_service.core.errors import OptOutError
from optout_service.core.keyring import new_key
from optout_service.settings import Settings


@main.group()
def db() -> None:
    """The schema of the database, and its keys."""


@db.command()
@json_option
@settings_options
def upgrade(settings: Settings, as_json: bool) -> None:
    """Bring the schema up to date, and seal a new database with the keys. Safe to run again."""
    from optout_service.runtime import Runtime
    from optout_service.store import revisions

    if settings.embedded:
        keyfiles.create_missing(settings.data_dir)
    Runtime.set_up(settings, keyfiles.load(settings)).close()
    standing = revisions.status(settings.effective_database_url.reveal())
    show({"current": standing.current, "up_to_date": standing.up_to_date}, as_json=as_json)


@db.command()
@json_option
@settings_options
@click.pass_context
def status(ctx: click.Context, settings: Settings, as_json: bool) -> None:
    """Say where the schema stands and whether the keys fit. Status 1 unless all is well."""
    from optout_service.store import revisions

    schema = revisions.status(settings.effective_database_url.reveal())
    fit, why = True, "they fit"
    try:
        with opened(settings):
            pass
    except OptOutError as error:
        fit, why = False, error.detail
    show(
        {
            "database": "sqlite" if settings.on_sqlite else "postgresql",
            "current": schema.current,
            "newest": schema.newest,
            "up_to_date": schema.up_to_date,
            "ready": fit,
            "keys": why,
        },
        as_json=as_json,
    )
    ctx.exit(0 if schema.up_to_date and fit else 1)


@db.command("new-key")
def new_key_() -> None:
    """Print a new key, for OPTOUT_PEPPER or to add at the end of a ring."""
    click.echo(new_key())


@db.command("new-identity")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new_identity_(file: Path) -> None:
    """Make a key that opens backups: the private one in the new FILE, its recipient printed.

    Keep FILE where the service is not. It is in the age format, as age-keygen makes it.
    """
    from optout_service.backups import archive

    archive.require_new(file)
    identity, recipient = archive.new_identity()
    with written(str(file)) as target:
        target.write(f"# public key: {recipient}\n{identity}\n".encode())
    click.echo(recipient)
