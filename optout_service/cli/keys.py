"""``optout key``: API keys, each of one tenant and one role."""

from datetime import timedelta
from typing import Any, Final

import click

from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.settings import Settings

_ROLES: Final = ("sender", "integration", "agent", "auditor", "admin", "platform")
_TENANT: Final = click.option("--tenant", help="The tenant's slug; none for platform keys.")
_EXPIRES: Final = click.option(
    "--expires-days",
    type=click.IntRange(1, 36_500),
    help="How long it is good for, instead of OPTOUT_KEY_DAYS.",
)


@main.group()
def key() -> None:
    """API keys: each of one tenant and one role."""


@key.command("create")
@_TENANT
@click.option("--role", required=True, type=click.Choice(_ROLES))
@click.option("--name", default="", help="What it is for.")
@_EXPIRES
@json_option
@settings_options
def create_key(
    settings: Settings,
    tenant: str | None,
    role: str,
    name: str,
    expires_days: int | None,
    as_json: bool,
) -> None:
    """Make a key, and show its secret this one time."""
    from optout_service.store import keys
    from optout_service.store.keys import Role

    with opened(settings) as rt, rt.writing() as connection:
        at = rt.now()
        made, secret = keys.create(
            connection,
            _number(connection, tenant),
            Role(role),
            name=name,
            at=at,
            keys=rt.keys,
            expires_at=at + timedelta(days=expires_days) if expires_days else None,
            most_days=rt.settings.key_days,
        )
    _show_once(
        {"id": made.id, "role": made.role, "expires_at": made.expires_at, "key": secret},
        as_json=as_json,
    )


@key.command("list")
@_TENANT
@json_option
@settings_options
def list_keys(settings: Settings, tenant: str | None, as_json: bool) -> None:
    """List keys, without their secrets. When one was used last is known to the hour."""
    from optout_service.store import keys

    with opened(settings) as rt, rt.reading() as connection:
        found = keys.list_all(connection, _number(connection, tenant))
    rows = [
        {
            "id": k.id,
            "role": k.role,
            "name": k.name,
            "created_at": k.created_at,
            "expires_at": k.expires_at,
            "revoked_at": k.revoked_at,
            "last_used_at": k.last_used_at,
        }
        for k in found
    ]
    show_all(rows, as_json=as_json, nothing="None yet. Make one with: optout key create")


@key.command("rotate")
@_TENANT
@click.argument("key_id", type=int)
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 90),
    default=24,
    show_default=True,
    help="How long the old one stays good.",
)
@_EXPIRES
@json_option
@settings_options
def rotate_key(
    settings: Settings,
    tenant: str | None,
    key_id: int,
    overlap_hours: int,
    expires_days: int | None,
    as_json: bool,
) -> None:
    """Make a key in the place of another, and show its secret this one time."""
    from optout_service.store import keys

    with opened(settings) as rt, rt.writing() as connection:
        at = rt.now()
        made, secret, old = keys.rotate(
            connection,
            _number(connection, tenant),
            key_id,
            overlap=timedelta(hours=overlap_hours),
            at=at,
            keys=rt.keys,
            expires_at=at + timedelta(days=expires_days) if expires_days else None,
            most_days=rt.settings.key_days,
        )
    shown = {"id": made.id, "role": made.role, "expires_at": made.expires_at, "key": secret}
    replaced = {"replaces": old.id, "old_expires_at": old.expires_at}
    _show_once(shown | replaced, as_json=as_json)


@key.command("revoke")
@_TENANT
@click.argument("key_id", type=int)
@json_option
@settings_options
def revoke_key(settings: Settings, tenant: str | None, key_id: int, as_json: bool) -> None:
    """Revoke a key by its id: from the next request on it opens nothing."""
    from optout_service.store import keys

    with opened(settings) as rt, rt.writing() as connection:
        keys.revoke(connection, _number(connection, tenant), key_id, at=rt.now())
    show({"id": key_id, "revoked": True}, as_json=as_json)


def _number(connection: Any, tenant: str | None) -> int:
    from optout_service.core.policy import PLATFORM
    from optout_service.store import tenants

    return tenants.get(connection, tenant).id if tenant else PLATFORM


def _show_once(values: dict[str, Any], *, as_json: bool) -> None:
    show(values, as_json=as_json)
    if not as_json:
        click.echo("Keep the key now: it is not shown again.", err=True)
