"""The whole of what stands, as a list to take away. Every one is noted in the log.

Addresses in clear go to roles that may see them, and only where a format was asked for that has
them: the list that comes without asking is of hashes.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack

from flask import Response

from optout_service.api import binding, streams
from optout_service.api.auth import Caller, Permission
from optout_service.api.bodies import reading as bodies
from optout_service.core import exports
from optout_service.core.address import Address
from optout_service.core.exports import Format
from optout_service.core.scope import ANY, Scope
from optout_service.store import tenants
from optout_service.transfers.exports import Export
from optout_service.web import runtime

_log = logging.getLogger(__name__)


def export_suppressions(caller: Caller) -> Response:
    """The tenant's own suppressions as hashes, CSV or NDJSON, in the order of their events."""
    asked = binding.query(bodies.ExportQuery)
    covering = Scope.parse(asked.channel or ANY, asked.topic)
    rt = runtime()

    def show(address: Address) -> str:
        return address.spoken if caller.may(Permission.CLEAR_ADDRESSES) else address.masked

    export = Export(caller.tenant, asked.format, covering, asked.reason, show)
    with ExitStack() as held:
        connection = held.enter_context(rt.reading_one_state())
        tenants.require_topics(connection, caller.tenant, [covering.topic])
        pieces = export.begin(connection, rt.keys)
        response, whole = streams.answer(_noted(caller, export, pieces))
        if not whole:
            response.call_on_close(held.pop_all().close)
    response.content_type = exports.MEDIA[asked.format]
    response.headers["Optout-As-Of"] = str(export.as_of)
    if whole:
        response.headers["Optout-Rows"] = str(export.rows)
        response.headers["Optout-Not-Exportable"] = str(export.not_exportable)
    return response


def _noted(caller: Caller, export: Export, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces; and, when the last of them has gone or none is wanted any more, who had them."""
    clear = export.format is not Format.SHA256 and caller.may(Permission.CLEAR_ADDRESSES)
    try:
        yield from pieces
    finally:
        _log.log(
            logging.WARNING if clear else logging.INFO,
            "exported",
            extra={
                "api_key": caller.api_key,
                "tenant": caller.tenant,
                "format": export.format.value,
                "clear": clear,
                "rows": export.rows,
            },
        )
