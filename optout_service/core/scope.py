"""What a suppression covers and what a check asks about: channel, topic, purpose.

``*`` stands for all. A suppression matches a check when each of its three parts is equal or ``*``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from optout_service.core.errors import InvalidRequest, UnknownChannel, UnknownTopic

ANY: Final = "*"
OTHER: Final = "-"
"""The topic of what belongs to none of the tenant's topics: what a check without a topic is about.

Whoever left everything and came back for one topic has not come back for the rest, which is all the
other topics and also this."""


class Kind(StrEnum):
    """What sort of address it is. Several channels share the kind ``phone``."""

    EMAIL = "email"
    PHONE = "phone"


class Channel(StrEnum):
    """How a message reaches its recipient."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    RCS = "rcs"
    VOICE = "voice"


class Purpose(StrEnum):
    """Why a message is sent. Who does not say is taken to mean ``marketing``."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


KIND_OF: Final[dict[str, Kind]] = {
    channel: Kind.EMAIL if channel is Channel.EMAIL else Kind.PHONE for channel in Channel
}
CHANNELS_OF: Final[dict[Kind, tuple[Channel, ...]]] = {
    kind: tuple(channel for channel in Channel if KIND_OF[channel] is kind) for kind in Kind
}
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scope:
    """Channel, topic and purpose; each one value or ``*``."""

    channel: str
    topic: str
    purpose: str

    @classmethod
    def parse(cls, channel: str, topic: str | None = None, purpose: str | None = None) -> Self:
        """Read a scope; ``topic`` is ``*`` and ``purpose`` is ``marketing`` unless given.

        Raises UnknownChannel, UnknownTopic (not a slug) or InvalidRequest (unknown purpose).
        """
        return cls(
            channel if channel == ANY else parse_channel(channel),
            ANY if topic in (None, ANY) else parse_slug(topic),
            _parse_purpose(Purpose.MARKETING if purpose is None else purpose),
        )

    def covers(self, other: "Scope") -> bool:
        """Whether everything in ``other`` lies within this scope."""
        return (
            self.channel in (ANY, other.channel)
            and self.topic in (ANY, other.topic)
            and self.purpose in (ANY, other.purpose)
        )

    def overlaps(self, other: "Scope") -> bool:
        """Whether anything lies within both."""
        return all(
            ANY in (mine, theirs) or mine == theirs
            for mine, theirs in (
                (self.channel, other.channel),
                (self.topic, other.topic),
                (self.purpose, other.purpose),
            )
        )

    def as_question(self) -> "Scope":
        """The scope a check asks about: no topic named is no topic, not all of them."""
        return Scope(self.channel, OTHER, self.purpose) if self.topic == ANY else self


def parse_channel(text: str) -> Channel:
    """One channel, never ``*``. Raises UnknownChannel."""
    try:
        return Channel(text)
    except ValueError:
        raise UnknownChannel(f"The channel is one of: {', '.join(Channel)}.") from None


def parse_slug(text: str) -> str:
    """A topic's slug: 1 to 64 of a-z, 0-9, ``-``, ``_``. Raises UnknownTopic."""
    if not _SLUG.fullmatch(text):
        raise UnknownTopic("A topic is 1 to 64 characters of a-z, 0-9, - and _; * stands for all.")
    return text


def kind_of(channel: str) -> Kind:
    """The kind of address that a channel needs. Raises UnknownChannel."""
    return KIND_OF[parse_channel(channel)]


def _parse_purpose(text: str) -> str:
    if text not in (ANY, *Purpose):
        raise InvalidRequest(f"The purpose is one of: {', '.join(Purpose)}.", field="purpose")
    return text
