"""What is shown and changed of a tenant that is set up: by the groups that ``setup`` makes."""

from typing import Any, Final

import click

from optout_service.cli.main import json_option, opened, settings_options, show, show_all
from optout_service.cli.setup import TENANT, account, sender, tenant, topic
from optout_service.core.sender import KINDS
from optout_service.settings import Settings

_PROVIDER: Final = click.option("--provider", default="twilio", show_default=True)
_ACCOUNT: Final = click.option("--account", "sid", required=True, help="The provider account's id.")
_ADDRESS: Final = click.option("--address", required=True, help="As `sender list` shows it.")


@tenant.command("show")
@click.argument("slug")
@json_option
@settings_options
def show_tenant(settings: Settings, slug: str, as_json: bool) -> None:
    """Show a tenant."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.get(connection, slug)
    show(_tenant(found), as_json=as_json)


@tenant.command("set")
@click.argument("slug")
@click.option("--name", help="As its recipients know it.")
@click.option("--contact", help="Where its recipients can ask.")
@click.option("--address-book/--no-address-book", default=None, help="Keep encrypted addresses.")
@json_option
@settings_options
def set_tenant(
    settings: Settings,
    slug: str,
    name: str | None,
    contact: str | None,
    address_book: bool | None,
    as_json: bool,
) -> None:
    """Change what is given. Without an address book none is added; those there are stay."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.writing() as connection:
        made = tenants.change(
            connection, slug, name=name, contact=contact, address_book=address_book
        )
    show(_tenant(made), as_json=as_json)


@topic.command("rename")
@TENANT
@click.argument("slug")
@click.argument("name")
@json_option
@settings_options
def rename_topic(settings: Settings, tenant: str, slug: str, name: str, as_json: bool) -> None:
    """Give a topic another name. Its slug is for ever: suppressions and links name it."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        made = tenants.rename_topic(connection, found.id, slug, name)
    show({"topic": made.slug, "name": made.name}, as_json=as_json)


@account.command("list")
@TENANT
@json_option
@settings_options
def list_accounts(settings: Settings, tenant: str, as_json: bool) -> None:
    """List a tenant's provider accounts, and how many tokens each has; never which."""
    from optout_service.store import senders, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.get(connection, tenant)
        made, _ = senders.page_accounts(
            connection, found.id, keys=rt.keys, cursor=None, limit=10_000
        )
    rows = [{"provider": a.provider, "account": a.account, "tokens": len(a.tokens)} for a in made]
    show_all(rows, as_json=as_json, nothing="None yet. Add one with: optout account add")


@account.command("retire-tokens")
@TENANT
@_PROVIDER
@_ACCOUNT
@json_option
@settings_options
def retire_tokens(settings: Settings, tenant: str, provider: str, sid: str, as_json: bool) -> None:
    """Keep the newest auth token alone: the older ones prove nothing any more."""
    from optout_service.store import senders, tenants

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        kept = senders.retire_tokens(connection, found.id, provider, sid, keys=rt.keys)
    show({"account": kept.account, "tokens": len(kept.tokens)}, as_json=as_json)


@sender.command("set")
@TENANT
@_PROVIDER
@_ACCOUNT
@_ADDRESS
@click.option("--kind", type=click.Choice(KINDS))
@click.option("--topic", help="What a STOP to it stops; * for all.")
@click.option("--channel", help="Likewise, its channel alone; * for all.")
@click.option("--language", help="What its recipients read: a tag such as fr; '' for none.")
@click.option("--advanced-opt-out/--no-advanced-opt-out", default=None)
@json_option
@settings_options
def set_sender(
    settings: Settings,
    tenant: str,
    provider: str,
    sid: str,
    address: str,
    as_json: bool,
    **changes: Any,
) -> None:
    """Change what is given of a sender, from the next text on.

    What was recorded before stays as it was recorded.
    """
    from optout_service.store import senders, tenants

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        old = senders.get(connection, found.id, provider, sid, address)
        made = senders.changed(old, **changes)
        tenants.require_topics(connection, found.id, [made.topic])
        made = senders.change(connection, made)
    shown = {"sender": made.address, "kind": made.kind, "topic": made.topic}
    shown |= {"channel": made.channel, "language": made.language}
    show(shown | {"advanced_opt_out": made.advanced_opt_out}, as_json=as_json)


@sender.command("remove")
@TENANT
@_PROVIDER
@_ACCOUNT
@_ADDRESS
@json_option
@settings_options
def remove_sender(
    settings: Settings, tenant: str, provider: str, sid: str, address: str, as_json: bool
) -> None:
    """Forget a sender. A STOP to it then counts for every tenant that has its account."""
    from optout_service.store import senders, tenants

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        gone = senders.get(connection, found.id, provider, sid, address)
        senders.remove(connection, gone)
    show({"sender": gone.address, "removed": True}, as_json=as_json)


def _tenant(row: Any) -> dict[str, Any]:
    return {
        "tenant": row.slug,
        "name": row.name,
        "contact": row.contact,
        "address_book": row.address_book,
    }
