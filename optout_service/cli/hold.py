"""``optout hold``: whose evidence is needed as it is, until somebody says that it no longer is."""

from typing import Any

import click

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
from optout_service.core.erasure import reason_for
from optout_service.settings import Settings

_ACTOR = "operator:cli"
_TENANT = click.option("--tenant", required=True, help="The tenant's slug.")
_ADDRESS = click.option(
    "--address",
    required=True,
    help="An address, sha256:<hex>, or - to read it from standard input.",
)
_CHANNEL = click.option("--channel", default="email", show_default=True)


@main.group()
def hold() -> None:
    """Legal holds: of these recipients nothing is erased, and nothing removed for its age."""


@hold.command()
@_TENANT
@_ADDRESS
@_CHANNEL
@click.option("--reason", required=True, help="The case's number, without the address. It is kept.")
@json_option
@settings_options
def add(
    settings: Settings, tenant: str, address: str, channel: str, reason: str, as_json: bool
) -> None:
    """Place a hold."""
    from optout_service.store import holds, tenants

    whom = Address.parse_for(channel, read_address(address))
    reason = reason_for(whom, reason)
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        number = holds.place(
            connection, found.id, whom, reason, by=_ACTOR, at=rt.now(), keys=rt.keys
        )
    show({"hold": number, "address": whom.masked}, as_json=as_json)


@hold.command()
@_TENANT
@_ADDRESS
@_CHANNEL
@json_option
@settings_options
def end(settings: Settings, tenant: str, address: str, channel: str, as_json: bool) -> None:
    """End the hold that stands for an address. It stays in the list."""
    from optout_service.store import holds, tenants

    whom = Address.parse_for(channel, read_address(address))
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        number = holds.end(connection, found.id, whom, by=_ACTOR, at=rt.now(), keys=rt.keys)
    show({"hold": number, "address": whom.masked}, as_json=as_json)


@hold.command("list")
@_TENANT
@json_option
@settings_options
def list_holds(settings: Settings, tenant: str, as_json: bool) -> None:
    """List a tenant's holds, ended ones too. Addresses are masked."""
    from optout_service.store import holds, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = holds.all_of(connection, tenants.get(connection, tenant).id, rt.keys)
    show_all([_row(one) for one in found], as_json=as_json, nothing="There are no holds.")


def _row(one: Any) -> dict[str, Any]:
    return {
        "hold": one.number,
        "address": one.address and one.address.masked,
        "reason": one.reason,
        "placed_at": one.placed_at,
        "placed_by": one.placed_by,
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
    }
