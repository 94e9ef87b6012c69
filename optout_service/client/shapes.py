"""What the service answers, typed. What does not fit is no answer at all.

Words that may grow, such as reasons, are plain texts here: a new one is not an error. None of these
shows an address when it is printed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NoReturn, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.client.errors import Unavailable

T = TypeVar("T")


class Scope(Struct, frozen=True):
    """What a suppression covers; ``*`` is all. ``tenant``: a slug, or ``platform``."""

    tenant: str
    channel: str
    topic: str
    purpose: str


class Match(Struct, frozen=True):
    """One suppression that forbids sending. A batch tells no more than ``reason`` and ``scope``."""

    reason: str
    scope: Scope
    source: str | None = None
    since: datetime | None = None
    event: int | None = None


class Verdict(Struct, frozen=True):
    """The answer to a check. Ask it ``.suppressed`` or ``.allowed``; it is neither true nor false.

    ``matches``: all that speaks against sending, the strongest first. ``as_of``: the position of
    the ledger for which it is true. ``invalid``: in a batch, why this is no address; it is neither
    suppressed nor allowed then. ``clearance``: the signed statement, if one was asked for.
    """

    suppressed: bool
    matches: tuple[Match, ...]
    as_of: int
    invalid: str | None = None
    clearance: str | None = None
    clearance_valid_until: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Whether this message may be sent."""
        return not self.suppressed and self.invalid is None

    def __bool__(self) -> NoReturn:
        raise TypeError("A verdict is neither true nor false: ask .suppressed or .allowed.")


class Standing(Struct, frozen=True):
    """A suppression. ``liftable_by``: on whose word it may be lifted, where that is told."""

    address: str | None
    reason: str
    source: str
    since: datetime
    event: int
    scope: Scope
    liftable_by: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Standing(reason={self.reason!r}, scope={self.scope!r}, event={self.event})"


class Recorded(Struct, frozen=True):
    """The number of an act in the ledger, and what stands now for exactly its scope."""

    event: int
    changed: bool
    suppression: Standing | None


class Event(Struct, frozen=True):
    """A row of the ledger. Keep ``event`` when you are done with it: that is where to read on."""

    event: int
    action: str
    changed: bool
    scope: Scope
    reason: str
    source: str
    actor: str
    address: str | None
    occurred_at: datetime
    recorded_at: datetime
    hash: str
    evidence: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Event(event={self.event}, action={self.action!r}, scope={self.scope!r})"


class Recipient(Struct, frozen=True):
    """What stands for an address on every channel that shares it, and its whole history."""

    address: str
    stands: tuple[Standing, ...]
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        return f"Recipient(stands={len(self.stands)}, events={len(self.events)})"


class Link(Struct, frozen=True):
    """An unsubscribe link, and the header fields of RFC 8058 for the mail that carries it."""

    url: str
    headers: Mapping[str, str]


class Cleared(Struct, frozen=True):
    """What a clearance says, held against a message.

    ``valid``: not expired, and of the address and scope that were given. ``suppressed_now``: what a
    check would say now; None if its topic is no more.
    """

    valid: bool
    expired: bool
    tenant: str
    channel: str
    topic: str
    purpose: str
    as_of: int
    issued_at: datetime
    valid_until: datetime
    suppressed_now: bool | None
    matches_address: bool | None = None
    matches_scope: bool | None = None


class Suppressed(Struct, frozen=True):
    """One of a batch that must not be sent to."""

    index: Annotated[int, Meta(ge=0)]
    reason: str
    scope: Scope


class Invalid(Struct, frozen=True):
    """One of a batch that is no address."""

    index: Annotated[int, Meta(ge=0)]
    detail: str


class Batch(Struct, frozen=True):
    """The answer to a batch: what is in neither list may be sent to."""

    checked: int
    suppressed: tuple[Suppressed, ...]
    invalid: tuple[Invalid, ...]
    as_of: int


class Events(Struct, frozen=True):
    """A part of the ledger."""

    events: tuple[Event, ...]
    next: int


class Changed(Struct, frozen=True):
    """All that stands for one recipient now; ``sha256``: of the address, in hex, where known."""

    recipient: str
    kind: str
    sha256: str | None
    stands: tuple[Match, ...]


class Changes(Struct, frozen=True):
    """Who was touched, of one state of the ledger; what ``Replica`` is made of."""

    tenant: str
    items: tuple[Changed, ...]
    topics: tuple[str, ...]
    as_of: int
    next: str
    more: bool


class Looked(Struct, frozen=True):
    """A part of what is known about an address."""

    address: str
    stands: tuple[Standing, ...]
    events: tuple[Event, ...]
    next: int | None


class Links(Struct, frozen=True):
    """Links in the order in which they were asked for."""

    links: tuple[Link, ...]


VERDICT: Final = Decoder(Verdict)
BATCH: Final = Decoder(Batch)
RECORDED: Final = Decoder(Recorded)
EVENTS: Final = Decoder(Events)
CHANGES: Final = Decoder(Changes)
LOOKED: Final = Decoder(Looked)
LINK: Final = Decoder(Link)
LINKS: Final = Decoder(Links)
CLEARED: Final = Decoder(Cleared)
ANYTHING: Final[Decoder[dict[str, Any]]] = Decoder(dict[str, Any])


def read(decoder: Decoder[T], answer: bytes) -> T:
    """A shape from an answer. Raises Unavailable for what the service would not have said."""
    try:
        return decoder.decode(answer)
    except (msgspec.MsgspecError, UnicodeError):
        raise unlike_ours() from None


def unlike_ours() -> Unavailable:
    """An answer that cannot be the service's own."""
    return Unavailable("What answered is not the service, or not one of this version.")
