"""Under which regime a tenant's digests are written, and a recipient's rows brought along in it.

It stands in the tenant's row, which every writer locks: on PostgreSQL a statement that has waited
for a row sees that row as it is now, and everything else as it was when the statement began. So
nobody who waited while a rotation began writes a form that no check looks for any more.

Within one tenant all rows of a recipient are in one generation: they move together, under its lock,
and what is joined by digest stays joined.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, select, update

from optout_service.core.covers import Regime
from optout_service.core.errors import NotFound
from optout_service.core.keyring import KeyRing
from optout_service.store.prepared import Prepared, Row, Run, run, run_many
from optout_service.store.tables import (
    address_book,
    event,
    idempotency,
    legal_hold,
    review,
    suppression,
    tenant,
)

MARKED: Final = (event, address_book, review, legal_hold, idempotency)
"""The tables whose rows say in which generation their digest is. The state does not, since its rows
are read on every send: they are found by the events they name, which have the same digest."""

_REGIME: Final = Prepared(select(tenant.c.regime).where(tenant.c.id == bindparam("tenant")))


def current(conn: Connection, tenant_id: int, keys: KeyRing) -> Regime:
    """The regime of a tenant's rows, as this connection sees it.

    Raises NotFound, and WrongKeys where our ring cannot serve it: what we would look for is not
    what is stored, and nobody would seem to have opted out.
    """
    return from_rows(run(conn, read(tenant_id))[0], keys)


def read(tenant_id: int) -> Run:
    """The statement behind ``current``, to run together with others."""
    return _REGIME, {"tenant": tenant_id}


def from_rows(rows: Sequence[Row], keys: KeyRing) -> Regime:
    """What the rows of ``read`` say. Raises as ``current`` does."""
    if not rows:
        raise NotFound("There is no such tenant.")
    return keys.regime(rows[0][0])


def bring(conn: Connection, tenant_id: int, regime: Regime, digests: Collection[bytes]) -> None:
    """While the regime is moving, move all rows of these recipients of a tenant, if they have not.

    Hold the tenant's lock. Then what is written is beside what was there, in one generation.
    """
    if regime.moving:
        pairs = [regime.forms(digest) for digest in digests]
        _move(conn, tenant_id, regime, pairs)


def move(conn: Connection, tenant_id: int, regime: Regime, stored: Iterable[bytes]) -> None:
    """As ``bring``, from what is stored in the older generation."""
    _move(conn, tenant_id, regime, [(form, regime.moved(form)) for form in stored])


def _move(
    conn: Connection, tenant_id: int, regime: Regime, pairs: Iterable[Collection[bytes]]
) -> None:
    rows = [
        {"of": tenant_id, "old": old, "new": new, "mark": regime.mark}
        # In one order for all, so that nobody waits for each other's rows.
        for old, new in sorted(tuple(pair) for pair in pairs)
    ]
    for statement in _MOVES:
        run_many(conn, statement, rows)


def _moving(table: Table) -> Prepared:
    values: dict[str, Any] = {"digest": bindparam("new")}
    if table in MARKED:
        values["generation"] = bindparam("mark")
    of_one = (table.c.tenant == bindparam("of"), table.c.digest == bindparam("old"))
    return Prepared(update(table).where(*of_one).values(values))


_MOVES: Final = [_moving(table) for table in (*MARKED, suppression)]
