"""What an opt-in must know of the opt-outs before it: which are newer, which were taken back."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select

from optout_service.core.evidence import Action, Evidence, Source
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import Earlier, Suppression
from optout_service.core.scope import Scope
from optout_service.store.chain import private_context
from optout_service.store.prepared import Prepared, Row, joined, run
from optout_service.store.tables import event

UNDOES: Final = "undoes"
"""Under which name an event's private payload says which event it takes back."""

_NO_NUMBER: Final = 2**63 - 1
_NO_TIME: Final = datetime.max.replace(tzinfo=UTC)

_EVENTS = Prepared(
    select(
        event.c.number,
        event.c.action,
        event.c.channel,
        event.c.topic,
        event.c.purpose,
        event.c.occurred_at,
        event.c.recorded_at,
        event.c.private,
    )
    .where(
        event.c.digest == bindparam("digest"),
        event.c.tenant == bindparam("tenant"),
        or_(
            event.c.number >= bindparam("number"),
            event.c.occurred_at >= bindparam("occurred_at"),
        ),
    )
    .order_by(event.c.number)
)


def opt_outs(
    conn: Connection,
    evidence: Evidence,
    digest: bytes,
    standing: Sequence[Suppression],
    keys: KeyRing,
) -> list[Earlier]:
    """The opt-outs that ``policy.decide`` must know of for this act; for most acts none."""
    own = [row.event for row in standing if row.tenant == evidence.tenant]
    dated, undoing = evidence.occurred_at is not None, evidence.undoes is not None
    if evidence.action is Action.OPT_OUT or not own or not (dated or undoing):
        return []
    wanted = {
        "tenant": evidence.tenant,
        "number": min(own) if undoing else _NO_NUMBER,
        "occurred_at": evidence.occurred_at or _NO_TIME,
    }
    read = run(conn, *((_EVENTS, wanted | {"digest": form}) for form in keys.forms(digest)))
    rows = joined(read)
    undone = _taken_back(evidence.tenant, rows, keys) if undoing else frozenset()
    return [
        Earlier(number, Scope(channel, topic, purpose), occurred, recorded, number in undone)
        for number, action, channel, topic, purpose, occurred, recorded, _ in rows
        if action is Action.OPT_OUT
    ]


def repeats(
    conn: Connection,
    tenant_id: int,
    forms: Collection[bytes],
    scope: Scope,
    sources: Sequence[Source],
    *,
    since: int,
) -> list[int]:
    """The numbers, from ``since`` on, of an address's opt-outs of exactly this scope, in order.

    ``forms``: those of its digest. Only those that came through one of these doors.
    """
    query = (
        select(event.c.number)
        .where(
            event.c.digest.in_(forms),
            event.c.tenant == tenant_id,
            event.c.number >= since,
            event.c.action == Action.OPT_OUT,
            event.c.channel == scope.channel,
            event.c.topic == scope.topic,
            event.c.purpose == scope.purpose,
            event.c.source.in_(sources),
        )
        .order_by(event.c.number)
    )
    return list(conn.scalars(query))


def scopes(
    conn: Connection, tenant_id: int, forms: Collection[bytes], numbers: Sequence[int]
) -> dict[int, Scope]:
    """What an address's opt-outs of these numbers covered; other numbers are left out."""
    query = select(event.c.number, event.c.channel, event.c.topic, event.c.purpose).where(
        event.c.digest.in_(forms),
        event.c.tenant == tenant_id,
        event.c.number.in_(numbers),
        event.c.action == Action.OPT_OUT,
    )
    return {number: Scope(*parts) for number, *parts in conn.execute(query)}


def _taken_back(tenant_id: int, rows: Sequence[Row], keys: KeyRing) -> frozenset[int]:
    """The events that later ones took back. With its payload erased, an opt-in takes none back."""
    found = set()
    for number, action, *_, private in rows:
        if action is Action.OPT_IN and private is not None:
            said = json.loads(keys.open(private, private_context(tenant_id, number)))
            # Nothing takes back what is still to come.
            if (undone := int(said.get(UNDOES, number))) < number:
                found.add(undone)
    return frozenset(found)
