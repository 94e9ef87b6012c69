"""The page for people: it asks, and shows what stands. Opening it changes nothing."""

from typing import cast

from flask import Response, current_app, request

from optout_service.recipients import pages
from optout_service.recipients.link import Visit
from optout_service.recipients.view import View, look
from optout_service.recipients.visits import Visits
from optout_service.web import runtime


def opened(visit: Visit, token: str) -> Response:
    """GET and HEAD: the page that asks. That it was opened is counted, and by whom is not."""
    response = ask(visit, token)
    visits = cast(Visits, current_app.extensions["optout_visits"])
    visits.note(runtime(), visit.claim, request.environ)
    return response


def ask(visit: Visit, token: str) -> Response:
    """Also for a POST that says nothing: ask what to leave. Writes nothing.

    Scanners open every link within minutes of delivery; whoever means it taps the button.
    """
    return show(look(visit))


def show(view: View, notice: str = "") -> Response:
    """The page that asks. ``notice``: which of the template's remarks it begins with."""
    narrow = view.visit.narrow
    stopped = view.stopped(narrow)
    return view.page(
        "ask.html",
        notice=notice,
        topic_stopped=stopped,
        all_stopped=view.stopped(view.visit.wide),
        since=view.since(narrow) if stopped else None,
        choices=[
            (value, scope, gone, gone and scope != narrow and view.may_come_back(scope))
            for value, scope in view.choices().items()
            for gone in (view.stopped(scope),)
        ],
        may_come_back=stopped and view.may_come_back(narrow),
    )


def options(visit: Visit, token: str) -> Response:
    """OPTIONS: what the link takes. Nothing happens."""
    return Response(status=204, headers={"Allow": pages.METHODS})
