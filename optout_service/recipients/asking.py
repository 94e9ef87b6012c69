"""Whoever has only a damaged link asks for a person to see to it.

It is a request and no opt-out: nothing here proves whose address is given, and nobody shall be able
to stop a stranger's messages. So it goes into the review queue, and nothing is held meanwhile.
"""

from contextlib import suppress
from threading import Lock
from time import monotonic_ns
from typing import Final, cast

from flask import Response, current_app, request

from optout_service.core.address import MAX_EMAIL_OCTETS, Address
from optout_service.core.errors import InvalidAddress, NotFound, TooMany
from optout_service.core.evidence import Source
from optout_service.core.policy import PLATFORM
from optout_service.core.rate import NEVER, Policy
from optout_service.core.review import Why
from optout_service.core.scope import ANY
from optout_service.core.token import named_tenant
from optout_service.recipients import languages, pages
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import reviews, tenants
from optout_service.store.reviews import Doubt
from optout_service.web import runtime

_LONGEST: Final = {pages.ADDRESS: MAX_EMAIL_OCTETS, pages.NOTE: 1000}
"""How much of a field is kept, in characters."""


class Requests:
    """How many requests a process takes: anybody may send them, and a person must read them."""

    def __init__(self, settings: Settings) -> None:
        quota = settings.link_requests_per_minute
        among = settings.effective_workers
        self._policy = Policy.shared(quota, 60, among) if quota else None
        self._due = NEVER
        self._lock = Lock()

    def take(self) -> None:
        """Count one. Raises TooMany."""
        with self._lock:
            after = self._policy.take(self._due, monotonic_ns()) if self._policy else None
            if after is None:
                raise TooMany("There are too many requests just now. Please use another way.")
            self._due = after


def form(_: None) -> Response:
    """GET: the page of a damaged link, for whom the language switcher leads here."""
    return pages.damaged(languages.choose(request))


def send(_: None) -> Response:
    """POST: leave the request. An empty form asks again; raises TooMany and StoreUnavailable."""
    rt, language = runtime(), languages.choose(request)
    said = {name: request.form.get(name, "").strip()[:most] for name, most in _LONGEST.items()}
    if not said[pages.ADDRESS]:
        return pages.damaged(language, notice="empty")
    cast(Requests, current_app.extensions["optout_link_requests"]).take()
    said[pages.LINK] = pages.left_of_link()
    doubt = Doubt(
        tenant=_tenant(rt, said[pages.LINK]),
        address=_address(said[pages.ADDRESS]),
        channel=ANY,
        source=Source.PAGE,
        why=Why.DAMAGED_LINK,
        rule="page:damaged-link",
        private={name: text for name, text in said.items() if text},
    )
    with rt.writing(doubt.tenant) as connection:
        reviews.open_review(connection, doubt, at=rt.now(), keys=rt.keys)
    return pages.page("requested.html", language)


def form_options(_: None) -> Response:
    """OPTIONS: what the path takes."""
    return Response(status=204, headers={"Allow": pages.METHODS})


def _tenant(rt: Runtime, link: str) -> int:
    """Whom to ask: the tenant that what is left of the link names, if there is one."""
    named = named_tenant(link)
    if named is None:
        return PLATFORM
    with rt.reading() as connection:
        try:
            return tenants.get_by_id(connection, named).id
        except NotFound:
            return PLATFORM


def _address(text: str) -> Address | None:
    """Whom it may be about. What cannot be read, a person may still understand."""
    with suppress(InvalidAddress):
        return Address.parse_for(ANY, text)
    return None
