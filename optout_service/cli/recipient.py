"""``optout check|opt-out|history``: one recipient, from the command line."""

from typing import Any

import click

from optout_service.cli.main import (
    json_option,
    main,
    opened,
    read_address,
    scope_values,
    settings_options,
    show,
    show_all,
)
from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.policy import Suppression
from optout_service.core.scope import ANY, Scope, parse_channel
from optout_service.settings import Settings

_TENANT = click.option("--tenant", required=True, help="The tenant's slug.")
_ADDRESS = click.option(
    "--address",
    required=True,
    help="An address, sha256:<hex>, or - to read it from standard input.",
)
_CHANNEL = click.option("--channel", default="email", show_default=True)
_TOPIC = click.option("--topic", help="One of the tenant's topics; none named unless given.")
_PURPOSE = click.option("--purpose", help="marketing unless given.")
# By their values: click would take the names of an enumeration.
_REASONS = [reason.value for reason in Reason]


@main.command()
@_TENANT
@_ADDRESS
@_CHANNEL
@_TOPIC
@_PURPOSE
@click.option("--exit-code", is_flag=True, help="End with status 1 when suppressed.")
@json_option
@settings_options
@click.pass_context
def check(
    ctx: click.Context,
    settings: Settings,
    tenant: str,
    address: str,
    channel: str,
    topic: str | None,
    purpose: str | None,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Ask whether an address may be written to.

    Ends with status 0 for either answer, so that 1 always means that there was none; see
    --exit-code.
    """
    from optout_service.store import tenants

    asked = _question(channel, topic, purpose)
    parsed = Address.parse_for(channel, read_address(address))
    with opened(settings) as rt:
        with rt.reading() as connection:
            found = tenants.get(connection, tenant)
        answer = rt.check(found.id, parsed, asked)
    matches = [_match(tenant, match) for match in answer.matches]
    if as_json:
        values = {"suppressed": answer.suppressed, "matches": matches, "as_of": answer.as_of}
        show(values, as_json=True)
    else:
        click.echo("suppressed" if answer.suppressed else "allowed")
        if matches:
            show_all(matches, as_json=False, nothing="")
    ctx.exit(1 if exit_code and answer.suppressed else 0)


@main.command("opt-out")
@_TENANT
@_ADDRESS
@_CHANNEL
@_TOPIC
@_PURPOSE
@click.option(
    "--reason", type=click.Choice(_REASONS), default=Reason.OPTED_OUT.value, show_default=True
)
@click.option("--reference", default="", help="Your ticket or letter.")
@json_option
@settings_options
def opt_out(
    settings: Settings,
    tenant: str,
    address: str,
    channel: str,
    topic: str | None,
    purpose: str | None,
    reason: str,
    reference: str,
    as_json: bool,
) -> None:
    """Record an opt-out that reached you otherwise, by letter or phone."""
    from optout_service.store import tenants

    scope = Scope.parse(channel, topic, purpose)
    # Read before the transaction begins: whoever types would hold up every other writer.
    parsed = Address.parse_for(channel, read_address(address))
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        tenants.require_topics(connection, found.id, [scope.topic])
        outcome = rt.record(
            connection,
            Evidence(
                tenant=found.id,
                action=Action.OPT_OUT,
                address=parsed,
                scope=scope,
                source=Source.OPERATOR,
                authority=Authority.ADMIN,
                actor="operator:cli",
                reason=Reason(reason),
                private={"reference": reference} if reference else {},
            ),
        )
    show({"event": outcome.event, "changed": outcome.changed}, as_json=as_json)


@main.command()
@_TENANT
@_ADDRESS
@_CHANNEL
@json_option
@settings_options
def history(settings: Settings, tenant: str, address: str, channel: str, as_json: bool) -> None:
    """Tell what stands for one address, and everything that happened with it, oldest first.

    What stands is of every channel that shares the address, and the platform's too; what happened
    comes with its evidence.
    """
    from optout_service.store import feed, suppressions, tenants

    parsed = Address.parse_for(channel, read_address(address))
    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.get(connection, tenant)
        events = feed.history(connection, found.id, parsed, rt.keys)
        rows = suppressions.standing(connection, found.id, rt.keys.digest(parsed), rt.keys)
    stands = [_match(tenant, row) for row in rows]
    happened = [_event(event) for event in events]
    if as_json:
        show({"stands": stands, "events": happened}, as_json=True)
        return
    show_all(stands, as_json=False, nothing="Nothing stands.")
    click.echo()
    without = [{name: row[name] for name in row if name != "hash"} for row in happened]
    show_all(without, as_json=False, nothing="Nothing has happened with this address.")


def _question(channel: str, topic: str | None, purpose: str | None) -> Scope:
    """What a check asks about: one channel and one purpose, as a message has.

    A suppression of one channel does not cover a question about all of them, so ``*`` would be
    answered "allowed". Raises UnknownChannel, UnknownTopic, InvalidRequest.
    """
    asked = Scope.parse(parse_channel(channel), topic, purpose)
    if asked.purpose == ANY:
        raise InvalidRequest(
            "A message has one purpose: marketing or transactional.", field="purpose"
        )
    return asked


def _match(tenant: str, row: Suppression) -> dict[str, Any]:
    return {
        "reason": row.reason,
        "source": row.source,
        "since": row.since,
        "event": row.event,
        "scope": {"tenant": tenant if row.tenant else "platform"} | scope_values(row.scope),
    }


def _event(event: Any) -> dict[str, Any]:
    return {
        "event": event.number,
        "action": event.action,
        "changed": event.changed,
        "scope": scope_values(event.scope),
        "reason": event.reason,
        "source": event.source,
        "actor": event.actor,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "evidence": event.evidence,
        "hash": event.hash.hex(),
    }
