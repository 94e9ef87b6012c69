"""``optout retention``: what has been kept for long enough goes."""

from dataclasses import asdict

import click

from optout_service.cli.main import json_option, main, opened, settings_options, show_all
from optout_service.settings import Settings


@main.group()
def retention() -> None:
    """How long each kind of data is kept: OPTOUT_KEEP_..., see docs/erasure.md."""


@retention.command()
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@json_option
@settings_options
def run(settings: Settings, dry_run: bool, as_json: bool) -> None:
    """Remove what is older than the settings say, of all tenants. Run it from cron, once a day.

    Suppressions, the ledger's events and the ids of providers' messages stay for ever, and so does
    all of a recipient for whom a hold stands.
    """
    from optout_service.evidence import retention as keeping

    with opened(settings) as rt:
        done = keeping.run(rt, dry_run=dry_run)
    show_all(
        [asdict(one) for one in done if as_json or one.removed or one.held],
        as_json=as_json,
        nothing="Nothing has been kept for too long.",
    )
