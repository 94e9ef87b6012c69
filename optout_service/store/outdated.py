"""What has been kept for long enough, by kind of data: found and removed a stretch at a time.

A stretch is as much as one short transaction may hold up. Suppressions, the events themselves and
the ids of providers' messages are of no such kind: they never go.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)

from optout_service.core.evidence import Source
from optout_service.store import holds, ledger
from optout_service.store.tables import event, idempotency, review, visit

STRETCH: Final = 5000
"""How many numbers, or answers, one transaction goes through."""
_BY_LINK: Final = (Source.ONE_CLICK, Source.PAGE)


class Numbered(StrEnum):
    """The kinds of data that lie under a tenant's numbers, and are erased from rows that stay."""

    WORDS = "words"
    TRACES = "traces"
    REVIEWS = "reviews"


def last_number(conn: Connection, tenant_id: int, kind: Numbered) -> int:
    """The highest number under which there can be data of this kind."""
    table = _table(kind)
    query = select(func.max(table.c.number)).where(table.c.tenant == tenant_id)
    return conn.scalar(query) or 0


def find(
    conn: Connection,
    tenant_id: int,
    kind: Numbered,
    before: datetime,
    *,
    after: int,
    held: bool = False,
) -> int:
    """How many rows of the stretch above number ``after`` are older than ``before``.

    Those that may go; or those that are ``held``.
    """
    which = _numbered(tenant_id, kind, before, after, held=held)
    return conn.scalar(select(func.count()).select_from(_table(kind)).where(which)) or 0


def erase(conn: Connection, tenant_id: int, kind: Numbered, before: datetime, *, after: int) -> int:
    """Erase those that may go, and say how many there were.

    Ask for the ledger's lock first: then no hold is placed meanwhile.
    """
    which = _numbered(tenant_id, kind, before, after, held=False)
    found = find(conn, tenant_id, kind, before, after=after)
    if kind is Numbered.REVIEWS:
        conn.execute(update(review).where(which).values(private=None, grounds=None))
    else:
        ledger.erase_private(conn, which)
    return found


def find_answers(conn: Connection, tenant_id: int, before: datetime, *, held: bool = False) -> int:
    """How many answers kept for an Idempotency-Key are older than ``before``."""
    which = _answers(tenant_id, before, held=held)
    return conn.scalar(select(func.count()).select_from(idempotency).where(which)) or 0


def delete_answers(conn: Connection, tenant_id: int, before: datetime) -> int:
    """Delete a stretch of those that may go, keys and all; 0 when none is left."""
    key = [idempotency.c.tenant, idempotency.c.api_key, idempotency.c.key]
    some = select(*key).where(_answers(tenant_id, before, held=False)).limit(STRETCH)
    return conn.execute(delete(idempotency).where(tuple_(*key).in_(some))).rowcount


def find_visits(conn: Connection, tenant_id: int, before: datetime) -> int:
    """How many counts of opened links are of days before that of ``before``."""
    which = _visits(tenant_id, before)
    return conn.scalar(select(func.count()).select_from(visit).where(which)) or 0


def delete_visits(conn: Connection, tenant_id: int, before: datetime) -> int:
    """Delete those of the oldest day of them; 0 when none is left."""
    oldest = select(func.min(visit.c.day)).where(_visits(tenant_id, before)).scalar_subquery()
    return conn.execute(
        delete(visit).where(visit.c.tenant == tenant_id, visit.c.day == oldest)
    ).rowcount


def _table(kind: Numbered) -> Table:
    return review if kind is Numbered.REVIEWS else event


def _numbered(
    tenant_id: int, kind: Numbered, before: datetime, after: int, *, held: bool
) -> ColumnElement[bool]:
    table = _table(kind)
    stretch = and_(
        table.c.tenant == tenant_id, table.c.number > after, table.c.number <= after + STRETCH
    )
    if kind is Numbered.REVIEWS:
        # An open one is kept until a person has read it: it may be an opt-out.
        old = and_(
            review.c.decided_at < before,
            or_(review.c.private.is_not(None), review.c.grounds.is_not(None)),
        )
    else:
        by_link = event.c.source.in_(_BY_LINK)
        old = and_(
            event.c.recorded_at < before,
            event.c.private.is_not(None),
            by_link if kind is Numbered.TRACES else ~by_link,
        )
    return and_(stretch, old, _is_held(table, tenant_id, held=held))


def _answers(tenant_id: int, before: datetime, *, held: bool) -> ColumnElement[bool]:
    return and_(
        idempotency.c.tenant == tenant_id,
        idempotency.c.created_at < before,
        _is_held(idempotency, tenant_id, held=held),
    )


def _visits(tenant_id: int, before: datetime) -> ColumnElement[bool]:
    return and_(visit.c.tenant == tenant_id, visit.c.day < before.toordinal())


def _is_held(table: Table, tenant_id: int, *, held: bool) -> ColumnElement[bool]:
    in_holds = table.c.digest.in_(holds.held(tenant_id))
    # What names nobody is held for nobody.
    return in_holds if held else or_(table.c.digest.is_(None), ~in_holds)
