"""Who answers a keyword. Never two replies, never none where one is owed, never marketing in one.

Sources: Twilio, "Support for opt-out keywords" (long codes), "Toll-free opt-out keywords",
"Advanced Opt-Out", and, on RCS, the change of March 2026 that unified opt-outs; CTIA Messaging
Principles 5.1.3 (a short code's owner answers, also to strangers).
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final

from optout_service.core.keyword import Intent
from optout_service.core.scope import Channel
from optout_service.providers.inbound import Inbound
from optout_service.store.senders import Sender, SenderKind


class Word(StrEnum):
    """What a message is to those who match keywords: the whole of it, in any case, no finer."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    FREE = "free"
    """No keyword of theirs: free text, another language, or a keyword with anything beside it."""


class Who(Enum):
    """Who answers."""

    US = "us"
    PROVIDER = "provider"
    NETWORK = "network"


_US, _PROVIDER, _NETWORK = Who.US, Who.PROVIDER, Who.NETWORK

# fmt: off
WHO_ANSWERS: Final = {
    #                                a STOP     a START    a HELP     anything else
    SenderKind.LONG_CODE:         (_PROVIDER, _PROVIDER, _PROVIDER, _US),
    # Without Advanced Opt-Out a service answers as the numbers in its pool do.
    SenderKind.MESSAGING_SERVICE: (_PROVIDER, _PROVIDER, _PROVIDER, _US),
    # The network's words are shown, ours never would be. HELP is the provider's again.
    SenderKind.TOLL_FREE:         (_NETWORK,  _NETWORK,  _PROVIDER, _US),
    # A stand-alone short code's keywords are its owner's to answer.
    SenderKind.SHORT_CODE:        (_US,       _US,       _US,       _US),
    # WhatsApp knows no keywords; the answer to a hook stays within its 24-hour session.
    SenderKind.WHATSAPP:          (_US,       _US,       _US,       _US),
    SenderKind.RCS:               (_PROVIDER, _PROVIDER, _PROVIDER, _US),
    # We write no texts from a number for calls; whoever texts it gets what any number gives.
    SenderKind.VOICE:             (_PROVIDER, _PROVIDER, _PROVIDER, _US),
}
# fmt: on

_STANDARD: Final = {
    Word.STOP: {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"},
    Word.START: {"start", "unstop", "yes"},
    Word.HELP: {"help", "info"},
}
_TOLL_FREE: Final = {
    Word.STOP: {"stop"},
    Word.START: {"start", "unstop"},
    Word.HELP: {"help", "info"},
}
# Advanced Opt-Out says what it has matched; the other words may have been taken out of it, and then
# nobody has answered them. These four cannot be: where one comes unmatched, it is not switched on.
_FIXED: Final = {Word.STOP: {"stop"}, Word.START: {"start", "unstop"}, Word.HELP: {"help"}}

_COLUMNS: Final = tuple(Word)
_BY_CHANNEL: Final[Mapping[str, SenderKind]] = {
    Channel.WHATSAPP: SenderKind.WHATSAPP,
    Channel.RCS: SenderKind.RCS,
}


def who_answers(kind: SenderKind, text: str, matched: Intent | None, *, advanced: bool) -> Who:
    """Who answers this message.

    ``text``: as it came. ``matched``: as in ``Inbound``: where it is there, the provider has
    answered. ``advanced``: whether Advanced Opt-Out is switched on.
    """
    if matched is not None:
        return Who.PROVIDER
    return WHO_ANSWERS[kind][_COLUMNS.index(_word(text, kind, advanced=advanced))]


def we_answer(sender: Sender, inbound: Inbound) -> bool:
    """Whether the reply to this message is ours to give, and would arrive."""
    if not inbound.answerable:
        return False
    kind = kind_reached(sender, inbound.channel)
    who = who_answers(kind, inbound.text, inbound.matched, advanced=sender.advanced_opt_out)
    return who is Who.US


def kind_reached(sender: Sender, channel: str) -> SenderKind:
    """What a sender is on the channel by which it was reached: one number can be on several."""
    if (by_channel := _BY_CHANNEL.get(channel)) is not None:
        return by_channel
    return SenderKind.LONG_CODE if sender.kind in _BY_CHANNEL.values() else sender.kind


def is_in_every_language(text: str) -> bool:
    """Whether this is one of the carriers' words, which say nothing of the language of the sender.

    STOP is what a French shop's customers answer too.
    """
    bare = "".join(filter(str.isalnum, text)).lower()
    return any(bare in spellings for spellings in _STANDARD.values())


def _word(text: str, kind: SenderKind, *, advanced: bool) -> Word:
    words = _FIXED if advanced else _TOLL_FREE if kind is SenderKind.TOLL_FREE else _STANDARD
    bare = text.strip().lower()
    return next((word for word, spellings in words.items() if bare in spellings), Word.FREE)
