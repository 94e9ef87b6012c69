"""``optout doctor``: is all set up as it should be, and how is the rest to be mended?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from optout_service.cli.main import json_option, main, settings_options, show, show_all
from optout_service.settings import Settings

if TYPE_CHECKING:
    from optout_service.doctor.finding import Finding


@main.command()
@click.option(
    "--self-test",
    is_flag=True,
    help="Opt an address of a reserved domain out, by one click at the public URL, in every form.",
)
@json_option
@settings_options
@click.pass_context
def doctor(ctx: click.Context, /, settings: Settings, self_test: bool, as_json: bool) -> None:
    """Look at keys, URL, database, clock, ledgers and checkpoints, and say how to mend what is ill.

    Run it with the settings of the service, as its user. Status 1 if anything is to be mended;
    advice is none. Nothing is recorded but by --self-test.
    """
    from optout_service.doctor.finding import Level

    found = list(_findings(settings, self_test))
    ill = sum(one.level is Level.MEND for one in found)
    rows = [
        {"level": one.level.value, "subject": one.subject, "detail": one.detail} for one in found
    ]
    if as_json:
        show({"to_mend": ill, "findings": rows}, as_json=True)
    else:
        show_all(rows, as_json=False, nothing="")
    ctx.exit(1 if ill else 0)


def _findings(settings: Settings, self_test: bool) -> "Iterator[Finding]":
    from optout_service.core.errors import OptOutError
    from optout_service.doctor import database, hooks, machine, replica
    from optout_service.doctor import self_test as clicks
    from optout_service.doctor import settings as by_settings
    from optout_service.doctor.finding import mend
    from optout_service.providers.twilio import sign

    yield from machine.examine(settings)
    yield from by_settings.examine(settings)
    keys, of_keys = by_settings.keys(settings)
    yield of_keys
    yield database.schema(settings)
    if keys is None:
        return
    with database.opened(settings, keys) as (rt, of_database):
        yield of_database
        if rt is None:
            return
        try:
            yield from database.examine(rt)
            yield from replica.examine(rt)
            if self_test:
                yield from clicks.examine(rt)
                yield from hooks.examine(rt, sign)
        except OptOutError as fault:
            yield mend("database", fault.detail)
