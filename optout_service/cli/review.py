"""``optout review``: what a person must read, and what they decide."""

from datetime import datetime
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
from optout_service.core.evidence import Authority
from optout_service.core.review import ReviewDecision, ReviewState
from optout_service.settings import Settings

_TENANT = click.option(
    "--tenant", required=True, help="The tenant's slug; platform where none was named."
)
# By their values: click would take the names of an enumeration.
_STATES = [state.value for state in ReviewState]
_DECISIONS = [decision.value for decision in ReviewDecision]
_NUMBER = click.argument("number", type=click.IntRange(1))


@main.group()
def review() -> None:
    """Messages that no rule could read for certain, each due ten business days after receipt."""


@review.command("list")
@_TENANT
@click.option(
    "--state", type=click.Choice(_STATES), default=ReviewState.OPEN.value, show_default=True
)
@click.option("--after", type=click.IntRange(0), default=0, help="Those above this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@json_option
@settings_options
def list_reviews(
    settings: Settings, tenant: str, state: str, after: int, limit: int, as_json: bool
) -> None:
    """List a tenant's reviews, oldest first. Addresses are masked; see: optout review show"""
    from optout_service.store import reviews, tenants

    with opened(settings) as rt, rt.reading() as connection:
        at = rt.now()
        rows, following = reviews.page(
            connection,
            tenants.get(connection, tenant).id,
            state=ReviewState(state),
            at=at,
            after=after,
            limit=limit,
            keys=rt.keys,
        )
    show_all([_line(row, at) for row in rows], as_json=as_json, nothing="None.")
    if following is not None:
        click.echo(f"There are more: --after {following}", err=True)


@review.command("show")
@_TENANT
@_NUMBER
@json_option
@settings_options
def show_review(settings: Settings, tenant: str, number: int, as_json: bool) -> None:
    """Show one review: what was said, by whom, and what was decided."""
    from optout_service.store import reviews, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = reviews.get(connection, tenants.get(connection, tenant).id, number, rt.keys)
        show(_whole(found, rt.now()), as_json=as_json)


@review.command("decide")
@_TENANT
@_NUMBER
@click.argument("decision", type=click.Choice(_DECISIONS))
@click.option("--reason", required=True, help="Why: it is kept as evidence.")
@click.option("--reference", default="", help="Your ticket or letter.")
@click.option("--address", help="Whom it is about, where the review names nobody; - to type it.")
@json_option
@settings_options
def decide_review(
    settings: Settings,
    tenant: str,
    number: int,
    decision: str,
    reason: str,
    reference: str,
    address: str | None,
    as_json: bool,
) -> None:
    """Decide a review: opt_out records one, not_opt_out takes the hold back."""
    from optout_service.store import decisions, tenants

    if not reason.strip():
        raise click.UsageError("Give a reason.")
    # Read before the transaction begins: whoever types would hold up every other writer.
    given = None if address is None else read_address(address)
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        decided = decisions.decide(
            connection,
            found.id,
            number,
            ReviewDecision(decision),
            decisions.Grounds(Authority.ADMIN, "operator:cli", reason, reference),
            at=rt.now(),
            keys=rt.keys,
            lift_cap=rt.settings.lift_cap,
            address=given,
        )
    show({"review": number} | _decided(decided.decided), as_json=as_json)


def _line(row: Any, at: datetime) -> dict[str, Any]:
    return {
        "review": row.number,
        "why": row.why,
        "rule": row.rule,
        "channel": row.channel,
        "address": row.address.masked if row.address else None,
        "received_at": row.received_at,
        "due_at": row.due_at,
        "overdue": row.overdue_at(at),
        "decision": row.decided.decision if row.decided else None,
    }


def _whole(row: Any, at: datetime) -> dict[str, Any]:
    address = row.address and (row.address.value or f"sha256:{row.address.sha256.hex()}")
    return (
        _line(row, at)
        | {"topic": row.topic, "source": row.source, "address": address, "said": row.private}
        | {"hold_event": row.hold_event}
        | (_decided(row.decided) if row.decided else {})
    )


def _decided(made: Any) -> dict[str, Any]:
    return {
        "decision": made.decision,
        "decided_at": made.at,
        "decided_by": made.by,
        "event": made.event,
        "changed": made.changed,
        "reason": made.reason,
        "reference": made.reference,
    }
