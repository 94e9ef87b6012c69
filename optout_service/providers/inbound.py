"""What a provider tells us, whoever it is: a person's message, or what became of one of ours.

A provider's dialect is parsed into these, and everything behind them knows these alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

from optout_service.core.evidence import ProviderMessage
from optout_service.core.keyword import Intent

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Inbound:
    """A person's message to one of a tenant's senders.

    ``message_id``: the provider's, the same on every delivery. ``channel``: a ``Channel``, or the
    provider's word for one that we do not know. ``person``: who wrote, without the channel's
    prefix: usually E.164, but a short code, a name or an id of the channel's own can come too.
    ``to``: the sender that was answered, ``service``: the pool it belongs to, or "".
    ``matched``: what the provider took the message for; where it is there, the provider has acted
    on it and has answered. ``occurred_at``: when it was sent, if the provider says so; aware, UTC.
    ``answerable``: what stands in the answer to its hook is sent to the person.
    """

    provider: str
    account: str
    message_id: str
    channel: str
    person: str
    to: str
    service: str
    text: str
    matched: Intent | None = None
    occurred_at: datetime | None = None
    answerable: bool = True

    @property
    def key(self) -> ProviderMessage:
        """What makes it count once, for ever."""
        return ProviderMessage(self.provider, self.account, self.message_id)


class Meaning(StrEnum):
    """What the end of one of our messages says about its recipient."""

    BLOCKED = "blocked"
    """The provider sends nothing more from this sender to this phone, whatever the channel."""
    BLOCKED_ON_CHANNEL = "blocked_on_channel"
    """The person has blocked the sender in one channel's program."""
    REASSIGNED = "reassigned"
    """The number belongs to somebody else now."""
    UNREACHABLE = "unreachable"
    """No such number, no mobile, switched off: says nothing about anybody's will."""
    ALERT = "alert"
    """Something is wrong on the sending side, and somebody should look."""
    NOTHING = "nothing"
    """Delivered, under way, or a fault that concerns nobody here."""


@dataclass(frozen=True, slots=True)
class Status:
    """What became of one of our messages.

    ``person``: the recipient, as in ``Inbound``. ``sender``: who wrote, ``service``: its pool or
    "". ``state`` and ``code``: the provider's own words, to tell one report from the next.
    """

    provider: str
    account: str
    message_id: str
    channel: str
    person: str
    sender: str
    service: str
    state: str
    code: str
    meaning: Meaning
    occurred_at: datetime | None = None

    @property
    def key(self) -> ProviderMessage:
        """What makes it count once: the same report comes twice, and late, and out of order."""
        return ProviderMessage(
            self.provider, self.account, f"{self.message_id}/{self.state}/{self.code}"[:MAX_KEY]
        )


MAX_KEY: Final = 200
"""The longest id that the ledger keeps of a provider's message."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a provider asks of the service itself, and of nobody: to confirm that it listens, say.

    ``run`` is called outside a transaction; it raises ProviderUnavailable where it is to be asked
    again.
    """

    run: Callable[[], None]


Delivery = Inbound | Status | Errand | None
"""What comes where one URL takes all that a provider tells. None: nothing that concerns us."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How a provider's hook is answered: in which media type, and with which words or none.

    ``say`` makes the body that sends a text back to the person; None where this provider sends
    nothing back that stands in an answer.
    """

    media_type: str
    silence: str
    say: Callable[[str], str] | None

    def body(self, text: str | None) -> str:
        """The body of the answer that sends ``text``, or nothing."""
        return self.silence if text is None or self.say is None else self.say(text)


@dataclass(frozen=True, slots=True)
class Hook(Generic[Told]):
    """A genuine request of a provider: what it tells, and the tenants for whom its proof speaks.

    An account can be shared. A token proves a hook only for the tenants that gave it to us: else
    one tenant could register another's account with a token of its own making, and speak for it.
    """

    tenants: tuple[int, ...]
    told: Told
    answers: Answers
