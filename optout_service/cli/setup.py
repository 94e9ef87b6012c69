"""``optout tenant|topic|account|sender``: who sends, about what, from where."""

import sys
from typing import TextIO

import click

from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.core.sender import KINDS, parse_account, parse_sender, parse_token
from optout_service.settings import Settings

TENANT = click.option("--tenant", required=True, help="The tenant's slug.")


@main.group()
def tenant() -> None:
    """The sending organisations: the wall between data."""


@tenant.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="As its recipients know it.")
@click.option("--contact", default="", help="Where its recipients can ask.")
@click.option("--address-book/--no-address-book", default=True, help="Keep encrypted addresses.")
@json_option
@settings_options
def create_tenant(
    settings: Settings, slug: str, name: str, contact: str, address_book: bool, as_json: bool
) -> None:
    """Make a tenant."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.writing() as connection:
        made = tenants.create(
            connection, slug, name=name, contact=contact, address_book=address_book, at=rt.now()
        )
    show({"tenant": made.slug, "name": made.name, "contact": made.contact}, as_json=as_json)


@tenant.command("list")
@json_option
@settings_options
def list_tenants(settings: Settings, as_json: bool) -> None:
    """List the tenants."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.reading() as connection:
        rows = [
            {"tenant": t.slug, "name": t.name, "contact": t.contact, "address_book": t.address_book}
            for t in tenants.list_all(connection)
        ]
    show_all(rows, as_json=as_json, nothing="None yet. Make one with: optout tenant create")


@main.group()
def topic() -> None:
    """The streams of messages that can be left one by one."""


@topic.command("create")
@TENANT
@click.argument("slug")
@click.option("--name", default="", help="As recipients read it; made of the slug unless given.")
@json_option
@settings_options
def create_topic(settings: Settings, tenant: str, slug: str, name: str, as_json: bool) -> None:
    """Make a topic."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        made = tenants.create_topic(connection, found.id, slug, name=name)
    show({"topic": made.slug, "name": made.name}, as_json=as_json)


@topic.command("list")
@TENANT
@json_option
@settings_options
def list_topics(settings: Settings, tenant: str, as_json: bool) -> None:
    """List a tenant's topics."""
    from optout_service.store import tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.topics(connection, tenants.get(connection, tenant).id)
    rows = [{"topic": t.slug, "name": t.name} for t in found]
    show_all(rows, as_json=as_json, nothing="None yet. Make one with: optout topic create")


@main.group()
def account() -> None:
    """The tenants' accounts with providers, whose tokens prove the hooks."""


@account.command("add")
@TENANT
@click.option("--provider", default="twilio", show_default=True)
@click.option(
    "--account",
    "sid",
    required=True,
    help="AC..., a Telnyx profile, or an SNS topic's ARN.",
)
@click.option(
    "--token-file",
    type=click.File("r"),
    help="A file with what proves its hooks, - for standard input. Asked for unless given.",
)
@click.option(
    "--token",
    help="The token itself. It stays in the shell's history and every process list.",
)
@json_option
@settings_options
def add_account(
    settings: Settings,
    tenant: str,
    provider: str,
    sid: str,
    token_file: TextIO | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Add a provider account, or a new token in front of its old ones.

    What proves its hooks is Twilio's auth token, Telnyx's public key, or the password in the URL of
    AWS's subscription: see docs/providers.md.
    """
    from optout_service.store import senders, tenants

    # Read before the transaction begins: whoever types would hold up every other writer.
    secret = _token(token_file, token)
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        parse_account(provider, sid)
        made = senders.put_account(
            connection, found.id, provider, sid, parse_token(provider, secret), keys=rt.keys
        )
    show({"account": made.account, "tokens": len(made.tokens)}, as_json=as_json)


def _token(file: TextIO | None, given: str | None) -> str:
    if file is not None and given is not None:
        raise click.UsageError("Give --token-file or --token, not both.")
    if given is not None:
        return given
    if file is not None:
        return file.read().strip()
    if not sys.stdin.isatty():
        raise click.UsageError("Give the auth token: --token-file PATH, or - for standard input.")
    return str(click.prompt("Auth token", hide_input=True))


@main.group()
def sender() -> None:
    """The numbers and messaging services by which a tenant writes."""


@sender.command("create")
@TENANT
@click.option("--provider", default="twilio", show_default=True)
@click.option("--account", "sid", required=True, help="The provider account's id.")
@click.option("--address", required=True, help="The number, short code, or MG... of a service.")
@click.option("--kind", required=True, type=click.Choice(KINDS))
@click.option("--topic", default="*", show_default=True, help="What a STOP to it stops.")
@click.option("--channel", default="*", show_default=True, help="Likewise, its channel alone.")
@click.option("--language", default="", help="What its recipients read: a tag such as fr.")
@click.option("--advanced-opt-out/--no-advanced-opt-out", default=False)
@json_option
@settings_options
def create_sender(
    settings: Settings,
    tenant: str,
    provider: str,
    sid: str,
    address: str,
    kind: str,
    topic: str,
    channel: str,
    language: str,
    advanced_opt_out: bool,
    as_json: bool,
) -> None:
    """Register a sender. A STOP to it stops everything, unless it is narrowed."""
    from optout_service.store import senders, tenants
    from optout_service.store.senders import Sender, SenderKind

    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        tenants.require_topics(connection, found.id, [topic])
        parse_sender(provider, kind, address)
        made = Sender(
            tenant=found.id,
            provider=provider,
            account=sid,
            address=address,
            kind=SenderKind(kind),
            topic=topic,
            advanced_opt_out=advanced_opt_out,
            channel=channel,
            language=language,
        )
        made = senders.create(connection, made)
    shown = {"sender": address, "kind": kind, "topic": topic, "channel": channel}
    show(shown | {"language": made.language}, as_json=as_json)


@sender.command("list")
@TENANT
@json_option
@settings_options
def list_senders(settings: Settings, tenant: str, as_json: bool) -> None:
    """List a tenant's senders."""
    from optout_service.store import senders, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = senders.list_all(connection, tenants.get(connection, tenant).id)
    rows = [
        {
            "sender": s.address,
            "kind": s.kind,
            "provider": s.provider,
            "account": s.account,
            "topic": s.topic,
            "channel": s.channel,
            "language": s.language,
            "advanced_opt_out": s.advanced_opt_out,
        }
        for s in found
    ]
    show_all(rows, as_json=as_json, nothing="None yet. Register one with: optout sender create")
