"""The only writer of suppressions. Event and state change in one transaction, or not at all.

``record`` takes the tenant's row lock first. That numbers the events without gaps, chains them,
serialises two clicks, and makes a feed reader who stands at n certain that nothing below n is
still to come.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from optout_service.core.chain import commitment
from optout_service.core.covers import Regime
from optout_service.core.errors import NotFound
from optout_service.core.evidence import Action, Evidence, ProviderMessage
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import Decision, Refusal, Suppression, decide
from optout_service.core.scope import ANY
from optout_service.store import book, chain, lifting, past, regimes, suppressions
from optout_service.store.prepared import Prepared, Row, Run, joined, run
from optout_service.store.seal import require_ours
from optout_service.store.tables import event, provider_message, seal, tenant, topic


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``record`` did: the event's number, whether the state changed, and what stands now.

    ``replayed``: this provider's message was counted before, as ``event`` (0: it was answered and
    wrote no event), and ``changed`` is what it did then; nothing was written now.
    ``refused``: what an opt-in by the recipient could not lift. ``overtaken``: an opt-in that
    changed nothing since an opt-out is newer than what it is about: written down, and no error,
    since it was true when it was said. ``suppression``: the row of the evidence's own scope, if
    there is one now.
    """

    event: int
    changed: bool
    suppression: Suppression | None = None
    replayed: bool = False
    refused: tuple[Refusal, ...] = ()
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a ledger stands, read under its lock: number and hash of its last event.

    ``pepper``: the fingerprint of the one that the database was made with. ``regime``: the number
    of the one under which its digests are written now.
    """

    seq: int
    head: bytes
    address_book: bool
    lift_day: int
    lift_count: int
    pepper: str
    regime: int

    def lifts_on(self, day: int) -> int:
        """How many of a day's opt-ins are used up; ``day`` is an ordinal (UTC)."""
        return self.lift_count if self.lift_day == day else 0


LOCK = Prepared(
    select(
        tenant.c.seq,
        tenant.c.head,
        tenant.c.address_book,
        tenant.c.lift_day,
        tenant.c.lift_count,
        select(seal.c.pepper).scalar_subquery(),
        tenant.c.regime,
    )
    .where(tenant.c.id == bindparam("tenant"))
    .with_for_update()
)
_SEEN = Prepared(
    select(provider_message.c.event, event.c.changed)
    .join_from(
        provider_message,
        event,
        (event.c.tenant == provider_message.c.tenant)
        & (event.c.number == provider_message.c.event),
        isouter=True,
    )
    .where(
        provider_message.c.tenant == bindparam("tenant"),
        provider_message.c.provider == bindparam("provider"),
        provider_message.c.account == bindparam("account"),
        provider_message.c.message_id == bindparam("message_id"),
    )
)
APPEND = Prepared(insert(event))
_COUNT = Prepared(
    insert(provider_message).values(
        # All but the answer, which is known later.
        {c.name: bindparam(c.name) for c in provider_message.columns if c.name != "answer"}
    )
)
ADVANCE = Prepared(
    update(tenant)
    .where(tenant.c.id == bindparam("tenant"))
    .values(
        seq=bindparam("number"),
        head=bindparam("hash"),
        lift_day=bindparam("lift_day"),
        lift_count=bindparam("lift_count"),
    )
)
_SEQ = select(tenant.c.seq).where(tenant.c.id == bindparam("tenant"))
_TOPICS = select(topic.c.slug).where(topic.c.tenant == bindparam("tenant"))


def lock(conn: Connection, tenant_id: int) -> None:
    """Wait for the tenant's turn, as ``record`` does: what is read after it is the latest.

    Raises NotFound for a tenant that does not exist.
    """
    locked(conn, tenant_id)


def lock_to_write(conn: Connection, tenant_id: int, keys: KeyRing) -> Regime:
    """``lock``, and how digests are written until the transaction ends.

    Raises NotFound, and WrongKeys where our ring cannot write so.
    """
    return keys.regime(locked(conn, tenant_id).regime)


def locked(conn: Connection, tenant_id: int) -> Position:
    """The position of a tenant's ledger, under the lock. Raises NotFound."""
    return _position(run(conn, (LOCK, {"tenant": tenant_id}))[0])


def position_of(conn: Connection, tenant_id: int) -> int:
    """The number of a tenant's last event, as this connection sees it. Raises NotFound."""
    found = conn.execute(_SEQ, {"tenant": tenant_id}).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such tenant.")
    return int(found)


def record(
    conn: Connection, evidence: Evidence, *, at: datetime, keys: KeyRing, lift_cap: int
) -> Outcome:
    """Write one act down and apply it.

    ``at``: when we received it (aware, UTC). ``lift_cap``: how many opt-ins a UTC day may change
    something without coming from the recipient. The caller commits, and answers after that.

    Raises NotFound (no such tenant), NotLiftable, LiftCap, and WrongKeys where the database's
    digests are written under a pepper that our ring has not. A provider's message that was counted
    before is no error: ``Outcome.replayed``. What a recipient may not lift is no error either: it
    is written down as asked for, changes nothing, and comes back in ``Outcome.refused``.
    """
    digest = keys.digest(evidence.address)
    position, seen, standing = _read(conn, evidence, keys.forms(digest))
    require_ours(position.pepper, keys)
    regime = keys.regime(position.regime)
    if seen is not None:
        return seen
    regimes.bring(conn, evidence.tenant, regime, [digest])
    number = position.seq + 1
    decision = decide(
        evidence,
        standing,
        number=number,
        at=at,
        topics=_topics_to_pin(conn, evidence),
        earlier=past.opt_outs(conn, evidence, digest, standing, keys),
    )
    day = at.toordinal()
    lifts = lifting.count(evidence, decision, used=position.lifts_on(day), cap=lift_cap)
    row = entry(
        evidence, digest, number, decision.changed, at, position.head, keys=keys, regime=regime
    )
    writes: list[Run] = [(APPEND, row)]
    if evidence.provider_message is not None:
        writes.append((_COUNT, row | {"event": number}))
    writes += suppressions.writes(evidence.tenant, row["digest"], decision)
    if position.address_book:
        writes.append(book.remember(keys, evidence.tenant, digest, evidence.address, regime))
    writes.append((ADVANCE, row | {"lift_day": day, "lift_count": lifts}))
    run(conn, *writes)
    now_standing = _now_standing(standing, evidence, decision)
    return Outcome(
        number,
        decision.changed,
        now_standing,
        refused=decision.refused,
        overtaken=decision.overtaken,
    )


def erase_private(conn: Connection, which: ColumnElement[bool]) -> None:
    """Erase the private part of events, and its salt: all that the database lets change of them."""
    conn.execute(update(event).where(which).values(salt=None, private=None))


def _read(
    conn: Connection, evidence: Evidence, forms: Sequence[bytes]
) -> tuple[Position, Outcome | None, list[Suppression]]:
    """The tenant's position, under its lock; then what may only be read after it.

    On PostgreSQL each statement sees what was committed when it began, which is after the lock
    was ours: one statement that locked and read would see what was there before it waited.

    ``forms``: all of the digest. The platform's rows of a recipient move by themselves.
    """
    reads: list[Run] = [(LOCK, {"tenant": evidence.tenant})]
    reads += [suppressions.read_standing(evidence.tenant, form) for form in forms]
    if (message := evidence.provider_message) is not None:
        reads.append((_SEEN, {"tenant": evidence.tenant, **_ids(message)}))
    locked, *found = run(conn, *reads)
    standing, seen = found[: len(forms)], found[len(forms) :]
    counted = next(
        (Outcome(row[0], bool(row[1]), replayed=True) for rows in seen for row in rows), None
    )
    return _position(locked), counted, suppressions.from_rows(joined(standing))


def _position(rows: list[Row]) -> Position:
    if not rows:
        raise NotFound("There is no such tenant.")
    return Position(*rows[0])


def _ids(message: ProviderMessage | None) -> dict[str, str | None]:
    if message is None:
        return {"provider": None, "account": None, "message_id": None}
    return asdict(message)


def _topics_to_pin(conn: Connection, evidence: Evidence) -> frozenset[str]:
    if evidence.action is Action.OPT_OUT or evidence.scope.topic == ANY:
        return frozenset()
    return frozenset(conn.scalars(_TOPICS, {"tenant": evidence.tenant}))


def entry(
    evidence: Evidence,
    digest: bytes,
    number: int,
    changed: bool,
    at: datetime,
    head: bytes,
    *,
    keys: KeyRing,
    regime: Regime,
) -> dict[str, Any]:
    """The row of one act, chained to the one before, whose hash is ``head``.

    The chain binds the digest itself, and not the form in which the regime has it stored: so it
    outlives every pepper but the first.
    """
    salt = os.urandom(16)
    said = dict(evidence.private)
    if evidence.undoes is not None:
        said[past.UNDOES] = str(evidence.undoes)
    private = json.dumps(said, sort_keys=True, ensure_ascii=False).encode()
    row: dict[str, Any] = {
        "tenant": evidence.tenant,
        "number": number,
        "action": evidence.action,
        "changed": changed,
        "digest": digest,
        "kind": evidence.address.kind,
        "channel": evidence.scope.channel,
        "topic": evidence.scope.topic,
        "purpose": evidence.scope.purpose,
        "reason": evidence.reason,
        "source": evidence.source,
        "actor": evidence.actor,
        "occurred_at": evidence.occurred_at or at,
        "recorded_at": at,
        **_ids(evidence.provider_message),
        "commitment": commitment(salt, private),
        "salt": salt,
        "private": keys.seal(private, chain.private_context(evidence.tenant, number)),
    }
    row["hash"] = chain.entry_hash(head, row)
    return row | {"digest": regime.stored(digest), "generation": regime.mark}


def _now_standing(
    standing: list[Suppression], evidence: Evidence, decision: Decision
) -> Suppression | None:
    rows = {row.scope: row for row in standing if row.tenant == evidence.tenant}
    for scope in decision.drop:
        rows.pop(scope, None)
    rows.update((row.scope, row) for row in decision.put)
    return rows.get(evidence.scope)
