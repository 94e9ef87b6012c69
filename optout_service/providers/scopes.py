"""How much a text stops, and how much of that a text gives back.

The default is the widest: all topics, all channels to that phone, all purposes. A tenant may narrow
it to a sender's own topic and channel, until the day from which a revocation is one for everything
(47 CFR 64.1200(a)(10); waived until 31 January 2027 by DA 26-12).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from optout_service.core.evidence import Action, Source
from optout_service.core.policy import Suppression
from optout_service.core.scope import ANY, KIND_OF, Purpose, Scope
from optout_service.store.feed import Event
from optout_service.store.senders import Sender

EVERYTHING: Final = Scope(ANY, ANY, ANY)
SENDER: Final = "sender"
"""Under which name an event's private payload says to which sender it was."""

_BY_TEXT: Final = frozenset({Source.TEXT, Source.PROVIDER})


def of_stop(sender: Sender | None, today: date, revoke_all_from: date | None) -> Scope:
    """What a STOP to this sender stops; everything where nobody registered the sender."""
    if sender is None or (revoke_all_from is not None and today >= revoke_all_from):
        return EVERYTHING
    return _own(sender)


def of_hold(stop: Scope) -> Scope:
    """What a doubtful message stops meanwhile: marketing, and no more."""
    return replace(stop, purpose=Purpose.MARKETING)


def of_channel_block(sender: Sender | None, channel: str) -> Scope:
    """What is stopped by blocking a sender in one channel's program."""
    return Scope(channel if channel in KIND_OF else ANY, sender.topic if sender else ANY, ANY)


def of_start(sender: Sender, lifted: frozenset[Scope]) -> Scope:
    """The scope of a START's own record: wide enough for all that it lifts."""
    return EVERYTHING if any(not _own(sender).covers(scope) for scope in lifted) else _own(sender)


def given_back(
    sender: Sender, standing: Iterable[Suppression], history: Iterable[Event]
) -> frozenset[Scope]:
    """The scopes that a START to this sender lifts, of those that stand.

    ``history``: all events of that phone at the tenant, with their evidence. Given back is what
    texts to this sender took: its own scope; and everything, or what was its own scope before the
    tenant changed it, if each of the acts that took that came to this very sender. Narrow senders
    of one tenant may each have taken all, since the day of revoke-all; a START to one of them says
    nothing of the others. What was taken by a page, a letter, a call or an import is never among
    them.
    """
    past = list(history)
    own = _own(sender)
    candidates = {own, of_hold(own), EVERYTHING, of_hold(EVERYTHING)}
    candidates |= {e.scope for e in past if e.source is Source.TEXT and _said_to(sender, e)}
    return frozenset(
        row.scope
        for row in standing
        if row.tenant == sender.tenant
        and row.source in _BY_TEXT
        and row.scope in candidates
        and (row.scope in (own, of_hold(own)) or _took_it_alone(sender, row, past))
    )


def _took_it_alone(sender: Sender, row: Suppression, history: Iterable[Event]) -> bool:
    return all(
        _said_to(sender, event)
        for event in history
        if event.action is Action.OPT_OUT and event.number >= row.event and event.scope == row.scope
    )


def _said_to(sender: Sender, event: Event) -> bool:
    return event.evidence.get(SENDER) == sender.address


def _own(sender: Sender) -> Scope:
    return Scope(sender.channel, sender.topic, ANY)
