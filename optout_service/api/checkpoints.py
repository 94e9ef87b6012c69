"""The signed checkpoints of a tenant's ledger, to be kept by whoever will not take our word."""

from itertools import islice

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import checkpoints as bodies
from optout_service.evidence import checkpoints
from optout_service.web import runtime


def list_checkpoints(caller: Caller) -> Response:
    """The checkpoints that were written on this machine."""
    asked = binding.query(bodies.CheckpointsQuery)
    rt = runtime()
    found = checkpoints.backwards(rt, caller.tenant, before=asked.before)
    page = list(islice(found, asked.limit + 1))
    told = page[: asked.limit]
    return answers.answer(
        bodies.CheckpointsAnswer(
            list(rt.signatures.public_keys(caller.tenant)),
            told,
            told[-1].seq if len(page) > len(told) else None,
        )
    )
