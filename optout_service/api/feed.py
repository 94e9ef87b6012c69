"""The ledger as callers follow it: in order and without gaps, so that nothing is missed."""

from collections.abc import Collection, Mapping
from typing import cast

from flask import Response, current_app

from optout_service.api import answers, auth, binding
from optout_service.api.auth import Caller, Permission
from optout_service.api.bodies import reading as bodies
from optout_service.api.waiting import Watch
from optout_service.runtime import Runtime
from optout_service.store import feed, ledger
from optout_service.web import runtime


def events(caller: Caller) -> Response:
    """The events after a number. ``next`` is where to read on, also when there is nothing yet.

    With ``wait`` an answer that would be empty is held back until there is an event, or as many
    seconds are over.
    """
    asked = binding.query(bodies.EventsQuery)
    page = _page(caller, asked)
    if not page and asked.wait:
        watch = cast(Watch, current_app.extensions["optout_watch"])
        watch.wait(caller.tenant, after=asked.after, seconds=asked.wait)
        # The key may have been revoked meanwhile.
        caller = auth.key(Permission.FEED).check()
        page = _page(caller, asked)
    following = page[-1].number if page else asked.after
    _note(caller, following, full=len(page) == asked.limit)
    return answers.answer(
        bodies.EventsAnswer(
            [answers.event(caller, row, answers.shown(caller, row.address)) for row in page],
            following,
        )
    )


def watch(rt: Runtime) -> Watch:
    """What lets the callers of one process wait, and no more of them than have a thread for it."""

    def read(tenants: Collection[int]) -> Mapping[int, int]:
        with rt.reading() as connection:
            return feed.reached(connection, tenants)

    return Watch(read, most=rt.settings.waiters)


def _note(caller: Caller, following: int, *, full: bool) -> None:
    """How far behind a reader is. Whoever got less than it asked for has got all there is."""
    rt = runtime()
    behind = 0
    if full:
        with rt.reading() as connection:
            behind = ledger.position_of(connection, caller.tenant) - following
    rt.metrics.feed_read(caller.api_key, behind, rt.now().timestamp())


def _page(caller: Caller, asked: bodies.EventsQuery) -> list[feed.Event]:
    rt = runtime()
    with rt.reading_much(caller.tenant, api_key=caller.api_key) as connection:
        return feed.page(
            connection,
            caller.tenant,
            after=asked.after,
            limit=asked.limit,
            keys=rt.keys,
        )
