"""The ledger as it is read: in order and without gaps, and one recipient's history."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Scope
from optout_service.store import book
from optout_service.store.chain import private_context
from optout_service.store.tables import address_book, event


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
    evidence: dict[str, str]


_COLUMNS: Final = (
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
    event.c.private,
    address_book.c.kind,
    address_book.c.sealed,
)


def page(conn: Connection, tenant_id: int, *, after: int, limit: int, keys: KeyRing) -> list[Event]:
    """The events numbered above ``after``, in order, at most ``limit``.

    Numbers are given under the tenant's row lock, so whoever has read up to n has missed nothing
    up to n.
    """
    query = _query().where(event.c.tenant == tenant_id, event.c.number > after)
    rows = conn.execute(query.order_by(event.c.number).limit(limit))
    return [_event(row, keys, with_evidence=False) for row in rows]


def history(conn: Connection, tenant_id: int, address: Address, keys: KeyRing) -> list[Event]:
    """Everything that ever happened with one address at one tenant, with the evidence."""
    query = _query().where(event.c.digest == keys.digest(address), event.c.tenant == tenant_id)
    rows = conn.execute(query.order_by(event.c.number))
    return [_event(row, keys, with_evidence=True) for row in rows]


def _query() -> Select[Any]:
    return select(*_COLUMNS).join_from(
        event,
        address_book,
        (address_book.c.tenant == event.c.tenant) & (address_book.c.digest == event.c.digest),
        isouter=True,
    )


def _event(row: Sequence[Any], keys: KeyRing, *, with_evidence: bool) -> Event:
    (
        tenant_id,
        number,
        action,
        changed,
        channel,
        topic,
        purpose,
        reason,
        source,
        actor,
        occurred_at,
        recorded_at,
        provider,
        message_id,
        hash_,
        private,
        kind,
        sealed,
    ) = row
    evidence: dict[str, str] = {}
    if with_evidence and private is not None:
        evidence = json.loads(keys.open(private, private_context(tenant_id, number)))
    return Event(
        tenant_id,
        number,
        action,
        changed,
        Scope(channel, topic, purpose),
        reason,
        source,
        actor,
        occurred_at,
        recorded_at,
        provider,
        message_id,
        hash_,
        book.open_address(keys, tenant_id, kind, sealed),
        evidence,
    )
