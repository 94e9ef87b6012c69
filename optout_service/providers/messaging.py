"""A person answers a text: STOP, START, HELP. One act for the ledger, and at most one reply.

Twilio is told 2xx only for what is stored, or has nothing to store (DESIGN law: not stored is
5xx, so that it comes again or goes to the fallback URL).
"""

import logging
from dataclasses import dataclass
from typing import Final

from flask import Response

from optout_service.core import keyword
from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress
from optout_service.core.evidence import (
    Action,
    Authority,
    Evidence,
    ProviderMessage,
    Source,
)
from optout_service.core.keyword import Intent, Reading
from optout_service.core.scope import ANY, Kind, Purpose, Scope
from optout_service.providers import replies, twilio
from optout_service.providers.hooks import Hook
from optout_service.providers.twilio import Inbound
from optout_service.runtime import Connection
from optout_service.store import senders, tenants
from optout_service.store.ledger import Outcome
from optout_service.store.senders import Sender
from optout_service.web import runtime

_log = logging.getLogger(__name__)

_BY_OPT_OUT_TYPE: Final = {
    "STOP": Intent.OPT_OUT,
    "START": Intent.OPT_IN,
    "HELP": Intent.HELP,
}


@dataclass(frozen=True, slots=True)
class _Act:
    """What a message asks for: an action on a purpose. Doubtful words stop marketing, no more."""

    action: Action
    purpose: str


_ACTS: Final = {
    Intent.OPT_OUT: _Act(Action.OPT_OUT, ANY),
    Intent.REVIEW: _Act(Action.OPT_OUT, Purpose.MARKETING),
    Intent.OPT_IN: _Act(Action.OPT_IN, ANY),
}


def messages(hook: Hook) -> Response:
    """``POST /hooks/twilio/messages``: record what the person said, then answer in TwiML."""
    rt = runtime()
    reading = _read(hook.inbound)
    with rt.writing() as connection:
        sender = _find_sender(connection, hook)
        outcome = _record(connection, hook, sender, reading)
        text = _reply(connection, hook.inbound, sender, reading, outcome)
    return Response(twilio.reply(text), content_type="text/xml; charset=utf-8")


def _read(inbound: Inbound) -> Reading:
    # Twilio's own word comes first: it has already acted on it, and answered.
    if intent := _BY_OPT_OUT_TYPE.get(inbound.opt_out_type):
        return Reading(intent, f"twilio:{inbound.opt_out_type}", "")
    return keyword.read(inbound.text)


def _find_sender(connection: Connection, hook: Hook) -> Sender | None:
    """The sender that was answered; a messaging service by its own id, else by the number."""
    reached = (hook.inbound.to, hook.inbound.messaging_service)
    for tenant in hook.tenants:
        for sender in senders.of_account(connection, tenant, "twilio", hook.account):
            if sender.address in reached:
                return sender
    return None


def _record(
    connection: Connection, hook: Hook, sender: Sender | None, reading: Reading
) -> Outcome | None:
    act = _ACTS.get(reading.intent)
    if act is None or (sender is None and act.action is Action.OPT_IN):
        # Whoever texts START to a number we do not know has not said to whom he comes back.
        return None
    try:
        address = Address.parse(Kind.PHONE, hook.inbound.person)
    except InvalidAddress:
        # A short code or a name cannot be written to, so there is nothing to suppress.
        _log.warning("a text came from what is no phone number; nothing to record")
        return None
    # A STOP to a number that nobody registered is meant for whoever writes from this account.
    outcomes = [
        runtime().record(connection, _evidence(hook, tenant, address, act, sender, reading))
        for tenant in ((sender.tenant,) if sender else hook.tenants)
    ]
    return outcomes[0]


def _evidence(
    hook: Hook,
    tenant: int,
    address: Address,
    act: _Act,
    sender: Sender | None,
    reading: Reading,
) -> Evidence:
    inbound = hook.inbound
    return Evidence(
        tenant=tenant,
        action=act.action,
        address=address,
        scope=Scope(ANY, sender.topic if sender else ANY, act.purpose),
        source=Source.TEXT,
        authority=Authority.RECIPIENT_PHONE,
        actor="recipient",
        provider_message=ProviderMessage("twilio", hook.account, inbound.message_id),
        private={
            "text": inbound.text,
            "to": inbound.to,
            "channel": inbound.channel,
            "opt_out_type": inbound.opt_out_type,
            "rule": reading.rule,
        },
    )


def _reply(
    connection: Connection,
    inbound: Inbound,
    sender: Sender | None,
    reading: Reading,
    outcome: Outcome | None,
) -> str | None:
    if sender is None or not replies.we_answer(sender, inbound.text, inbound.opt_out_type):
        return None
    brand = tenants.get_by_id(connection, sender.tenant)
    return replies.reply_to(_said(reading.intent, outcome), brand.name, brand.contact)


def _said(intent: Intent, outcome: Outcome | None) -> Intent:
    """What the reply is to speak of. A second STOP gets no second confirmation."""
    if intent is Intent.HELP:
        return intent
    if outcome is not None and outcome.changed:
        return intent
    if outcome is not None and outcome.refused:
        # We cannot take back what stands; who can is reached through the brand.
        return Intent.HELP
    return Intent.NONE
