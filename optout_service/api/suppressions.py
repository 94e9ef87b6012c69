"""What stands at one tenant, a page at a time."""

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import reading as bodies
from optout_service.core.scope import ANY, OTHER, Scope
from optout_service.store import suppressions, tenants
from optout_service.web import runtime


def list_suppressions(caller: Caller) -> Response:
    """A page of the tenant's own suppressions, in the order of their events.

    What the platform suppresses for everybody is not among them: a check sees it.
    """
    asked = binding.query(bodies.SuppressionsQuery)
    filters = Scope.parse(
        ANY if asked.channel is None else asked.channel,
        None if asked.topic == OTHER else asked.topic,
    )
    rt = runtime()
    with rt.reading() as connection:
        tenants.require_topics(connection, caller.tenant, [filters.topic])
        rows, following = suppressions.page(
            connection,
            caller.tenant,
            rt.keys,
            limit=asked.limit,
            cursor=asked.cursor,
            channel=asked.channel,
            topic=asked.topic,
            reason=asked.reason,
            since=asked.since,
        )
    items = [
        answers.standing(caller, row.suppression, answers.shown(caller, row.address))
        for row in rows
    ]
    return answers.answer(bodies.SuppressionsAnswer(items, following))
