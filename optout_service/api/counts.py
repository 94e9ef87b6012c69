"""Counts by day.

Nothing here names anybody. A tenant reads its own numbers, so none is hidden for being small: hide
those below ten before you show them to others.
"""

from datetime import date, timedelta
from typing import Final

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import counts as bodies
from optout_service.core.errors import InvalidRequest
from optout_service.store import counts
from optout_service.web import runtime

MOST_DAYS: Final = 400
USUAL_DAYS: Final = 30


def stats(caller: Caller) -> Response:
    """How many events of each sort a day brought. Whole days, as many as fit under ``limit``."""
    asked = binding.query(bodies.StatsQuery)
    first, last = _days(asked)
    found: list[bodies.Count] = []
    following = None
    with runtime().reading() as connection:
        for day, rows in counts.by_day(connection, caller.tenant, first, last):
            if found and len(found) + len(rows) > asked.limit:
                following = day
                break
            found += (bodies.Count(day, *row) for row in rows)
    return answers.answer(bodies.StatsAnswer(found, following))


def _days(asked: bodies.StatsQuery) -> tuple[date, date]:
    last = asked.last or max(runtime().now().date(), asked.first or date.min)
    first = asked.first or max(last, date(1970, 2, 1)) - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise InvalidRequest("The first day is after the last.", field="from")
    if (last - first).days >= MOST_DAYS:
        raise InvalidRequest(f"Ask about at most {MOST_DAYS} days at a time.", field="from")
    return first, last
