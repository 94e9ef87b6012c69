"""``optout mail-in|mailbox``: mail that comes in through a pipe, and whose mailboxes there are."""

import sys
from typing import Any, BinaryIO, Final

import click

from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.cli.setup import TENANT
from optout_service.core.errors import Malformed, OptOutError
from optout_service.settings import Settings

_DATAERR: Final = 65
_TEMPFAIL: Final = 75
"""What sysexits.h calls EX_DATAERR and EX_TEMPFAIL: a mail server returns it, or tries again."""

_ADDRESS = click.argument("address")
_BLOCK: Final = 64 * 1024


class _Delivery(click.Command):
    """A command that a mail server runs: it fails for now, unless it can never do.

    Any other status, that of wrong usage too, would send somebody's request back to them.
    """

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as fault:
            fault.show()
            sys.exit(_TEMPFAIL)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as fault:  # a fault of ours is no reason to refuse a request either
            told = fault.detail if isinstance(fault, OptOutError) else type(fault).__name__
            click.echo(f"error: {told}", err=True)
            ctx.exit(_DATAERR if isinstance(fault, Malformed) else _TEMPFAIL)


@main.command("mail-in", cls=_Delivery)
@click.argument("message", type=click.File("rb"), default="-")
@settings_options
def mail_in(settings: Settings, message: BinaryIO) -> None:
    """Take in one message, as a mail server's pipe hands it over (docs/mail.md).

    It comes from standard input, or from a file. Of one over OPTOUT_MAX_BODY_BYTES the beginning is
    read. Status 0: stored, or nothing to store; 75: not stored, try again; 65: no message.
    """
    from optout_service.core.mail.told import Envelope
    from optout_service.mailroom.receiving import receive

    raw = _beginning(message, settings.max_body_bytes)
    with opened(settings) as rt:
        click.echo(receive(rt, raw, Envelope()))


def _beginning(stream: BinaryIO, length: int) -> bytes:
    """The first bytes. The rest is read too: a mail server takes a closed pipe for a fault."""
    raw = stream.read(length)
    while stream.read(_BLOCK):
        pass
    return raw


@main.group()
def mailbox() -> None:
    """Where a tenant's recipients write to, when they want to leave."""


@mailbox.command("add")
@TENANT
@_ADDRESS
@click.option("--topic", default="*", show_default=True, help="What who writes to it leaves.")
@json_option
@settings_options
def add_mailbox(settings: Settings, tenant: str, address: str, topic: str, as_json: bool) -> None:
    """Make a mailbox a tenant's, or give it another topic."""
    from optout_service.store import mailboxes, tenants

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        made = mailboxes.add(connection, found.id, address, topic=topic)
    show({"mailbox": made.address, "topic": made.topic}, as_json=as_json)


@mailbox.command("list")
@TENANT
@json_option
@settings_options
def list_mailboxes(settings: Settings, tenant: str, as_json: bool) -> None:
    """List a tenant's mailboxes."""
    from optout_service.store import mailboxes, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = mailboxes.list_all(connection, tenants.get(connection, tenant).id)
    rows = [{"mailbox": box.address, "topic": box.topic} for box in found]
    show_all(rows, as_json=as_json, nothing="None yet. Add one with: optout mailbox add")


@mailbox.command("remove")
@TENANT
@_ADDRESS
@json_option
@settings_options
def remove_mailbox(settings: Settings, tenant: str, address: str, as_json: bool) -> None:
    """Take a mailbox from a tenant: mail to it names nobody from now on."""
    from optout_service.store import mailboxes, tenants

    with opened(settings) as rt, rt.writing() as connection:
        mailboxes.remove(connection, tenants.get(connection, tenant).id, address)
    show({"removed": address}, as_json=as_json)
