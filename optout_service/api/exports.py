"""The whole of what stands, as a list to take away. Every one is noted in the log.

Addresses in clear go to roles that may see them, and only where a format was asked for that has
them: the list that comes without asking is of hashes. A phone's hash is as good as its number,
since all numbers there are can be hashed in an afternoon; it goes where the number may go.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from flask import Response

from optout_service.api import binding, streams
from optout_service.api.auth import Caller, Permission, roles_that
from optout_service.api.bodies import reading as bodies
from optout_service.core import exports
from optout_service.core.address import Address
from optout_service.core.errors import NotPermitted
from optout_service.core.exports import Format
from optout_service.core.scope import ANY, KIND_OF, Kind, Scope
from optout_service.store import tenants
from optout_service.transfers.exports import Export
from optout_service.web import runtime

_ALL: Final = frozenset(Kind)
_SLOW_TO_GUESS: Final = frozenset({Kind.EMAIL})
"""The kinds of address whose hash is not undone by trying them all."""

_log = logging.getLogger(__name__)


def export_suppressions(caller: Caller) -> Response:
    """The tenant's own suppressions as hashes, CSV or NDJSON, in the order of their events.

    Who may not see addresses gets no hashes of phones.
    """
    asked = binding.query(bodies.ExportQuery)
    covering = Scope.parse(asked.channel or ANY, asked.topic)
    rt = runtime()
    clear = caller.may(Permission.CLEAR_ADDRESSES)
    hashes = _ALL if clear else _SLOW_TO_GUESS
    if asked.format is Format.SHA256 and KIND_OF.get(covering.channel, Kind.EMAIL) not in hashes:
        roles = roles_that(Permission.CLEAR_ADDRESSES)
        raise NotPermitted(
            "A phone's hash tells its number. Ask for format=csv or ndjson, which are masked, or "
            f"with a key of one of: {', '.join(roles)}.",
            roles=roles,
        )

    def show(address: Address) -> str:
        return address.spoken if clear else address.masked

    export = Export(caller.tenant, asked.format, covering, asked.reason, show, hashes)
    with ExitStack() as held:
        connection = held.enter_context(rt.reading_much(caller.tenant, api_key=caller.api_key))
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
