"""What is said back to a person, if anything: once, honestly, in a language of theirs.

47 CFR 64.1200(a)(12): one confirmation, within five minutes, no marketing. It goes out in the
answer to the hook itself, so it passes no suppression of ours and is never late. A message that
comes again gets the answer it was given, byte for byte: the first never reached the provider.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from optout_service.core import policy
from optout_service.core.address import Address
from optout_service.core.keyword import Intent, Reading
from optout_service.core.scope import KIND_OF, Channel, Purpose, Scope
from optout_service.core.texts import Said
from optout_service.providers import replies
from optout_service.providers.inbound import Inbound
from optout_service.runtime import Connection, Runtime
from optout_service.store import answers, ledger, suppressions, texts
from optout_service.store.ledger import Outcome
from optout_service.store.senders import Sender

CONFIRM_WITHIN: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's message, what it was taken for, who was asked, and what came of it.

    ``outcome`` is None where nothing was written into the ledger.
    """

    inbound: Inbound
    reading: Reading
    sender: Sender
    address: Address
    outcome: Outcome | None


def reply(rt: Runtime, connection: Connection, turn: Turn) -> str | None:
    """The text to send back, or None; and what it was is kept with the message's id.

    In the transaction of the act, after it.
    """
    tenant, key, outcome = turn.sender.tenant, turn.inbound.key, turn.outcome
    if outcome is None:
        ledger.lock(connection, tenant)
    if outcome is None or outcome.replayed:
        given = answers.find(connection, tenant, key)
        if given is not None:
            return given.text
    text = _text(rt, connection, turn)
    if text is not None or outcome is None:
        answers.keep(connection, tenant, key, text)
    return text


def _text(rt: Runtime, connection: Connection, turn: Turn) -> str | None:
    if not replies.we_answer(turn.sender, turn.inbound):
        return None
    said = _said(rt, connection, turn)
    if said is None:
        return None
    return texts.chosen(connection, turn.sender.tenant, said, _languages(turn))


def _said(rt: Runtime, connection: Connection, turn: Turn) -> Said | None:
    changed = turn.outcome is not None and turn.outcome.changed
    match turn.reading.intent:
        case Intent.OPT_OUT:
            return Said.STOP if changed and _in_time(rt, turn.inbound) else None
        case Intent.REVIEW:
            # Nothing is built in for it: whoever said "no" to something else needs no word of ours.
            return Said.REVIEW if changed or turn.outcome is None else None
        case Intent.OPT_IN:
            if _is_stopped(rt, connection, turn):
                # Honest, also where a part came back: who can do the rest is named.
                return Said.REFUSED
            return Said.START if changed else None
        case Intent.HELP:
            # Twilio, Advanced Opt-Out: whoever has opted out gets no HELP.
            silent = turn.sender.advanced_opt_out and _is_stopped(rt, connection, turn)
            return None if silent else Said.HELP
        case Intent.NONE:
            return None


def _in_time(rt: Runtime, inbound: Inbound) -> bool:
    """Whether a confirmation now is one within the five minutes that the rule presumes covered."""
    return inbound.occurred_at is None or rt.now() - inbound.occurred_at <= CONFIRM_WITHIN


def _is_stopped(rt: Runtime, connection: Connection, turn: Turn) -> bool:
    channel = turn.inbound.channel if turn.inbound.channel in KIND_OF else Channel.SMS
    asked = Scope(channel, turn.sender.topic, Purpose.MARKETING)
    digest = rt.keys.digest(turn.address)
    standing = suppressions.standing(connection, turn.sender.tenant, digest, rt.keys)
    return policy.verdict(standing, asked, as_of=0).suppressed


def _languages(turn: Turn) -> tuple[str, ...]:
    """The languages to answer in, the best first."""
    if replies.is_in_every_language(turn.inbound.text):
        return (turn.sender.language,)
    return (turn.reading.language, turn.sender.language)
