"""``optout link``: an unsubscribe link for one message, or one for each row of a list."""

from collections.abc import Callable
from typing import Any, Final

import click

from optout_service.cli import files, listing
from optout_service.cli.main import (
    json_option,
    main,
    opened,
    read_address,
    settings_options,
    show,
    show_all,
)
from optout_service.core.address import Address
from optout_service.core.headers import headers
from optout_service.core.scope import Scope, kind_of
from optout_service.core.token import Claim
from optout_service.settings import Settings

_SHOWN_REJECTS: Final = 20


@main.command()
@click.option("--tenant", required=True, help="The tenant's slug.")
@click.option("--address", help="An address, or - to read it from standard input.")
@click.option(
    "--csv",
    "files_",
    type=(str, str),
    metavar="IN OUT",
    help="Instead of --address: a list, which gets a column unsubscribe_url.",
)
@click.option("--channel", default="email", show_default=True)
@click.option("--topic", help="One of the tenant's topics; none named unless given.")
@click.option("--message", default="", help="Your own id of the message.")
@click.option("--language", default="", help="The language of its reader, such as de.")
@listing.list_options
@json_option
@settings_options
@click.pass_context
def link(
    ctx: click.Context,
    /,
    settings: Settings,
    tenant: str,
    address: str | None,
    files_: tuple[str, str] | None,
    channel: str,
    topic: str | None,
    message: str,
    language: str,
    as_json: bool,
    **written: Any,
) -> None:
    """Mint an unsubscribe link, and the two header fields for the mail (RFC 8058).

    With --csv, one for each row of a list, in all the ways of writing one that scrub reads. IN and
    OUT are files, or - for standard input and output; a name in .gz is packed. Rows stay as they
    are and in order. A row without an address gets an empty cell and is told of by its number, and
    the status is 1. OUT is there whole or not at all; standard output is whole if the counts follow
    on standard error.
    """
    from optout_service.store import tenants

    if (address is None) == (files_ is None):
        raise click.UsageError("Give either --address or --csv.")
    scope = Scope.parse(channel, topic)
    given = None if address is None else Address.parse_for(channel, read_address(address))
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
            tenants.require_topics(connection, found.id, [scope.topic])

        def url_of(address: Address) -> str:
            claim = Claim(found.id, scope.channel, address, scope.topic, message, language)
            return f"{settings.public_url}/u/{rt.links.mint(claim)}"

        if files_ is not None:
            ctx.exit(_link_list(files_, channel, url_of, written, as_json=as_json))
        assert given is not None
        url = url_of(given)
    show({"url": url} | headers(url, settings.mailto), as_json=as_json)


def _link_list(
    names: tuple[str, str],
    channel: str,
    url_of: Callable[[Address], str],
    written: dict[str, Any],
    *,
    as_json: bool,
) -> int:
    """Copy a list with its links, and give the exit status."""
    from optout_service.core import lists
    from optout_service.transfers.links import Linking

    source, target = names
    kind = kind_of(channel)
    with files.blocks(source, "linking") as blocks, files.written(target) as out:
        read = lists.read(blocks, listing.told(source, kind, **written))
        linking = Linking(read, lambda text: url_of(Address.parse(kind, text)))
        for piece in linking.pieces():
            out.write(piece)
    _show_done(linking, as_json=as_json, err=target == "-")
    return 1 if linking.invalid else 0


def _show_done(linking: Any, *, as_json: bool, err: bool) -> None:
    counts = {"rows": linking.rows, "invalid": linking.invalid}
    rejects = [{"row": reject.row, "detail": reject.detail} for reject in linking.rejects]
    if as_json:
        show(counts | {"rejects": rejects}, as_json=True, err=err)
        return
    show(counts, as_json=False, err=err)
    if rejects:
        click.echo(err=err)
        show_all(rejects[:_SHOWN_REJECTS], as_json=False, nothing="", err=err)
