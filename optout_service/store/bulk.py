"""Many opt-outs of one tenant at once: what ``ledger.record`` does one by one, in few statements.

Opt-outs alone. There is no way to lift in bulk, here or elsewhere.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from optout_service.core.evidence import Action, Evidence
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import Suppression, decide
from optout_service.store import book, ledger, regimes, suppressions
from optout_service.store.ledger import Outcome
from optout_service.store.prepared import Prepared, Run, run, run_many
from optout_service.store.seal import require_ours

_Standing = dict[bytes, list[Suppression]]


def record_many(
    conn: Connection,
    evidences: Sequence[Evidence],
    *,
    at: datetime,
    keys: KeyRing,
    skip_repeats: bool = False,
) -> list[Outcome]:
    """Write opt-outs of one tenant down and apply them, in their order; an outcome for each.

    State and ledger are afterwards what ``ledger.record`` would have made of them, one after the
    other, at this time. ``skip_repeats``: an act for whose very scope and reason a suppression
    stands already is not written down again; its outcome names the event that it stands by.

    The caller commits. A thousand or so at a time: other writers of the tenant wait meanwhile.
    Raises NotFound (no such tenant), WrongKeys, and ValueError for what does not belong here.
    """
    if not evidences:
        return []
    tenant_id = _tenant_of(evidences)
    position = ledger.locked(conn, tenant_id)
    require_ours(position.pepper, keys)
    digests = [keys.digest(evidence.address) for evidence in evidences]
    standing = suppressions.standing_of(conn, tenant_id, set(digests), keys)
    regime = keys.regime(position.regime)
    regimes.bring(conn, tenant_id, regime, set(digests))
    number, head = position.seq, position.head
    entries: list[dict[str, Any]] = []
    writes: list[Run] = []
    outcomes: list[Outcome] = []
    for evidence, digest in zip(evidences, digests, strict=True):
        rows = standing.setdefault(digest, [])
        if skip_repeats and (repeated := standing_for(rows, evidence)):
            outcomes.append(Outcome(repeated.event, changed=False, suppression=repeated))
            continue
        number += 1
        decision = decide(evidence, rows, number=number, at=at, topics=(), earlier=())
        entries.append(
            ledger.entry(
                evidence, digest, number, decision.changed, at, head, keys=keys, regime=regime
            )
        )
        head = entries[-1]["hash"]
        writes += suppressions.writes(tenant_id, entries[-1]["digest"], decision)
        rows[:] = put_into(rows, decision.put)
        now = next((row for row in rows if _is_of(row, evidence)), None)
        outcomes.append(Outcome(number, decision.changed, now))
        if position.address_book:
            writes.append(book.remember(keys, tenant_id, digest, evidence.address, regime))
    if entries:
        run_many(conn, ledger.APPEND, entries)
        _run_all(conn, writes)
        day = at.toordinal()
        lifts = {"lift_day": day, "lift_count": position.lifts_on(day)}
        run(conn, (ledger.ADVANCE, entries[-1] | lifts))
    return outcomes


def standing_for(rows: Iterable[Suppression], evidence: Evidence) -> Suppression | None:
    """What stands already for an act's very scope and reason, among a digest's suppressions."""
    return next(
        (row for row in rows if _is_of(row, evidence) and row.reason is evidence.reason), None
    )


def put_into(rows: Iterable[Suppression], put: Collection[Suppression]) -> list[Suppression]:
    """A digest's suppressions after some were put: new, or in the place of the same scope."""
    replaced = {(row.tenant, row.scope) for row in put}
    return [row for row in rows if (row.tenant, row.scope) not in replaced] + list(put)


def _tenant_of(evidences: Sequence[Evidence]) -> int:
    tenants = {evidence.tenant for evidence in evidences}
    if len(tenants) > 1:
        raise ValueError("acts of several tenants")
    if any(e.action is not Action.OPT_OUT or e.provider_message for e in evidences):
        raise ValueError("an act for ledger.record: an opt-in, or a provider's message")
    return tenants.pop()


def _is_of(row: Suppression, evidence: Evidence) -> bool:
    return row.tenant == evidence.tenant and row.scope == evidence.scope


def _run_all(conn: Connection, writes: Iterable[Run]) -> None:
    """Each statement once, with all its rows in their order.

    It does not matter which statement comes first: an address takes the place of its hash in the
    book whichever was written before.
    """
    rows: defaultdict[Prepared, list[Any]] = defaultdict(list)
    for statement, values in writes:
        rows[statement].append(values)
    for statement, those in rows.items():
        run_many(conn, statement, those)
