"""The ledger as it is read: in order and without gaps, and one recipient's history."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, literal_column, select

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Scope
from optout_service.store import book, regimes
from optout_service.store.chain import private_context
from optout_service.store.prepared import Prepared, run
from optout_service.store.tables import address_book, event, tenant


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a ledger.

    ``address`` is None when the tenant keeps no address book, or it was erased.

    ``evidence`` is the private payload (raw text, IP, user agent, statement, reference); empty
    unless asked for, or erased.
    """

    tenant: int
    number: int
    action: Action
    changed: bool
    scope: Scope
    reason: Reason
    source: Source
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    provider: str | None
    message_id: str | None
    hash: bytes
    address: Address | None
    evidence: dict[str, str] = field(default_factory=dict)


def _query(*more: Any) -> Select[Any]:
    return select(
        event.c.tenant,
        event.c.number,
        event.c.action,
        event.c.changed,
        event.c.channel,
        event.c.topic,
        event.c.purpose,
        event.c.reason,
        event.c.source,
        event.c.actor,
        event.c.occurred_at,
        event.c.recorded_at,
        event.c.provider,
        event.c.message_id,
        event.c.hash,
        address_book.c.kind,
        address_book.c.sealed,
        *more,
    ).join_from(
        event,
        address_book,
        (address_book.c.tenant == event.c.tenant) & (address_book.c.digest == event.c.digest),
        isouter=True,
    )


# Prepared: whoever reads a million events pays for a thousand of these.
_PAGE: Final = Prepared(
    _query()
    .where(event.c.tenant == bindparam("tenant"), event.c.number > bindparam("after"))
    .order_by(event.c.number)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))  # SQLite's dialect would write a value of its own there
)


def page(conn: Connection, tenant_id: int, *, after: int, limit: int, keys: KeyRing) -> list[Event]:
    """The events numbered above ``after``, in order, at most ``limit``, without their evidence.

    Numbers are given under the tenant's row lock, so whoever has read up to n has missed nothing
    up to n.
    """
    (rows,) = run(conn, (_PAGE, {"tenant": tenant_id, "after": after, "limit": limit}))
    return [_event(row, keys) for row in rows]


def history(
    conn: Connection,
    tenant_id: int,
    address: Address,
    keys: KeyRing,
    *,
    after: int = 0,
    upto: int | None = None,
    limit: int | None = None,
) -> list[Event]:
    """What happened with one address at one tenant, oldest first, with the evidence.

    All of it, or the events numbered above ``after``, up to ``upto``, at most ``limit``. Raises
    NotFound, and WrongKeys where our ring cannot look it up.
    """
    regimes.current(conn, tenant_id, keys)
    query = _query(event.c.private).where(
        event.c.digest.in_(keys.forms(keys.digest(address))),
        event.c.tenant == tenant_id,
        event.c.number > after,
    )
    if upto is not None:
        query = query.where(event.c.number <= upto)
    return [
        _event(row[:-1], keys, _opened(row, keys))
        for row in conn.execute(query.order_by(event.c.number).limit(limit))
    ]


def reached(conn: Connection, tenants: Collection[int]) -> dict[int, int]:
    """The number of the last event of each of these tenants' ledgers."""
    query = select(tenant.c.id, tenant.c.seq).where(tenant.c.id.in_(tenants))
    return {row[0]: row[1] for row in conn.execute(query)}


def _opened(row: Sequence[Any], keys: KeyRing) -> dict[str, str]:
    tenant_id, number, private = row[0], row[1], row[-1]
    if private is None:
        return {}
    evidence: dict[str, str] = json.loads(keys.open(private, private_context(tenant_id, number)))
    return evidence


def _event(row: Sequence[Any], keys: KeyRing, evidence: dict[str, str] | None = None) -> Event:
    address = book.open_address(keys, row[0], row[15], row[16])
    parts: tuple[Any, ...] = (*row[:4], Scope(*row[4:7]), *row[7:15], address, evidence or {})
    return Event(*parts)
