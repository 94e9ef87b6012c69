"""Opt-outs and opt-ins from a tenant's own systems and staff.

The answer is built when the act is on the disk. With an Idempotency-Key it is stored in the same
transaction, so that a request that is sent again, because the first answer got lost, repeats it.
"""

import re
from hashlib import sha256
from typing import Final

from flask import Response, request

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import recording as bodies
from optout_service.core import times
from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest, NotPermitted
from optout_service.core.evidence import Action, Evidence, Reason, Source
from optout_service.core.scope import Scope
from optout_service.store import idempotency, ledger, tenants
from optout_service.store.idempotency import Answer, Slot
from optout_service.store.keys import Role
from optout_service.store.ledger import Outcome
from optout_service.web import runtime

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
REPLAYED: Final = {"Idempotent-Replayed": "true"}

_VISIBLE: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


def opt_out(caller: Caller) -> Response:
    """Suppress an address. 201 when that is new, 200 when it stood already."""
    given = binding.raw()
    asked = binding.decode(bodies.OPT_OUT, given)
    if asked.reason is Reason.LEGAL and caller.role is not Role.PLATFORM:
        raise NotPermitted("Only a platform key may record an order of law.", roles=["platform"])
    if caller.role is Role.AGENT and asked.reference is None:
        raise InvalidRequest(
            "An agent's opt-out needs a reference, such as a ticket's number.",
            field="reference",
        )
    return _record(caller, _evidence(caller, Action.OPT_OUT, asked, asked.reason), given)


def opt_in(caller: Caller) -> Response:
    """Lift what the ladder lets this caller lift, on a reference and the recipient's own words.

    409 with ``liftable_by`` where it does not; 429 when the tenant's lifts of the day are used up.
    """
    given = binding.raw()
    asked = binding.decode(bodies.OPT_IN, given)
    return _record(caller, _evidence(caller, Action.OPT_IN, asked, Reason.OPTED_OUT), given)


def _evidence(
    caller: Caller,
    action: Action,
    asked: bodies.OptOutRequest | bodies.OptInRequest,
    reason: Reason,
) -> Evidence:
    scope = Scope.parse(asked.channel, asked.topic, asked.purpose)
    private = {"reference": asked.reference, "statement": asked.statement}
    return Evidence(
        tenant=caller.tenant,
        action=action,
        address=Address.parse_for(scope.channel, asked.address),
        scope=scope,
        source=Source.OPERATOR if caller.role is Role.AGENT else Source.API,
        authority=caller.authority,
        actor=caller.actor,
        reason=reason,
        occurred_at=asked.occurred_at and times.happened(asked.occurred_at, runtime().now()),
        private={name: text for name, text in private.items() if text is not None},
    )


def _record(caller: Caller, evidence: Evidence, given: bytes) -> Response:
    rt = runtime()
    slot = _slot(caller, given)
    known = None
    with rt.writing(caller.tenant) as connection:
        if slot:
            ledger.lock(connection, caller.tenant)
            known = idempotency.find(connection, slot, rt.keys)
        if known is None:
            tenants.require_topics(connection, caller.tenant, [evidence.scope.topic])
            made = _answer(caller, evidence, rt.record(connection, evidence))
            if slot:
                digest = rt.keys.digest(evidence.address)
                idempotency.save(connection, slot, made, digest, at=rt.now(), keys=rt.keys)
    if known is not None:
        return answers.stored(known.body, known.status, REPLAYED)
    return answers.stored(made.body, made.status, {})


def _slot(caller: Caller, given: bytes) -> Slot | None:
    """Where the answer to this very request is kept, if the caller wants that."""
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is None:
        return None
    if not _VISIBLE.fullmatch(key):
        raise InvalidRequest(
            f"An {IDEMPOTENCY_HEADER} is 1 to 255 visible ASCII characters.",
            field=IDEMPOTENCY_HEADER,
        )
    line = f"{request.method} {request.path}\n".encode()
    return Slot(caller.tenant, caller.api_key, key, sha256(line + given).digest())


def _answer(caller: Caller, evidence: Evidence, outcome: Outcome) -> Answer:
    standing = None
    if (row := outcome.suppression) is not None:
        standing = answers.standing(caller, row, evidence.address.spoken)
    body = bodies.Recorded(outcome.event, outcome.changed, standing)
    return Answer(201 if outcome.changed else 200, answers.encoded(body))
