"""From one pepper to the next: the regime that begins and ends, and the rows in between.

A rotation begins and ends with every tenant's row locked, so it waits for whoever writes, and
whoever writes after it knows. In between, each recipient's rows move in one transaction: by the
mover, or by the recipient's own act, whichever comes first.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, func, not_, select, update

from optout_service.core.covers import Regime
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM
from optout_service.store import ledger, regimes, seal
from optout_service.store.db import without_limit
from optout_service.store.tables import event, suppression, tenant

_FIRST: Final = 1
OTHERS: Final = tuple(table for table in regimes.MARKED if table is not event)
"""Where a recipient can be of whom the ledger tells nothing."""


_FENCES: Final = {
    "sqlite": (
        "CREATE TRIGGER IF NOT EXISTS event_is_of_the_regime BEFORE INSERT ON event"
        " WHEN NEW.generation IS NULL"
        " BEGIN SELECT RAISE(ABORT, 'written under a pepper that was rotated'); END",
    ),
    "postgresql": (
        "DROP TRIGGER IF EXISTS event_is_of_the_regime ON event",
        "CREATE TRIGGER event_is_of_the_regime BEFORE INSERT ON event"
        " FOR EACH ROW WHEN (NEW.generation IS NULL) EXECUTE FUNCTION event_is_of_the_regime()",
    ),
}
"""Keeps a process of a release from before generations from writing what no check would look for:
it knows no regime. Nobody pays for it before a first rotation."""


@dataclass(frozen=True, slots=True)
class Some:
    """What is stored of some recipients, and the last event that was read; None: no more."""

    stored: set[bytes]
    last: int | None


def begin(conn: Connection, keys: KeyRing) -> Regime:
    """Begin to move to the next pepper, unless it has begun or there is none. All tenants wait.

    Raises Conflict in quarantine, WrongKeys.
    """
    now = _locked(conn, keys)
    if now.moving or now == keys.regimes.all[-1]:
        return now
    for statement in _FENCES[conn.dialect.name]:
        conn.exec_driver_sql(statement)
    return _change(conn, now, keys.regime(now.number + 1))


def settle(conn: Connection, keys: KeyRing, regime: Regime) -> Regime:
    """End a rotation. For whoever knows that in this very regime nothing is ``left``.

    Another that has begun since is not ended. Raises Conflict in quarantine, WrongKeys.
    """
    now = _locked(conn, keys)
    return _change(conn, now, keys.regime(now.number + 1)) if now == regime else now


def next_events(
    conn: Connection, tenant_id: int, regime: Regime, *, after: int, limit: int
) -> Some:
    """Whom the next events above number ``after`` tell of that have not moved, at most ``limit``.

    Read without the tenant's lock: whoever goes on where it was broken off passes by all that has
    moved. Give it a connection that sees one state.
    """
    without_limit(conn)
    query = (
        select(event.c.number, event.c.digest)
        .where(event.c.tenant == tenant_id, event.c.number > after, _is_in(event, regime.before))
        .order_by(event.c.number)
        .limit(limit)
    )
    rows = conn.execute(query).all()
    return Some({row.digest for row in rows}, rows[-1].number if rows else None)


def next_others(
    conn: Connection, tenant_id: int, regime: Regime, table: Table, *, limit: int
) -> set[bytes]:
    """Some of those who have not moved, whom only this table knows. As above."""
    without_limit(conn)
    query = select(table.c.digest).where(table.c.tenant == tenant_id, _is_in(table, regime.before))
    return set(conn.scalars(query.distinct().limit(limit)))


def move(
    conn: Connection, tenant_id: int, keys: KeyRing, regime: Regime, stored: Collection[bytes]
) -> int:
    """Move all that a tenant has of these, and say how many: 0 where it has ended meanwhile.

    Whoever acted since they were read has moved by that, and is passed by. Raises NotFound,
    WrongKeys.
    """
    if ledger.lock_to_write(conn, tenant_id, keys) != regime:
        return 0
    regimes.move(conn, tenant_id, regime, stored)
    return len(stored)


def left(conn: Connection, regime: Regime) -> dict[str, int]:
    """How many rows of each table are not in the generation that is written: of all that there are.

    None is what lets a rotation end. While it moves, nothing is written in an older one. Give it a
    connection that sees one state.
    """
    without_limit(conn)
    found = {
        table.name: _count(conn, table, not_(_is_in(table, regime.written)))
        for table in regimes.MARKED
    }
    return {name: rows for name, rows in found.items() if rows} | strays(conn)


def strays(conn: Connection) -> dict[str, int]:
    """How many suppressions are of another digest than the event that they name. There are none.

    So whose event has moved has moved itself. Where there are any, somebody else has written here.
    """
    without_limit(conn)
    rows = conn.scalar(
        select(func.count())
        .select_from(suppression)
        .outerjoin(
            event,
            and_(
                event.c.tenant == suppression.c.tenant,
                event.c.number == suppression.c.event,
                event.c.digest == suppression.c.digest,
            ),
        )
        .where(event.c.number.is_(None))
    )
    return {suppression.name: rows} if rows else {}


def _is_in(table: Table, generation: int) -> ColumnElement[bool]:
    """Whether a row's digest is stored so; a row without one is in every generation."""
    column: Any = table.c.generation
    return and_(table.c.digest.is_not(None), func.coalesce(column, _FIRST) == generation)


def _count(conn: Connection, table: Table, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(table).where(table.c.digest.is_not(None), which)
    return conn.scalar(query) or 0


def _locked(conn: Connection, keys: KeyRing) -> Regime:
    for tenant_id in _in_order(conn):
        ledger.lock(conn, tenant_id)
    return seal.regime_of(conn, keys)


def _in_order(conn: Connection) -> Iterator[int]:
    """The platform first: under its lock no tenant is made."""
    yield PLATFORM
    others = select(tenant.c.id).where(tenant.c.id != PLATFORM).order_by(tenant.c.id)
    yield from conn.scalars(others).all()


def _change(conn: Connection, before: Regime, after: Regime) -> Regime:
    seal.change_regime(conn, before, after)
    conn.execute(update(tenant).values(regime=after.number))
    return after
