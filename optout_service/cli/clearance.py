"""``optout clearance``: what a sender knew when it sent."""

import sys

import click

from optout_service.cli.main import (
    json_option,
    main,
    opened,
    scope_values,
    settings_options,
    show,
)
from optout_service.core.address import Address
from optout_service.core.scope import kind_of
from optout_service.settings import Settings


@main.group()
def clearance() -> None:
    """The signed answers of checks that allowed a message."""


@clearance.command()
@click.option("--tenant", required=True, help="The tenant's slug.")
@click.option("--address", help="The address it was used for; an address or sha256:<hex>.")
@click.argument("clearance", default="-")
@json_option
@settings_options
@click.pass_context
def verify(
    ctx: click.Context,
    settings: Settings,
    tenant: str,
    address: str | None,
    clearance: str,
    as_json: bool,
) -> None:
    """Tell what CLEARANCE says; - or nothing reads it from standard input.

    Status 1 if it is not ours, has expired, or is of another address. An expired one still proves
    what was known when it was given.
    """
    from optout_service.store import tenants

    text = sys.stdin.readline().strip() if clearance == "-" else clearance
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        given = rt.clearances.read(found.id, text)
        expired = given.expired_at(rt.now())
        matches = None
        if address is not None:
            parsed = Address.parse(kind_of(given.scope.channel), address)
            matches = rt.keys.digest(parsed) in rt.keys.digests_behind(given.digest)
        suppressed = rt.suppressed_now(given)
    valid = not expired and matches is not False
    show(
        {
            "valid": valid,
            "expired": expired,
            "matches_address": matches,
            "tenant": tenant,
            **scope_values(given.scope),
            "as_of": given.as_of,
            "issued_at": given.issued_at,
            "valid_until": given.valid_until,
            "suppressed_now": suppressed,
        },
        as_json=as_json,
    )
    ctx.exit(0 if valid else 1)
