"""Legal holds: of these recipients nothing is erased, and nothing removed for its age."""

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import holds as bodies
from optout_service.api.bodies.setup import Page
from optout_service.core.address import Address
from optout_service.core.erasure import reason_for
from optout_service.store import holds
from optout_service.store.holds import Hold
from optout_service.web import runtime


def list_holds(caller: Caller) -> Response:
    """A page of the tenant's holds, oldest first, with those that have ended."""
    asked = binding.query(Page)
    rt = runtime()
    with rt.reading() as connection:
        rows, following = holds.page(
            connection, caller.tenant, rt.keys, cursor=asked.cursor, limit=asked.limit
        )
    return answers.answer(bodies.HoldsAnswer([_shape(caller, row) for row in rows], following))


def place_hold(caller: Caller) -> Response:
    """Place a hold for a recipient. 409 if one stands: there is one at a time."""
    asked = binding.body(bodies.HOLD)
    address = Address.parse_for(asked.channel, asked.address)
    reason = reason_for(address, asked.reason)
    rt = runtime()
    with rt.writing() as connection:
        number = holds.place(
            connection, caller.tenant, address, reason, by=caller.actor, at=rt.now(), keys=rt.keys
        )
        made = holds.get(connection, caller.tenant, number, rt.keys)
    audit.note(caller, "legal hold placed", hold=number)
    return answers.answer(_shape(caller, made), 201)


def end_hold(caller: Caller, number: int) -> Response:
    """End a hold. It stays in the list; a hold that has ended already is left as it is."""
    rt = runtime()
    with rt.writing() as connection:
        holds.end_number(connection, caller.tenant, number, by=caller.actor, at=rt.now())
        made = holds.get(connection, caller.tenant, number, rt.keys)
    audit.note(caller, "legal hold ended", hold=number)
    return answers.answer(_shape(caller, made))


def _shape(caller: Caller, row: Hold) -> bodies.HoldShape:
    return bodies.HoldShape(
        row.number,
        answers.shown(caller, row.address),
        row.reason,
        row.placed_at,
        row.placed_by,
        row.ended_at,
        row.ended_by,
    )
