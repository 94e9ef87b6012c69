"""What clients asked, what they were told, and when: what the checker judges by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

ACTS: Final = ("one click", "page", "text", "api", "import")
"""The doors through which people leave."""

ASKS: Final = ("check", "batch", "scrub")
"""The doors at which senders ask."""


class Told(Enum):
    """What a client knows after a call."""

    STORED = "stored"
    """The opt-out was acknowledged."""
    SUPPRESSED = "suppressed"
    ALLOWED = "allowed"
    REFUSED = "refused"
    """4xx: the service will not do it."""
    UNAVAILABLE = "unavailable"
    """5xx. Of an opt-out nobody may conclude that it is not there: a commit may have got through
    whose confirmation did not."""
    NOTHING = "nothing"
    """The connection broke, or nobody answered."""


@dataclass(frozen=True, slots=True)
class Call:
    """One address at one door, one of ``ACTS`` or ``ASKS``.

    ``begun``, ``ended``: monotonic seconds, before the first byte was sent and after the last one
    came. ``position``: of an opt-out its event, of a check the ledger's number that it is true for;
    None where the answer names none.
    """

    door: str
    address: str
    begun: float
    ended: float
    told: Told
    position: int | None = None
    retry_after: int | None = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.begun

    @property
    def asks(self) -> bool:
        """Whether it changes nothing."""
        return self.door in ASKS

    def __str__(self) -> str:
        place = "" if self.position is None else f" at {self.position}"
        return f"{self.door} of {self.address} in [{self.begun:.6f}, {self.ended:.6f}]{place}"


@dataclass
class History:
    """All calls of all clients; threads add to it. ``followed``: numbers of the feed as one reader
    got them, in that order. ``outages``: times within which no store could be read."""

    calls: list[Call] = field(default_factory=list)
    followed: list[int] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)

    def told(self, *told: Told) -> Iterator[Call]:
        """The calls that were told one of these."""
        return (call for call in list(self.calls) if call.told in told)

    def count(self, *told: Told) -> int:
        """How many were."""
        return sum(1 for _ in self.told(*told))
