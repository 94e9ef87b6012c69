"""Deciding a review: what a person found, on which grounds, and what it does to what stands.

An opt-out is recorded as wide as words can mean it, and dated to when it was received. That it was
none takes the hold back, which lifts nothing if the person has opted out since.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from optout_service.core.address import Address
from optout_service.core.errors import Conflict, InvalidRequest
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.keyring import KeyRing
from optout_service.core.review import ReviewDecision, opt_out_scope
from optout_service.core.scope import Scope
from optout_service.store import ledger, reviews
from optout_service.store.reviews import Review
from optout_service.store.tables import event, review


@dataclass(frozen=True, slots=True)
class Grounds:
    """Who decides, on whose authority, and why. ``reference``: a ticket's number, or empty."""

    authority: Authority
    actor: str
    reason: str
    reference: str = ""


def decide(
    conn: Connection,
    tenant_id: int,
    number: int,
    decision: ReviewDecision,
    grounds: Grounds,
    *,
    at: datetime,
    keys: KeyRing,
    lift_cap: int,
    address: str | None = None,
) -> Review:
    """Decide a review, and record what follows from it in the same transaction.

    ``address``: whom it turned out to be about, where the review names nobody. The same decision
    again changes nothing and gives the review as it was decided.

    Raises NotFound, Conflict (decided otherwise), InvalidAddress, InvalidRequest (nobody is named,
    or somebody else), and what ``ledger.record`` raises.
    """
    regime = ledger.lock_to_write(conn, tenant_id, keys)
    found = reviews.get(conn, tenant_id, number, keys)
    if found.decided is not None:
        if found.decided.decision is decision:
            return found
        raise Conflict(
            f"This review was decided as {found.decided.decision}. A decision stays: if it was "
            "wrong, record an opt-out or an opt-in.",
            decision=found.decided.decision,
        )
    given = None if address is None else Address.parse_for(found.channel, address)
    evidence = _evidence(conn, found, decision, grounds, given, keys)
    written: dict[str, Any] = {}
    if evidence is not None:
        outcome = ledger.record(conn, evidence, at=at, keys=keys, lift_cap=lift_cap)
        whom = evidence.address
        written = {
            "decision_event": outcome.event,
            "digest": regime.stored(keys.digest(whom)),
            "generation": regime.mark,
            "kind": whom.kind,
        }
    conn.execute(
        update(review)
        .where(review.c.tenant == tenant_id, review.c.number == number)
        .values(
            decided_at=at,
            decision=decision,
            decided_by=grounds.actor,
            grounds=reviews.seal_grounds(
                keys, tenant_id, number, grounds.reason, grounds.reference
            ),
            **written,
        )
    )
    return reviews.get(conn, tenant_id, number, keys)


def _evidence(
    conn: Connection,
    found: Review,
    decision: ReviewDecision,
    grounds: Grounds,
    given: Address | None,
    keys: KeyRing,
) -> Evidence | None:
    """What is to be recorded; None where nothing was held and nothing is to be stopped."""
    if decision is ReviewDecision.NOT_OPT_OUT and found.hold_event is None:
        return None
    whom = _whom(found, given, keys)
    private = {"review": str(found.number), "reason": grounds.reason}
    if grounds.reference:
        private["reference"] = grounds.reference
    evidence = Evidence(
        tenant=found.tenant,
        action=Action.OPT_OUT,
        address=whom,
        scope=opt_out_scope(whom.kind, found.topic),
        source=Source.OPERATOR,
        authority=grounds.authority,
        actor=grounds.actor,
        private=private,
    )
    match decision:
        case ReviewDecision.OPT_OUT:
            return replace(evidence, occurred_at=found.received_at)
        case ReviewDecision.NOT_OPT_OUT:
            return replace(
                evidence,
                action=Action.OPT_IN,
                scope=_held(conn, found),
                undoes=found.hold_event,
            )


def _whom(found: Review, given: Address | None, keys: KeyRing) -> Address:
    """The address that a review is about. Raises InvalidRequest."""
    if given is not None and found.digest not in (None, keys.digest(given)):
        raise InvalidRequest("This review is about another address. Give none.", field="address")
    whom = found.address or given
    if whom is None:
        raise InvalidRequest(
            "This review names no address. Find out whom it is about, and give it.",
            field="address",
        )
    return whom


def _held(conn: Connection, found: Review) -> Scope:
    """What the hold of a review covers."""
    query = select(event.c.channel, event.c.topic, event.c.purpose).where(
        event.c.tenant == found.tenant, event.c.number == found.hold_event
    )
    return Scope(*conn.execute(query).one())
