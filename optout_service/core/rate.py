"""How often somebody may ask: so many times in a window, and no more than that at once.

The generic cell rate algorithm (ATM Forum, Traffic Management 4.0, 4.4.2): one number for each
caller says when its requests would have been due if they had come evenly. There are no windows to
be cleared, and no edge at which one begins anew. Times are whole nanoseconds of a clock that never
goes back.
"""

from dataclasses import dataclass
from typing import Final, Self

SECOND: Final = 1_000_000_000
NEVER: Final = 0
"""The due time of who has not asked yet."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``burst`` requests at once, and one more each ``interval`` nanoseconds."""

    burst: int
    interval: int

    @classmethod
    def shared(cls, quota: int, seconds: int, among: int) -> Self:
        """One of ``among`` equal shares of ``quota`` requests in so many seconds.

        However the requests spread, all shares together let no more through than the quota does.
        """
        return cls(max(quota // among, 1), -(-seconds * SECOND * among // quota))

    def take(self, due: int, now: int) -> int | None:
        """The due time after one more request at ``now``; None if there may be none yet."""
        start = max(due, now)
        return None if self.wait(due, now) else start + self.interval

    def wait(self, due: int, now: int) -> int:
        """Nanoseconds until there may be one more request; 0: now."""
        return max(due - now - (self.burst - 1) * self.interval, 0)

    def left(self, due: int, now: int) -> int:
        """How many requests there may be at once, now."""
        return self.burst - max(-(-(due - now) // self.interval), 0)
