"""POST to a link. A mail client's one click, or the button of our own page; nothing else acts.

RFC 8058, 3.1 and 3.2: no redirect, no cookie, no other context is asked for; multipart and
urlencoded bodies are read. A bare POST acts too, since real mail clients send it: an opt-out is
cheap, a missed one unlawful. Whatever else is posted shows the page.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from flask import Response, request

from optout_service.core.evidence import Source
from optout_service.recipients import acts, leaving, pages, preferences, returning
from optout_service.recipients.acts import Act
from optout_service.recipients.link import Visit
from optout_service.web import runtime

_PAIR: Final = re.compile(
    rb"""list-unsubscribe"?\s*(?:=|\r?\n\s*\r?\n\s*)\s*one-click""", re.IGNORECASE
)
_BUTTONS: Final[Mapping[str, Callable[[Visit], Response]]] = {
    pages.TOPIC: leaving.topic,
    pages.ALL: leaving.everything,
    pages.CHOOSE: leaving.chosen,
    pages.UNDO: returning.undo,
    pages.RETURN: returning.come_back,
}

DONE: Final = "You are unsubscribed.\n"
"""The body that a mail client gets."""


def post(visit: Visit, token: str) -> Response:
    """Act on what was posted: one click, the page's ``action``, or show the page again."""
    # Whole before it is taken apart: a parsed form leaves no bytes to look into.
    body = request.get_data()
    if button := _BUTTONS.get(request.values.get(pages.ACTION, "")):
        return button(visit)
    if form := one_click_form(body):
        act = Act(visit.narrow, Source.ONE_CLICK, form)
        acts.record(runtime(), visit, act, request.environ)
        return Response(DONE, content_type=pages.PLAIN)
    return preferences.ask(visit, token)


def one_click_form(body: bytes) -> str | None:
    """In which form this request says One-Click: form, multipart, query, raw or empty; else None.

    ``raw``: the sample of RFC 8058, 8.3, whose delimiters lack two hyphens, comes out of every
    parser as an empty form; so the pair is looked for in the bytes.
    """
    if _says_so(request.form):
        return "multipart" if request.mimetype == "multipart/form-data" else "form"
    if _says_so(request.args):
        return "query"
    if not request.form and _PAIR.search(body):
        return "raw"
    return None if body.strip() else "empty"


def _says_so(fields: pages.Fields) -> bool:
    return any(
        name.lower() == "list-unsubscribe" and value.strip().lower() == "one-click"
        for name, value in fields.items(multi=True)
    )
