"""``optout scrub``: a list without those who left, from file to file."""

from typing import Any

import click

from optout_service.cli import files, listing
from optout_service.cli.main import json_option, main, opened, settings_options, show
from optout_service.core.errors import InvalidRequest
from optout_service.core.scope import ANY, Scope, kind_of
from optout_service.settings import Settings


@main.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--tenant", required=True, help="The tenant's slug.")
@click.option("--channel", default="email", show_default=True)
@click.option("--topic", help="One of the tenant's topics; none named unless given.")
@click.option("--purpose", help="marketing unless given.")
@click.option(
    "--keep",
    type=click.Choice(["allowed", "suppressed", "all"]),
    default="allowed",
    show_default=True,
    help="Which rows come out; all: with a column that tells the verdict.",
)
@listing.list_options
@click.option("--safe", is_flag=True, help="Make cells harmless that a spreadsheet would compute.")
@json_option
@settings_options
def scrub(
    settings: Settings,
    source: str,
    target: str,
    tenant: str,
    channel: str,
    topic: str | None,
    purpose: str | None,
    keep: str,
    safe: bool,
    as_json: bool,
    **written: Any,
) -> None:
    """Copy a list without those who may not be sent to.

    IN and OUT are files, or - for standard input and output; a name in .gz is packed. Rows stay as
    they are and in order; what is no address is left out. OUT is there whole or not at all; on
    standard output trust it only if the exit status is 0.
    """
    from optout_service.core import lists
    from optout_service.core.digesting import Digester
    from optout_service.core.scrubbing import Counts, Keep, Scrub
    from optout_service.store import tenants

    kind = kind_of(channel)
    asked = Scope.parse(channel, topic, purpose)
    if asked.purpose == ANY:
        raise InvalidRequest("A message has one purpose: marketing or transactional.")
    counts = Counts()
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        with (
            rt.snapshot(found.id, asked) as snapshot,
            files.blocks(source, "scrubbing") as blocks,
            files.written(target) as out,
        ):
            read = lists.read(blocks, listing.told(source, kind, **written))
            digested = rt.hands.all(Digester(read, kind, rt.keys), read.blocks)
            done = Scrub(read, digested, snapshot.probe, Keep(keep), safe, counts)
            for piece in done.pieces():
                out.write(piece)
    shown = {
        "rows": counts.rows,
        "suppressed": counts.suppressed,
        "invalid": counts.invalid,
        "as_of": snapshot.as_of,
    }
    show(shown, as_json=as_json, err=target == "-")
