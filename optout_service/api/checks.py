"""May we send? Asked before every send, so it costs one read of the store and little else.

An answer is given only after that read has succeeded; whatever goes wrong is an error, and never
"allowed".
"""

from datetime import timedelta

import msgspec
from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import checks as bodies
from optout_service.core.address import Address, canonical_sha256
from optout_service.core.clearance import Clearance
from optout_service.core.digesting import digests_of
from optout_service.core.errors import InvalidAddress, InvalidRequest, TooLarge
from optout_service.core.policy import Suppression, strength
from optout_service.core.scope import ANY, Kind, Scope, kind_of
from optout_service.runtime import Runtime
from optout_service.web import runtime


def check(caller: Caller) -> Response:
    """The verdict for one address, and all that speaks against sending, the strongest first."""
    return answers.answer(verdict(runtime(), caller, binding.body(bodies.CHECK)))


def verdict(rt: Runtime, caller: Caller, request: bodies.CheckRequest) -> bodies.CheckAnswer:
    """What ``check`` answers; ``api.express`` asks here too."""
    kind, asked = asked_about(request)
    address = Address.parse(kind, request.address)
    # Read before the store is: a clearance never lasts longer than it may.
    issued_at = rt.now() if request.clearance else None
    found = rt.check(caller.tenant, address, asked, api_key=caller.api_key)
    matches = sorted(found.matches, key=strength, reverse=True)
    answer = bodies.CheckAnswer(
        found.suppressed,
        address.spoken,
        [answers.match(caller, row) for row in matches],
        found.as_of,
    )
    if issued_at is None or found.suppressed:
        return answer
    until = issued_at + timedelta(seconds=rt.settings.clearance_seconds)
    digest = rt.belief.regime.stored(rt.keys.digest(address))
    cleared = Clearance(caller.tenant, digest, asked, found.as_of, issued_at, until)
    text = rt.clearances.mint(cleared)
    return msgspec.structs.replace(answer, clearance=text, clearance_valid_until=until)


def check_batch(caller: Caller) -> Response:
    """The suppressed and the invalid among many. What is in neither list may be sent to."""
    request = binding.body(bodies.BATCH)
    rt = runtime()
    if len(request.addresses) > rt.settings.batch_limit:
        raise TooLarge(
            f"One batch takes at most {rt.settings.batch_limit} addresses. Send it in parts.",
            limit=rt.settings.batch_limit,
        )
    kind, asked = asked_about(request)
    digests, invalid = _digests(kind, request.addresses)
    found, as_of = rt.check_many(
        caller.tenant, list(digests.values()), asked, api_key=caller.api_key
    )
    suppressed = [
        _suppressed(caller, index, request.addresses[index], found[digests[index]])
        for index in sorted(digests)
        if digests[index] in found
    ]
    return answers.answer(bodies.BatchAnswer(len(request.addresses), suppressed, invalid, as_of))


def asked_about(
    request: bodies.CheckRequest | bodies.BatchRequest | bodies.ScrubQuery,
) -> tuple[Kind, Scope]:
    """What is asked about, of one channel and one purpose; without a topic, about all topics."""
    kind = kind_of(request.channel)
    asked = Scope.parse(request.channel, request.topic, request.purpose)
    if asked.purpose == ANY:
        raise InvalidRequest(
            "A message has one purpose: marketing or transactional.", field="purpose"
        )
    return kind, asked


def _digests(
    kind: Kind, addresses: list[str]
) -> tuple[dict[int, bytes], list[bodies.BatchInvalid]]:
    """Index -> digest of the valid ones, and the others."""
    digests = digests_of(kind, addresses, runtime().keys)
    invalid = [
        bodies.BatchInvalid(index, text, _objection(kind, text))
        for index, text in enumerate(addresses)
        if index not in digests
    ]
    return digests, invalid


def _objection(kind: Kind, text: str) -> str:
    try:
        canonical_sha256(kind, text)
    except InvalidAddress as error:
        return error.detail
    return "This cannot be read as an address."


def _suppressed(
    caller: Caller, index: int, address: str, rows: list[Suppression]
) -> bodies.BatchSuppressed:
    row = max(rows, key=strength)
    return bodies.BatchSuppressed(
        index, address, row.reason, answers.scope(caller, row.tenant, row.scope)
    )
