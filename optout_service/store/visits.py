"""How often links were opened: by message, day and method, and never by whom.

Scanners open every link within minutes of delivery, so most of these are no people. They stand
beside the counts of the ledger, so that a wave of them can be told from a wave of opt-outs.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from optout_service.store.prepared import Prepared, run_many
from optout_service.store.tables import visit

MOST_MESSAGES: Final = 1000
"""How many messages of one tenant and day are told apart.

A sender whose message ids are one for each recipient would else fill the table, and could follow
who opens what.
"""

_ADD: Final = Prepared(
    {
        name: (new := insert_(visit)).on_conflict_do_update(
            index_elements=list(visit.primary_key.columns),
            set_={"hits": visit.c.hits + new.excluded.hits},
        )
        for name, insert_ in (("sqlite", sqlite_insert), ("postgresql", pg_insert))
    }
)


class Visited(NamedTuple):
    """What was opened: a message's link, on a day (UTC), by GET or HEAD. ``""``: any message."""

    tenant: int
    day: date
    message: str
    method: str


def add(conn: Connection, hits: Mapping[Visited, int]) -> None:
    """Add hits to those there are. Beyond ``MOST_MESSAGES`` they count for no message."""
    rows: Counter[Visited] = Counter()
    # In order: two processes that lock rows each in its own could wait for each other for ever.
    for (tenant, day), of_day in groupby(sorted(hits), attrgetter("tenant", "day")):
        known = {""} | _messages(conn, tenant, day)
        for visited in of_day:
            if visited.message not in known and len(known) > MOST_MESSAGES:
                rows[visited._replace(message="")] += hits[visited]
                continue
            known.add(visited.message)
            rows[visited] += hits[visited]
    run_many(
        conn,
        _ADD,
        [
            visited._asdict() | {"day": visited.day.toordinal(), "hits": number}
            for visited, number in sorted(rows.items())
        ],
    )


def by_day(
    conn: Connection, tenant_id: int, first: date, last: date
) -> Iterator[tuple[date, Sequence[Any]]]:
    """The days of this range on which a tenant's links were opened, in order.

    Each with its rows: message, method, hits. A statement a day: none is as long as the range.
    """
    day = _next_day(conn, tenant_id, first.toordinal())
    while day is not None and day <= last.toordinal():
        yield date.fromordinal(day), _rows(conn, tenant_id, day)
        day = _next_day(conn, tenant_id, day + 1)


def _next_day(conn: Connection, tenant_id: int, first: int) -> int | None:
    query = select(func.min(visit.c.day))
    day: int | None = conn.scalar(query.where(visit.c.tenant == tenant_id, visit.c.day >= first))
    return day


def _rows(conn: Connection, tenant_id: int, day: int) -> Sequence[Any]:
    query = select(visit.c.message, visit.c.method, visit.c.hits)
    query = query.where(visit.c.tenant == tenant_id, visit.c.day == day)
    return conn.execute(query.order_by(visit.c.message, visit.c.method)).all()


def _messages(conn: Connection, tenant_id: int, day: date) -> set[str]:
    query = select(visit.c.message).distinct()
    return set(
        conn.scalars(query.where(visit.c.tenant == tenant_id, visit.c.day == day.toordinal()))
    )
