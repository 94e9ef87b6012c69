"""POST to a link. A mail client's one click, or the button of our own page; nothing else acts.

RFC 8058, 3.1 and 3.2: no redirect, no cookie, no other context is asked for; multipart and
urlencoded bodies are read. A bare POST acts too, since real mail clients send it: an opt-out is
cheap, a missed one unlawful. Whatever else is posted shows the page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request

from optout_service.core.errors import BadToken, NotFound
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.scope import Scope
from optout_service.recipients import pages, preferences
from optout_service.recipients.link import Visit
from optout_service.runtime import Runtime
from optout_service.store.ledger import Outcome
from optout_service.web import runtime

_PAIR: Final = re.compile(
    rb"""list-unsubscribe"?\s*(?:=|\r?\n\s*\r?\n\s*)\s*one-click""", re.IGNORECASE
)
_ACTION: Final = "action"

DONE: Final = "You are unsubscribed.\n"
"""The body that a mail client gets."""


@dataclass(frozen=True, slots=True)
class Act:
    """What to write down: the scope, where it came from, and in which form of body."""

    scope: Scope
    source: Source
    form: str


def post(visit: Visit, token: str) -> Response:
    """Act on what was posted: one click, the page's ``action``, or show the page again."""
    # Whole before it is taken apart: a parsed form leaves no bytes to look into.
    body = request.get_data()
    action = request.values.get(_ACTION, "")
    if action in pages.ACTIONS:
        return preferences.leave(visit, action)
    if form := one_click_form(body):
        act = Act(visit.narrow, Source.ONE_CLICK, form)
        record(runtime(), visit, act, request.environ)
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


def record(rt: Runtime, visit: Visit, act: Act, environ: Mapping[str, Any]) -> Outcome:
    """Write the opt-out down. When this returns it is on the disk.

    ``environ``: the WSGI environment of the request, for the traces that are kept of it. Raises
    BadToken for a link to a tenant that is gone, and StoreUnavailable.
    """
    evidence = Evidence(
        tenant=visit.claim.tenant,
        action=Action.OPT_OUT,
        address=visit.claim.address,
        scope=act.scope,
        source=act.source,
        authority=Authority.RECIPIENT_PAGE,
        actor="recipient",
        private={"message": visit.claim.message, "body_form": act.form} | _traces(environ),
    )
    try:
        with rt.writing(evidence.tenant) as connection:
            return rt.record(connection, evidence)
    except NotFound:
        raise BadToken("This link leads to nobody.") from None


def _says_so(fields: pages.Fields) -> bool:
    return any(
        name.lower() == "list-unsubscribe" and value.strip().lower() == "one-click"
        for name, value in fields.items(multi=True)
    )


def _traces(environ: Mapping[str, Any]) -> dict[str, str]:
    """Who asks not to be tracked leaves no more than the act itself (DNT, Sec-GPC)."""
    if environ.get("HTTP_DNT") == "1" or environ.get("HTTP_SEC_GPC") == "1":
        return {}
    return {
        "ip": environ.get("REMOTE_ADDR") or "",
        "user_agent": environ.get("HTTP_USER_AGENT", "")[:300],
    }
