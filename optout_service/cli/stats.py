"""``optout stats``: what a tenant's ledger received by day, and how often its links were opened."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import click

from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.settings import Settings

_DAY: Final = click.DateTime(["%Y-%m-%d"])
_USUAL_DAYS: Final = 30
_EVENTS: Final = ("channel", "topic", "reason", "source", "action", "events", "changed")
_VISITS: Final = ("message", "method", "hits")


@main.command()
@click.option("--tenant", required=True, help="The tenant's slug.")
@click.option("--from", "first", type=_DAY, help="The first day, UTC; 30 days' worth unless given.")
@click.option("--to", "last", type=_DAY, help="The last day, UTC; today unless given.")
@json_option
@settings_options
def stats(
    settings: Settings, tenant: str, first: datetime | None, last: datetime | None, as_json: bool
) -> None:
    """Count what a tenant received by day, and how often its links were opened.

    Scanners open every link, and cannot be told from people.
    """
    from optout_service.store import counts, tenants, visits

    with opened(settings) as rt, rt.reading() as connection:
        until = (last or rt.now()).date()
        since = first.date() if first else until - timedelta(days=_USUAL_DAYS - 1)
        asked = (connection, tenants.get(connection, tenant).id, since, until)
        events = _lines(counts.by_day(*asked), _EVENTS)
        opens = _lines(visits.by_day(*asked), _VISITS)
    if as_json:
        show({"counts": events, "visits": opens}, as_json=True)
        return
    show_all(events, as_json=False, nothing="Nothing was received.")
    click.echo()
    show_all(opens, as_json=False, nothing="No link was opened.")


def _lines(days: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
    def line(day: date, row: Any) -> dict[str, Any]:
        return {"day": day} | dict(zip(names, row, strict=True))

    return [line(day, row) for day, rows in days for row in rows]
