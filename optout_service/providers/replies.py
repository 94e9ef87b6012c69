"""Who answers a keyword, and in which words. Never two replies, never none where one is owed.

Sources: Twilio, "Support for opt-out keywords" (long codes), "Toll-free opt-out keywords",
"Advanced Opt-Out"; CTIA Messaging Principles 5.1.3; 47 CFR 64.1200(a)(12): one confirmation, no
marketing in it.
"""

from enum import Enum
from typing import Final

from optout_service.core.keyword import Intent
from optout_service.store.senders import Sender, SenderKind


class _Answers(Enum):
    """Which of a message's keywords somebody else has answered before we see it."""

    LONG_CODE = frozenset(
        {
            *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
            *("start", "unstop", "yes"),
            *("help", "info"),
        }
    )
    TOLL_FREE = frozenset({"stop", "start", "unstop", "help", "info"})
    NOBODY = frozenset[str]()


_ANSWERED: Final = {
    # Twilio itself, for its default keywords.
    SenderKind.LONG_CODE: _Answers.LONG_CODE,
    # A service without Advanced Opt-Out answers as the long codes in its pool do.
    SenderKind.MESSAGING_SERVICE: _Answers.LONG_CODE,
    # The network, in words of its own; ours would never be shown for STOP.
    SenderKind.TOLL_FREE: _Answers.TOLL_FREE,
    # A stand-alone short code's keywords are its owner's to answer (CTIA: also to strangers).
    SenderKind.SHORT_CODE: _Answers.NOBODY,
    # WhatsApp knows no keywords.
    SenderKind.WHATSAPP: _Answers.NOBODY,
    # A number for calls only is not texted by us.
    SenderKind.VOICE: _Answers.LONG_CODE,
}


def we_answer(sender: Sender, text: str, opt_out_type: str) -> bool:
    """Whether the reply to this message is ours to give.

    ``text``: the message as it came: others match a whole message in any case, and nothing finer.
    ``opt_out_type``: Twilio's OptOutType; there, Advanced Opt-Out has matched and has answered.
    """
    if opt_out_type:
        return False
    if sender.advanced_opt_out:
        return True
    return text.strip().lower() not in _ANSWERED[sender.kind].value


def reply_to(intent: Intent, brand: str, contact: str) -> str | None:
    """The words for what was done; None where nothing is said."""
    reach = f" Contact: {contact}." if contact else ""
    match intent:
        case Intent.OPT_OUT | Intent.REVIEW:
            return f"{brand}: you will get no more messages. Reply START to come back.{reach}"
        case Intent.OPT_IN:
            return f"{brand}: you will get messages again. Reply STOP to stop, HELP for help."
        case Intent.HELP:
            return (
                f"{brand}:{reach} Message frequency varies. Message and data rates may apply. "
                "Reply STOP to stop."
            )
        case Intent.NONE:
            return None
