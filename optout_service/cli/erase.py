"""``optout erase``: one recipient's data goes; what keeps them from being written to stays."""

from dataclasses import asdict
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
from optout_service.settings import Settings


@main.command()
@click.option("--tenant", help="The tenant's slug.")
@click.option("--address", help="An address, sha256:<hex>, or - to read it from standard input.")
@click.option("--channel", default="email", show_default=True)
@click.option("--reason", help="Why: a ticket or a letter, without the address. It is kept.")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.option(
    "--replay",
    is_flag=True,
    help="After a restore: erase again what the checkpoint directory says was erased.",
)
@json_option
@settings_options
@click.pass_context
def erase(
    ctx: click.Context,
    settings: Settings,
    tenant: str | None,
    address: str | None,
    channel: str,
    reason: str | None,
    dry_run: bool,
    replay: bool,
    as_json: bool,
) -> None:
    """Erase one recipient's address, words, IP and user agent at a tenant.

    The suppression and the ledger's chain stay: see docs/erasure.md. A replay ends with status 1 if
    a line of a file is not ours.
    """
    if replay:
        if tenant or address or reason:
            raise click.UsageError("--replay goes through all tenants, and takes no address.")
        ctx.exit(_replay(settings, dry_run=dry_run, as_json=as_json))
    if not (tenant and address and (reason or dry_run)):
        raise click.UsageError("Give --tenant, --address and --reason; or --replay.")
    parsed = Address.parse_for(channel, read_address(address))
    told = _erase(settings, tenant, parsed, None if dry_run else reason)
    if as_json:
        show(told, as_json=True)
        return
    click.echo("Would be erased:" if dry_run else "Erased:")
    show(told["erased"], as_json=False)
    click.echo("Kept:")
    show_all(told["kept"], as_json=False, nothing="Nothing.")


def _erase(settings: Settings, tenant: str, address: Address, reason: str | None) -> dict[str, Any]:
    """Erase, or only look where there is no reason to."""
    from optout_service.evidence import erasures
    from optout_service.store import tenants

    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        if reason is None:
            report = erasures.look(rt, found, address)
        else:
            report = erasures.erase(rt, found, address, reason=reason, actor="operator:cli")
    return {
        "dry_run": reason is None,
        "erased": asdict(report.erased),
        "kept": [asdict(part) for part in report.kept_parts],
    }


def _replay(settings: Settings, *, dry_run: bool, as_json: bool) -> int:
    from optout_service.evidence import erasures

    with opened(settings) as rt:
        done = erasures.replay(rt, dry_run=dry_run)
    show_all([asdict(one) for one in done], as_json=as_json, nothing="Nothing was ever erased.")
    return 1 if any(one.faults for one in done) else 0
