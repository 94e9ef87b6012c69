"""Counts by day: what the ledger received, and how often links were opened.

Nothing here names anybody. A tenant reads its own numbers, so none is hidden for being small: hide
those below ten before you show them to others.
"""

import heapq
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import counts as bodies
from optout_service.core.errors import InvalidRequest
from optout_service.runtime import Connection
from optout_service.store import counts, visits
from optout_service.web import runtime

MOST_DAYS: Final = 400
USUAL_DAYS: Final = 30


def stats(caller: Caller) -> Response:
    """How many events of each sort a day brought, and how often links were opened on it.

    Whole days, as many as fit under ``limit``. Scanners open every link, and cannot be told from
    people: what was opened says nothing about anybody.
    """
    asked = binding.query(bodies.StatsQuery)
    first, last = _days(asked)
    found: list[bodies.Count] = []
    opened: list[bodies.VisitCount] = []
    following = None
    with runtime().reading() as connection:
        for day, events, hits in _by_day(connection, caller.tenant, first, last):
            told = len(found) + len(opened)
            if told and told + len(events) + len(hits) > asked.limit:
                following = day
                break
            found += (bodies.Count(day, *row) for row in events)
            opened += (bodies.VisitCount(day, *row) for row in hits)
    return answers.answer(bodies.StatsAnswer(found, following, opened))


_Rows = Sequence[Any]


def _by_day(
    connection: Connection, tenant: int, first: date, last: date
) -> Iterator[tuple[date, _Rows, _Rows]]:
    """The days that have either, in order: rows of ``counts``, and rows of ``visits``."""
    both = heapq.merge(
        ((day, 0, rows) for day, rows in counts.by_day(connection, tenant, first, last)),
        ((day, 1, rows) for day, rows in visits.by_day(connection, tenant, first, last)),
        key=itemgetter(0, 1),
    )
    for day, parts in groupby(both, itemgetter(0)):
        of_day = {which: rows for _, which, rows in parts}
        yield day, of_day.get(0, ()), of_day.get(1, ())


def _days(asked: bodies.StatsQuery) -> tuple[date, date]:
    last = asked.last or max(runtime().now().date(), asked.first or date.min)
    first = asked.first or max(last, date(1970, 2, 1)) - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise InvalidRequest("The first day is after the last.", field="from")
    if (last - first).days >= MOST_DAYS:
        raise InvalidRequest(f"Ask about at most {MOST_DAYS} days at a time.", field="from")
    return first, last
