"""A list in, the list without those who left out: any length, order kept, rows as they came.

The whole answer is true for one position of the ledger, that of its beginning. An error is never
"allowed", and an answer that cannot be finished is broken off.
"""

from contextlib import ExitStack

from flask import Response, request

from optout_service.api import binding, checks, streams
from optout_service.api.auth import Caller
from optout_service.api.bodies import checks as bodies
from optout_service.core import lists
from optout_service.core.digesting import Digester
from optout_service.core.errors import UnsupportedMediaType
from optout_service.core.lists import MEDIA_TYPES, Listing, Told
from optout_service.core.scope import Kind
from optout_service.core.scrubbing import Counts, Scrub
from optout_service.web import runtime


def scrub(caller: Caller) -> Response:
    """The rows of the list that may be sent to, or those that may not, or all with verdicts."""
    asked = binding.query(bodies.ScrubQuery)
    kind, scope = checks.asked_about(asked)
    told = _told(asked, kind)
    rt, counts = runtime(), Counts()
    with ExitStack() as held:
        blocks = streams.body()
        snapshot = held.enter_context(rt.snapshot(caller.tenant, scope, api_key=caller.api_key))
        listing = lists.read(blocks, told)
        digested = rt.hands.all(Digester(listing, kind, rt.keys), listing.blocks)
        done = Scrub(listing, digested, snapshot.probe, asked.keep, bool(asked.safe), counts)
        response, whole = streams.answer(done.pieces())
        if not whole:
            response.call_on_close(held.pop_all().close)
    response.content_type = _content_type(listing)
    response.headers["Optout-As-Of"] = str(snapshot.as_of)
    if whole:
        response.headers["Optout-Rows"] = str(counts.rows)
        response.headers["Optout-Suppressed"] = str(counts.suppressed)
        response.headers["Optout-Invalid"] = str(counts.invalid)
    return response


def _told(asked: bodies.ScrubQuery, kind: Kind) -> Told:
    media = MEDIA_TYPES.get(request.mimetype)
    if media is None:
        raise UnsupportedMediaType(
            "Say what the list is, in Content-Type: text/csv, application/x-ndjson or text/plain."
        )
    tabs = request.mimetype == "text/tab-separated-values"
    delimiter = asked.delimiter or ("tab" if tabs else None)
    # RFC 4180, 3: the media type may say whether there is a header.
    header = asked.header or request.mimetype_params.get("header")
    return Told(
        media=media,
        charset=request.mimetype_params.get("charset"),
        delimiter=None if delimiter is None else lists.parse_delimiter(delimiter),
        header=None if header is None else header == bodies.Header.PRESENT,
        column=asked.column,
        kind=kind,
    )


def _content_type(listing: Listing) -> str:
    return f"{request.mimetype}; charset={listing.codec}" if listing.codec else request.mimetype
