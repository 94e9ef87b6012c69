"""What a person must read: the queue, and what they decide."""

from datetime import datetime

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller, Permission
from optout_service.api.bodies import reviews as bodies
from optout_service.store import decisions, reviews
from optout_service.store.decisions import Grounds
from optout_service.store.reviews import Decided, Review
from optout_service.web import runtime


def list_reviews(caller: Caller) -> Response:
    """A page of the tenant's reviews, oldest first: what is due soonest comes first."""
    asked = binding.query(bodies.ReviewsQuery)
    rt = runtime()
    at = rt.now()
    with rt.reading() as connection:
        rows, following = reviews.page(
            connection,
            caller.tenant,
            state=asked.state,
            at=at,
            after=asked.cursor,
            limit=asked.limit,
            keys=rt.keys,
        )
    items = [_review(caller, row, at) for row in rows]
    return answers.answer(bodies.ReviewsAnswer(items, following))


def show_review(caller: Caller, number: int) -> Response:
    """One review. 404 for another tenant's."""
    rt = runtime()
    with rt.reading() as connection:
        found = reviews.get(connection, caller.tenant, number, rt.keys)
    return answers.answer(_review(caller, found, rt.now()))


def decide_review(caller: Caller, number: int) -> Response:
    """Decide a review: record the opt-out, or take the hold back. The same again: the same answer.

    409 if it was decided otherwise, 429 when the tenant's lifts of the day are used up.
    """
    asked = binding.body(bodies.DECISION)
    rt = runtime()
    with rt.writing(caller.tenant) as connection:
        decided = decisions.decide(
            connection,
            caller.tenant,
            number,
            asked.decision,
            Grounds(caller.authority, caller.actor, asked.reason, asked.reference or ""),
            at=rt.now(),
            keys=rt.keys,
            lift_cap=rt.settings.lift_cap,
            address=asked.address,
        )
    return answers.answer(_review(caller, decided, rt.now()))


def _review(caller: Caller, row: Review, at: datetime) -> bodies.ReviewShape:
    reads = caller.may(Permission.DECIDE)
    return bodies.ReviewShape(
        review=row.number,
        why=row.why,
        rule=row.rule,
        channel=row.channel,
        topic=row.topic,
        source=row.source,
        address=answers.shown(caller, row.address, to_see=Permission.DECIDE),
        said=dict(row.private) if reads else None,
        received_at=row.received_at,
        due_at=row.due_at,
        overdue=row.overdue_at(at),
        hold_event=row.hold_event,
        decided=_decided(row.decided, reads) if row.decided else None,
    )


def _decided(made: Decided, reads: bool) -> bodies.DecisionShape:
    return bodies.DecisionShape(
        decision=made.decision,
        decided_at=made.at,
        decided_by=made.by,
        event=made.event,
        changed=made.changed,
        reason=made.reason if reads else None,
        reference=made.reference if reads else None,
    )
