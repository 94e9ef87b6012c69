"""A clearance, held against the message it was used for: it settles what a sender knew, and when.

One that is expired still proves what was known; it may only not be sent on.
"""

from flask import Response
from msgspec import UNSET

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import clearances as bodies
from optout_service.core.address import Address
from optout_service.core.clearance import Clearance
from optout_service.core.scope import Scope, kind_of
from optout_service.web import runtime


def verify(caller: Caller) -> Response:
    """What one of the caller's tenant says. 422 ``bad-clearance`` for any other text."""
    asked = binding.body(bodies.VERIFY)
    rt = runtime()
    given = rt.clearances.read(caller.tenant, asked.clearance)
    expired = given.expired_at(rt.now())
    same_address = _same_address(asked, given)
    same_scope = _same_scope(asked, given)
    return answers.answer(
        bodies.ClearanceAnswer(
            valid=not expired and False not in (same_address, same_scope),
            expired=expired,
            tenant=caller.slug,
            channel=given.scope.channel,
            topic=given.scope.topic,
            purpose=given.scope.purpose,
            as_of=given.as_of,
            issued_at=given.issued_at,
            valid_until=given.valid_until,
            suppressed_now=rt.suppressed_now(given, api_key=caller.api_key),
            matches_address=UNSET if same_address is None else same_address,
            matches_scope=UNSET if same_scope is None else same_scope,
        )
    )


def _same_address(asked: bodies.ClearanceRequest, given: Clearance) -> bool | None:
    if asked.address is None:
        return None
    address = Address.parse(kind_of(given.scope.channel), asked.address)
    return runtime().keys.digest(address) in runtime().keys.digests_behind(given.digest)


def _same_scope(asked: bodies.ClearanceRequest, given: Clearance) -> bool | None:
    named = (asked.channel, asked.topic, asked.purpose)
    if named == (None, None, None):
        return None
    said = (given.scope.channel, given.scope.topic, given.scope.purpose)
    held = (one if one is not None else other for one, other in zip(named, said, strict=True))
    return Scope.parse(*held) == given.scope
