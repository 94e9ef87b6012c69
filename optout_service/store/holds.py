"""Legal holds: whose evidence a court, an authority or a dispute needs as it is.

While one stands, nothing of the recipient is erased and nothing outdated. Ended ones stay, so that
it can be shown why something was kept.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, func, insert, select, update

from optout_service.core.address import Address
from optout_service.core.errors import Conflict, NotFound
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind
from optout_service.store import book, ledger, pages, regimes
from optout_service.store.tables import address_book, legal_hold

_LARGEST: Final = 2**31 - 1
"""The largest number that the column holds."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. ``ended_at`` is None while it stands.

    ``address`` is None where the tenant's book has none. ``reason``: as it was given.
    """

    number: int
    address: Address | None
    reason: str
    placed_at: datetime
    placed_by: str
    ended_at: datetime | None
    ended_by: str | None


def is_held(conn: Connection, tenant_id: int, forms: Collection[bytes]) -> bool:
    """Whether a hold stands for a recipient. ``forms``: those of the digest."""
    return conn.execute(_standing(tenant_id, forms)).first() is not None


def held(tenant_id: int) -> Select[Any]:
    """Of a tenant's recipients for whom a hold stands, what is stored: for a condition."""
    return select(legal_hold.c.digest).where(
        legal_hold.c.tenant == tenant_id, legal_hold.c.ended_at.is_(None)
    )


def place(
    conn: Connection,
    tenant_id: int,
    address: Address,
    reason: str,
    *,
    by: str,
    at: datetime,
    keys: KeyRing,
) -> int:
    """Place a hold, and give its number. Raises NotFound, Conflict (one stands), WrongKeys."""
    regime = ledger.lock_to_write(conn, tenant_id, keys)
    digest = keys.digest(address)
    regimes.bring(conn, tenant_id, regime, [digest])
    if (standing := conn.scalar(_standing(tenant_id, keys.forms(digest)))) is not None:
        raise Conflict(f"A hold stands for this address already: number {standing}.")
    of_tenant = select(func.max(legal_hold.c.number)).where(legal_hold.c.tenant == tenant_id)
    number = 1 + (conn.scalar(of_tenant) or 0)
    conn.execute(
        insert(legal_hold),
        {
            "tenant": tenant_id,
            "number": number,
            "digest": regime.stored(digest),
            "generation": regime.mark,
            "kind": address.kind,
            "grounds": keys.seal(reason.encode(), context(tenant_id, number)),
            "placed_at": at,
            "placed_by": by,
        },
    )
    return number


def end(
    conn: Connection, tenant_id: int, address: Address, *, by: str, at: datetime, keys: KeyRing
) -> int:
    """End the hold that stands for a recipient, and give its number. Raises NotFound, WrongKeys."""
    ledger.lock_to_write(conn, tenant_id, keys)
    number = conn.scalar(_standing(tenant_id, keys.forms(keys.digest(address))))
    if number is None:
        raise NotFound("No hold stands for this address. To see those there are: optout hold list")
    end_number(conn, tenant_id, number, by=by, at=at)
    return number


def end_number(conn: Connection, tenant_id: int, number: int, *, by: str, at: datetime) -> None:
    """End the hold of this number; one that has ended, or is not there, is left as it is."""
    if number <= _LARGEST:
        conn.execute(
            update(legal_hold)
            .where(
                legal_hold.c.tenant == tenant_id,
                legal_hold.c.number == number,
                legal_hold.c.ended_at.is_(None),
            )
            .values(ended_at=at, ended_by=by)
        )


def get(conn: Connection, tenant_id: int, number: int, keys: KeyRing) -> Hold:
    """One of a tenant's holds. Raises NotFound, also for another tenant's."""
    if number <= _LARGEST:
        query = _of(tenant_id).where(legal_hold.c.number == number)
        if (row := conn.execute(query).one_or_none()) is not None:
            return _hold(row, keys)
    raise NotFound("This tenant has no hold of this number.")


def page(
    conn: Connection, tenant_id: int, keys: KeyRing, *, cursor: str | None, limit: int
) -> tuple[list[Hold], str | None]:
    """A page of a tenant's holds, those that were ended too, oldest first. Raises Malformed."""
    rows, following = pages.page(
        conn, _of(tenant_id), [legal_hold.c.number], cursor=cursor, limit=limit
    )
    return [_hold(row, keys) for row in rows], following


def all_of(conn: Connection, tenant_id: int, keys: KeyRing) -> list[Hold]:
    """A tenant's holds, those that were ended too, oldest first."""
    query = _of(tenant_id).order_by(legal_hold.c.number)
    return [_hold(row, keys) for row in conn.execute(query)]


def _of(tenant_id: int) -> Select[Any]:
    return (
        select(legal_hold, address_book.c.sealed)
        .join_from(
            legal_hold,
            address_book,
            (address_book.c.tenant == legal_hold.c.tenant)
            & (address_book.c.digest == legal_hold.c.digest),
            isouter=True,
        )
        .where(legal_hold.c.tenant == tenant_id)
    )


def _hold(row: Any, keys: KeyRing) -> Hold:
    kind: Kind = row.kind
    return Hold(
        row.number,
        book.open_address(keys, row.tenant, kind, row.sealed),
        keys.open(row.grounds, context(row.tenant, row.number)).decode(),
        row.placed_at,
        row.placed_by,
        row.ended_at,
        row.ended_by,
    )


def _standing(tenant_id: int, forms: Collection[bytes]) -> Select[int]:
    return select(legal_hold.c.number).where(
        legal_hold.c.tenant == tenant_id,
        legal_hold.c.digest.in_(forms),
        legal_hold.c.ended_at.is_(None),
    )


def context(tenant_id: int, number: int) -> str:
    """The context under which the grounds of a hold are sealed."""
    return f"legal-hold/{tenant_id}/{number}"
