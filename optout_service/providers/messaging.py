"""A person answers a text: STOP, START, HELP. One act for the ledger, and at most one reply.

A provider is told 2xx only for what is stored, or has nothing to store (DESIGN law: not stored is
5xx, so that it comes again or goes to the fallback URL).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response

from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.keyword import Intent, Reading
from optout_service.core.review import Why
from optout_service.core.scope import ANY, KIND_OF, Kind, Scope
from optout_service.providers import conversation, scopes, wrapped
from optout_service.providers.conversation import Turn
from optout_service.providers.inbound import Hook, Inbound
from optout_service.runtime import Connection, Runtime
from optout_service.store import addressees, feed, ledger, reviews, suppressions
from optout_service.store.ledger import Outcome
from optout_service.store.reviews import Doubt
from optout_service.store.senders import Sender
from optout_service.store.tenants import get_by_id
from optout_service.web import runtime

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A person's message that asks for something, and what it asks for."""

    inbound: Inbound
    reading: Reading
    address: Address


@dataclass(frozen=True, slots=True)
class _Target:
    """Whom it is for: a tenant, by the sender that was answered, or by none that we know."""

    tenant: int
    sender: Sender | None


def messages(hook: Hook[Inbound]) -> Response:
    """``POST /hooks/<provider>/messages``: record what the person said, then answer."""
    text = receive(runtime(), hook.told, hook.tenants)
    return Response(hook.answers.body(text), content_type=hook.answers.media_type)


def receive(rt: Runtime, inbound: Inbound, tenants: Sequence[int]) -> str | None:
    """Record what a person said, and give the text to send back, if any is ours to send.

    ``tenants``: those for whom the message was proven. When this returns, it is on the disk. The
    same message again writes nothing, and gives the same text. Raises StoreUnavailable.
    """
    with rt.reading() as connection:
        found = reached(connection, inbound, tenants)
        reading = read(rt, connection, inbound, found)
    if reading.intent is Intent.NONE:
        # The answer to small talk is silence whatever stands: there is nothing to keep.
        return None
    try:
        address = Address.parse(Kind.PHONE, inbound.person)
    except InvalidAddress:
        # A short code or a name cannot be written to, so there is nothing to suppress.
        _log.warning("a text came from what is no phone number; nothing to record")
        return None
    # A STOP to a number that nobody registered is meant for whoever writes from this account.
    targets = [_Target(s.tenant, s) for s in found] or [_Target(t, None) for t in tenants]
    heard = _Heard(inbound, reading, address)
    with rt.writing(targets[0].tenant if len(targets) == 1 else None) as connection:
        outcomes = [_act(rt, connection, heard, target, len(found)) for target in targets]
        if not found:
            return None
        turn = Turn(inbound, reading, found[0], address, outcomes[0])
        return conversation.reply(rt, connection, turn)


def reached(connection: Connection, inbound: Inbound, tenants: Sequence[int]) -> list[Sender]:
    """The senders that were answered."""
    return addressees.reached(
        connection,
        tenants,
        inbound.provider,
        inbound.account,
        number=inbound.to,
        channel=inbound.channel,
        service=inbound.service,
    )


def read(rt: Runtime, connection: Connection, inbound: Inbound, found: Sequence[Sender]) -> Reading:
    """What a message asks for, by the rules and by the words of the tenant that was answered."""
    # The provider's own word comes first: it has already acted on it, and answered.
    if inbound.matched is not None:
        return Reading(inbound.matched, f"{inbound.provider}:{inbound.matched}", "")
    tenant = get_by_id(connection, found[0].tenant).slug if found else ""
    reading = rt.read_text(tenant, inbound.text)
    if reading.intent is Intent.NONE and (inner := wrapped.text_in(inbound.text)) is not None:
        inside = rt.read_text(tenant, inner)
        return replace(inside, rule=f"base64:{inside.rule}")
    return reading


def _act(
    rt: Runtime, connection: Connection, heard: _Heard, target: _Target, known: int
) -> Outcome | None:
    """Record what was asked of one tenant. None where that writes nothing into its ledger."""
    match heard.reading.intent:
        case Intent.OPT_OUT:
            outcome = rt.record(connection, _opt_out(rt, heard, target, hold=False))
            if target.sender is None:
                _open_review(rt, connection, heard, target, None)
            return outcome
        case Intent.REVIEW:
            return _doubt(rt, connection, heard, target)
        case Intent.OPT_IN:
            if target.sender is None or known > 1:
                # Whoever texts START to a number that nobody or several tenants have registered
                # has not said to whom he comes back.
                return None
            return rt.record(connection, _opt_in(rt, connection, heard, target.sender))
        case Intent.HELP | Intent.NONE:
            return None


def _doubt(rt: Runtime, connection: Connection, heard: _Heard, target: _Target) -> Outcome | None:
    """Stop marketing until somebody has read it (47 CFR 64.1200(a)(10): any reasonable means)."""
    outcome = None
    if rt.settings.review_holds:
        outcome = rt.record(connection, _opt_out(rt, heard, target, hold=True))
    _open_review(rt, connection, heard, target, outcome)
    return outcome


def _open_review(
    rt: Runtime, connection: Connection, heard: _Heard, target: _Target, hold: Outcome | None
) -> None:
    doubt = Doubt(
        tenant=target.tenant,
        address=heard.address,
        channel=heard.inbound.channel if heard.inbound.channel in KIND_OF else ANY,
        source=Source.TEXT,
        why=Why.UNKNOWN_SENDER if target.sender is None else Why.DOUBTFUL,
        rule=heard.reading.rule,
        private={"text": heard.inbound.text, "to": heard.inbound.to},
        provider_message=heard.inbound.key,
        hold_event=hold.event if hold else None,
        topic=_stop_scope(rt, target).topic,
    )
    reviews.open_review(connection, doubt, at=rt.now(), keys=rt.keys)


def _opt_out(rt: Runtime, heard: _Heard, target: _Target, *, hold: bool) -> Evidence:
    stop = _stop_scope(rt, target)
    scope = scopes.of_hold(stop) if hold else stop
    return _evidence(heard, target, Action.OPT_OUT, scope)


def _opt_in(rt: Runtime, connection: Connection, heard: _Heard, sender: Sender) -> Evidence:
    # What stands is read under the lock under which it is lifted.
    ledger.lock(connection, sender.tenant)
    digest = rt.keys.digest(heard.address)
    given_back = scopes.given_back(
        sender,
        suppressions.standing(connection, sender.tenant, digest, rt.keys),
        feed.history(connection, sender.tenant, heard.address, rt.keys),
    )
    scope = scopes.of_start(sender, given_back)
    evidence = _evidence(heard, _Target(sender.tenant, sender), Action.OPT_IN, scope)
    return replace(evidence, gives_back=given_back)


def _stop_scope(rt: Runtime, target: _Target) -> Scope:
    return scopes.of_stop(target.sender, rt.now().date(), rt.settings.revoke_all_from)


def _evidence(heard: _Heard, target: _Target, action: Action, scope: Scope) -> Evidence:
    inbound = heard.inbound
    return Evidence(
        tenant=target.tenant,
        action=action,
        address=heard.address,
        scope=scope,
        source=Source.TEXT,
        authority=Authority.RECIPIENT_PHONE,
        actor="recipient",
        occurred_at=inbound.occurred_at,
        provider_message=inbound.key,
        private={
            "text": inbound.text,
            "to": inbound.to,
            scopes.SENDER: target.sender.address if target.sender else "",
            "channel": inbound.channel,
            "matched": inbound.matched or "",
            "rule": heard.reading.rule,
        },
    )
