"""Lists of opt-outs from elsewhere. An import can only add: nothing in it lifts anything.

It is answered when the last row is on the disk. When it breaks off, what was committed stays, and
the refusal says how far it came.
"""

import logging

from flask import Response, request

from optout_service.api import answers, binding, streams
from optout_service.api.auth import Caller
from optout_service.api.bodies import imports as bodies
from optout_service.core.errors import UnsupportedMediaType
from optout_service.core.imports import Asked
from optout_service.core.lists import MEDIA_TYPES, Told
from optout_service.core.scope import ANY, kind_of
from optout_service.store.keys import Role
from optout_service.transfers.imports import Import, Importer, Tally
from optout_service.web import runtime

_log = logging.getLogger(__name__)


def import_list(caller: Caller) -> Response:
    """Take a list in, row by row: CSV, NDJSON, JSON of another system, or one address a line."""
    query = binding.query(bodies.ImportQuery)
    asked = Asked(
        format=query.format,
        channel=query.channel,
        topic=query.topic,
        purpose=query.purpose,
        reason=query.reason,
        reference=query.reference,
    )
    importer = Importer(
        tenant=caller.tenant,
        actor=caller.actor,
        authority=caller.authority,
        may_legal=caller.role is Role.PLATFORM,
    )
    importing = Import(runtime(), importer, asked)
    try:
        for _ in importing.run(streams.body(), _told(query)):
            pass
    finally:
        _note(caller, importing.tally)
    return answers.answer(_answer(importing.tally))


def _told(query: bodies.ImportQuery) -> Told | None:
    """What the request's head says of the list; None: it is JSON."""
    if request.mimetype == answers.JSON:
        return None
    if request.mimetype not in MEDIA_TYPES:
        raise UnsupportedMediaType(
            "Say what the list is, in Content-Type: text/csv, application/x-ndjson, text/plain or "
            "application/json."
        )
    channel = query.channel or ANY
    return Told(
        media=MEDIA_TYPES[request.mimetype],
        charset=request.mimetype_params.get("charset"),
        kind=None if channel == ANY else kind_of(channel),
    )


def _note(caller: Caller, tally: Tally) -> None:
    _log.info(
        "imported",
        extra={
            "api_key": caller.api_key,
            "tenant": caller.tenant,
            "format": tally.layout.name,
            "rows": tally.rows,
            "added": tally.added,
        },
    )


def _answer(tally: Tally) -> bodies.ImportAnswer:
    return bodies.ImportAnswer(
        rows=tally.rows,
        added=tally.added,
        unchanged=tally.unchanged,
        invalid=tally.invalid,
        skipped=tally.skipped,
        format=tally.layout.name,
        rejects=[bodies.RejectShape(reject.row, reject.detail) for reject in tally.rejects],
    )
