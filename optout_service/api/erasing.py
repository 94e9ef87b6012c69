"""Erasing one recipient, as the people who answer for the tenant are asked to."""

from dataclasses import asdict

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import erasing as bodies
from optout_service.core.address import Address
from optout_service.evidence import erasures
from optout_service.store import tenants
from optout_service.web import runtime


def erase(caller: Caller) -> Response:
    """Erase a recipient's address, words, IP and user agent; the suppression and the chain stay.

    What stays is in the answer, with the reason. With ``dry_run`` nothing is erased. 409 while a
    legal hold stands.
    """
    asked = binding.body(bodies.ERASE)
    address = Address.parse_for(asked.channel, asked.address)
    rt = runtime()
    with rt.reading() as connection:
        tenant = tenants.get_by_id(connection, caller.tenant)
    if asked.dry_run:
        report = erasures.look(rt, tenant, address)
    else:
        report = erasures.erase(rt, tenant, address, reason=asked.reason, actor=caller.actor)
    return answers.answer(
        bodies.EraseAnswer(
            asked.dry_run,
            bodies.ErasedCounts(**asdict(report.erased)),
            [bodies.KeptPart(part.what, part.count, part.why) for part in report.kept_parts],
        )
    )
