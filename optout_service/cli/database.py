"""``optout db``: schema and keys, do they fit? ``optout evidence``: is the ledger whole?"""

import click

from optout_service import keyfiles
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
    from optout_service.store import migrating

    if settings.embedded:
        keyfiles.create_missing(settings.data_dir)
    Runtime.set_up(settings, keyfiles.load(settings)).close()
    standing = migrating.status(settings.effective_database_url.reveal())
    show({"current": standing.current, "up_to_date": standing.up_to_date}, as_json=as_json)


@db.command()
@json_option
@settings_options
@click.pass_context
def status(ctx: click.Context, settings: Settings, as_json: bool) -> None:
    """Say where the schema stands and whether the keys fit. Status 1 unless all is well."""
    from optout_service.store import migrating

    schema = migrating.status(settings.effective_database_url.reveal())
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


@main.group()
def evidence() -> None:
    """The ledger: what happened, provably."""


@evidence.command()
@click.option("--tenant", required=True, help="The tenant's slug.")
@json_option
@settings_options
@click.pass_context
def verify(ctx: click.Context, settings: Settings, tenant: str, as_json: bool) -> None:
    """Walk a tenant's ledger along its hash chain. Status 1 if anything was edited or is gone."""
    from optout_service.store import chain, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.get(connection, tenant)
        walked = chain.verify(connection, found.id, rt.keys)
    show(
        {
            "tenant": tenant,
            "whole": walked.whole,
            "events": walked.events,
            "head": walked.head.hex(),
            "broken_at": walked.broken_at,
            "fault": walked.fault,
        },
        as_json=as_json,
    )
    ctx.exit(0 if walked.whole else 1)
