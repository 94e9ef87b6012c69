"""How many events of each sort a day brought, counted from the ledger by an index of its own."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select

from optout_service.store.tables import event

_BY = (event.c.channel, event.c.topic, event.c.reason, event.c.source, event.c.action)


def by_day(
    conn: Connection, tenant_id: int, first: date, last: date
) -> Iterator[tuple[date, Sequence[Any]]]:
    """The days of this range (UTC) on which the tenant's ledger received anything, in order.

    Each with its rows: channel, topic, reason, source, action, events, and how many of these
    changed what stands. A statement a day: none is as long as the range.
    """
    day = _next_day(conn, tenant_id, _start(first))
    while day is not None and day <= last:
        yield day, _rows(conn, tenant_id, day)
        day = _next_day(conn, tenant_id, _end(day))


def _next_day(conn: Connection, tenant_id: int, start: datetime) -> date | None:
    """The first day that has an event, from this time on, or None."""
    at = conn.execute(
        select(event.c.recorded_at)
        .where(event.c.tenant == tenant_id, event.c.recorded_at >= start)
        .order_by(event.c.recorded_at)
        .limit(1)
    ).scalar()
    return None if at is None else at.date()


def _rows(conn: Connection, tenant_id: int, day: date) -> Sequence[Any]:
    query = (
        select(*_BY, func.count(), func.sum(cast(event.c.changed, Integer)))
        .where(
            event.c.tenant == tenant_id,
            event.c.recorded_at >= _start(day),
            event.c.recorded_at < _end(day),
        )
        .group_by(*_BY)
        .order_by(*_BY)
    )
    return conn.execute(query).all()


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _end(day: date) -> datetime:
    return _start(day + timedelta(days=1)) if day < date.max else datetime.max.replace(tzinfo=UTC)
