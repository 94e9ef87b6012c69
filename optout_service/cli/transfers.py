"""``optout import|export``: whole lists of those who must not be sent to, in and out."""

from typing import Any, Final

import click

from optout_service.cli import files
from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.core import layouts
from optout_service.core.evidence import Authority, Reason
from optout_service.core.exports import Format
from optout_service.core.imports import Asked, sniffed
from optout_service.core.scope import ANY, Scope, kind_of
from optout_service.settings import Settings

_TENANT = click.option("--tenant", required=True, help="The tenant's slug.")
_REASONS = click.Choice([reason.value for reason in Reason])
_SHOWN_REJECTS: Final = 20


@main.command("import")
@click.argument("source", metavar="FILE")
@_TENANT
@click.option(
    "--format",
    "format_",
    default=layouts.AUTO,
    show_default=True,
    metavar="NAME",
    help=f"Whose list it is: {', '.join(layouts.formats())}.",
)
@click.option("--channel", help="For rows that name none; * for all of a phone's.")
@click.option("--topic", help="For rows that name none; * unless given.")
@click.option("--purpose", help="For rows that name none; marketing unless given.")
@click.option(
    "--reason",
    type=click.Choice([*Reason]),
    help="For rows that tell none; opted_out unless given.",
)
@click.option("--reference", help="What to note with each, such as where the list is from.")
@click.option("--charset", help="UTF-8 unless given.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be done.")
@json_option
@settings_options
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    settings: Settings,
    source: str,
    tenant: str,
    charset: str | None,
    dry_run: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Take in a list of opt-outs: your own, or another system's, known by its columns.

    FILE is CSV, NDJSON, JSON or one address a line; - for standard input, .gz is unpacked. It can
    only add, and is safe to run again. Status 1 if not one row could be taken.
    """
    from optout_service.store import tenants
    from optout_service.transfers.imports import Import, Importer

    asked = _asked(**said)
    channel = asked.channel or ANY
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        importer = Importer(
            tenant=found.id, actor="operator:cli", authority=Authority.ADMIN, may_legal=True
        )
        importing = Import(rt, importer, asked, rehearsal=dry_run)
        with files.blocks(source, "importing") as blocks:
            kind = None if channel == ANY else kind_of(channel)
            for _ in importing.run(*sniffed(blocks, charset, kind)):
                pass
    tally = importing.tally
    _show_tally(tally, dry_run, as_json=as_json)
    ctx.exit(1 if tally.invalid and tally.invalid == tally.rows else 0)


def _asked(*, format_: str, reason: str | None, **said: Any) -> Asked:
    return Asked(format=format_, reason=None if reason is None else Reason(reason), **said)


def _show_tally(tally: Any, dry_run: bool, *, as_json: bool) -> None:
    shown = {
        "format": tally.layout.name,
        "recognised_by": sorted(tally.layout.needs),
        "dry_run": dry_run,
        "rows": tally.rows,
        "added": tally.added,
        "unchanged": tally.unchanged,
        "skipped": tally.skipped,
        "invalid": tally.invalid,
    }
    rejects = [{"row": reject.row, "detail": reject.detail} for reject in tally.rejects]
    if as_json:
        show(shown | {"rejects": rejects}, as_json=True)
        return
    show(shown | {"recognised_by": ", ".join(shown["recognised_by"])}, as_json=False)
    if rejects:
        click.echo()
        show_all(rejects[:_SHOWN_REJECTS], as_json=False, nothing="")


@main.command("export")
@click.argument("target", metavar="[OUT]", default="-")
@_TENANT
@click.option(
    "--format",
    "format_",
    type=click.Choice([format_.value for format_ in Format]),
    default=Format.SHA256.value,
    show_default=True,
    help="sha256 is no mailing list; csv and ndjson have the addresses in clear.",
)
@click.option("--channel", default=ANY, help="What forbids messages of this channel alone.")
@click.option("--topic", help="What forbids messages of this topic alone.")
@click.option("--reason", type=_REASONS)
@json_option
@settings_options
def export(
    settings: Settings,
    target: str,
    tenant: str,
    format_: str,
    channel: str,
    topic: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Write what stands at a tenant to a file, or to standard output.

    OUT is there whole or not at all, and only you can read it; a name in .gz is packed. On standard
    output trust it only if the exit status is 0.
    """
    from optout_service.store import tenants
    from optout_service.transfers.exports import Export

    covering = Scope.parse(channel, topic)
    with opened(settings) as rt, rt.reading_one_state() as connection:
        found = tenants.get(connection, tenant)
        tenants.require_topics(connection, found.id, [covering.topic])
        exporting = Export(
            found.id,
            Format(format_),
            covering,
            None if reason is None else Reason(reason),
            lambda address: address.spoken,
        )
        with files.written(target) as out:
            for piece in exporting.begin(connection, rt.keys):
                out.write(piece)
    shown = {
        "rows": exporting.rows,
        "not_exportable": exporting.not_exportable,
        "as_of": exporting.as_of,
    }
    show(shown, as_json=as_json, err=target == "-")
