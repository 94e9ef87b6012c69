"""One recipient, as the people who answer for the tenant see them: what stands, and why.

The address comes in the body of a POST, since nothing about anybody may stand in a URL.
"""

import msgspec
from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller, Permission
from optout_service.api.bodies import recipients as bodies
from optout_service.core.address import Address
from optout_service.core.policy import Suppression, liftable_by
from optout_service.evidence import bundles, page
from optout_service.store import feed, suppressions, tenants
from optout_service.web import runtime


def lookup(caller: Caller) -> Response:
    """What stands for an address, the platform's too, and the tenant's history with it."""
    asked = binding.body(bodies.LOOKUP)
    address = Address.parse_for(asked.channel, asked.address)
    rt = runtime()
    with rt.reading() as connection:
        rows = suppressions.standing(connection, caller.tenant, rt.keys.digest(address), rt.keys)
        past = feed.history(
            connection,
            caller.tenant,
            address,
            rt.keys,
            after=asked.after,
            limit=asked.limit + 1,
        )
    told = past[: asked.limit]
    spoken = address.spoken
    return answers.answer(
        bodies.LookupAnswer(
            spoken,
            [_liftable(caller, row, spoken) for row in rows],
            [_past(caller, event, spoken) for event in told],
            told[-1].number if len(past) > len(told) else None,
        )
    )


def evidence(caller: Caller) -> Response:
    """A signed bundle of all that is held about an address; masked for who may not look it up."""
    asked = binding.body(bodies.EVIDENCE)
    address = Address.parse_for(asked.channel, asked.address)
    rt = runtime()
    with rt.reading() as connection:
        tenant = tenants.get_by_id(connection, caller.tenant)
    made = bundles.make(rt, tenant, address, masked=not caller.may(Permission.LOOKUP))
    if asked.format == "json":
        return Response(msgspec.json.encode(made), content_type=answers.JSON)
    response = Response(page.render(made), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = page.POLICY
    return response


def _liftable(caller: Caller, row: Suppression, spoken: str) -> bodies.Liftable:
    return answers.widened(
        bodies.Liftable, answers.standing(caller, row, spoken), liftable_by=sorted(liftable_by(row))
    )


def _past(caller: Caller, event: feed.Event, spoken: str) -> bodies.PastEvent:
    return answers.widened(
        bodies.PastEvent,
        answers.event(caller, event, spoken),
        provider=event.provider,
        message_id=event.message_id,
        evidence=event.evidence,
    )
