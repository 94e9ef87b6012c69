"""A provider says what became of a message: what it blocks, or whose number it is no more.

For a carrier that swallows a STOP such a report is the only sign of it. A report is the provider's
word and not the person's: its reason is ``blocked``, and a START from the phone itself lifts it.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from flask import Response

from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.scope import Kind, Scope
from optout_service.providers import scopes
from optout_service.providers.inbound import Hook, Meaning, Status
from optout_service.runtime import Runtime
from optout_service.store import addressees
from optout_service.store.senders import Sender
from optout_service.web import runtime

_log = logging.getLogger(__name__)

REASONS: Final = {
    Meaning.BLOCKED: Reason.BLOCKED,
    Meaning.BLOCKED_ON_CHANNEL: Reason.BLOCKED,
    Meaning.REASSIGNED: Reason.REASSIGNED,
}
"""What is recorded, by what a report means; of all else nothing is."""


def statuses(hook: Hook[Status]) -> Response:
    """``POST /hooks/<provider>/status``: one report."""
    return _answered(hook, [hook.told])


def events(hook: Hook[Sequence[Status]]) -> Response:
    """``POST /hooks/<provider>/events``: several at once."""
    return _answered(hook, hook.told)


def receive(rt: Runtime, status: Status, tenants: Sequence[int]) -> None:
    """Record what a report says of its recipient, if anything. When this returns, it is on disk.

    ``tenants``: those for whom the report was proven. The same report again changes nothing. Raises
    StoreUnavailable.
    """
    reason = REASONS.get(status.meaning)
    if reason is None:
        _note(status)
        return
    try:
        address = Address.parse(Kind.PHONE, status.person)
    except InvalidAddress:
        _log.warning("a report is about what is no phone number; nothing to record")
        return
    with rt.reading() as connection:
        found = addressees.reached(
            connection,
            tenants,
            status.provider,
            status.account,
            number=status.sender,
            channel=status.channel,
            service=status.service,
        )
    # Whoever wrote from a sender that nobody registered may be any of the account's tenants.
    by_tenant = {sender.tenant: sender for sender in found}
    for tenant in by_tenant or tenants:
        evidence = _evidence(rt, status, tenant, by_tenant.get(tenant), address, reason)
        with rt.writing(tenant) as connection:
            rt.record(connection, evidence)


def _evidence(
    rt: Runtime,
    status: Status,
    tenant: int,
    sender: Sender | None,
    address: Address,
    reason: Reason,
) -> Evidence:
    return Evidence(
        tenant=tenant,
        action=Action.OPT_OUT,
        address=address,
        scope=_scope(rt, status, sender),
        source=Source.PROVIDER,
        authority=Authority.PROVIDER,
        actor=f"provider:{status.provider}",
        reason=reason,
        occurred_at=status.occurred_at,
        provider_message=status.key,
        private={
            "code": status.code,
            "state": status.state,
            "channel": status.channel,
            scopes.SENDER: sender.address if sender else "",
        },
    )


def _answered(hook: Hook[Status] | Hook[Sequence[Status]], told: Iterable[Status]) -> Response:
    for status in told:
        receive(runtime(), status, hook.tenants)
    return Response(hook.answers.body(None), content_type=hook.answers.media_type)


def _scope(rt: Runtime, status: Status, sender: Sender | None) -> Scope:
    match status.meaning:
        case Meaning.BLOCKED_ON_CHANNEL:
            return scopes.of_channel_block(sender, status.channel)
        case Meaning.REASSIGNED:
            return scopes.EVERYTHING
        case _:
            return scopes.of_stop(sender, rt.now().date(), rt.settings.revoke_all_from)


def _note(status: Status) -> None:
    """Nothing to store, but somebody may want to count it. No number and no name is in the line."""
    facts = {"provider": status.provider, "code": status.code, "meaning": status.meaning}
    if status.meaning is Meaning.ALERT:
        _log.warning("a message failed on the sending side", extra=facts)
    elif status.code:
        _log.info("a message did not arrive", extra=facts)
