"""The ledger as callers follow it: in order and without gaps, so that nothing is missed."""

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import reading as bodies
from optout_service.store import feed
from optout_service.web import runtime


def events(caller: Caller) -> Response:
    """The events after a number. ``next`` is where to read on, also when there is nothing yet."""
    asked = binding.query(bodies.EventsQuery)
    rt = runtime()
    with rt.reading() as connection:
        page = feed.page(
            connection,
            caller.tenant,
            after=asked.after,
            limit=asked.limit,
            keys=rt.keys,
        )
    return answers.answer(
        bodies.EventsAnswer(
            [_event(caller, row) for row in page],
            page[-1].number if page else asked.after,
        )
    )


def _event(caller: Caller, row: feed.Event) -> bodies.EventShape:
    return bodies.EventShape(
        event=row.number,
        action=row.action,
        changed=row.changed,
        scope=answers.scope(caller, row.tenant, row.scope),
        reason=row.reason,
        source=row.source,
        actor=row.actor,
        address=answers.shown(caller, row.address),
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        hash=row.hash.hex(),
    )
