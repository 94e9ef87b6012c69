"""How high each ledger stood when somebody of this service last looked. A ledger never falls.

One that does is another database in this one's place, or an older copy of it: whoever opted out
since then would look as if nobody had. So the processes that were forked from one know the same
heights: one that has answered nothing yet is not taken in by the copy either.
"""

from mmap import mmap
from typing import Final

_MOST: Final = 65_536
"""Tenants with a place in the memory that processes share. Of others each knows its own."""

# In quarantine each check that is refused forgets all, so it is not made anew each time.
_NONE: Final = memoryview(bytes(8 * _MOST)).cast("q")

_shared: "memoryview | None" = None


def share() -> None:
    """From here on, and in all processes that are forked from this one, heights are shared."""
    global _shared
    _shared = memoryview(mmap(-1, 8 * _MOST)).cast("q")


class Heights:
    """The highest position of each ledger that was acknowledged here, or answered for."""

    def __init__(self) -> None:
        self._shared = _shared
        self._own: dict[int, int] = {}

    def of(self, tenant: int) -> int:
        """The height of a tenant's ledger, as far as it is known. Ask before you read the store."""
        if self._shared is not None and tenant < _MOST:
            return int(self._shared[tenant])
        return self._own.get(tenant, 0)

    def is_met(self, tenant: int, position: int, before: int) -> bool:
        """Whether a position that was read after ``before`` was known is at least that."""
        if position < before:
            return False
        self.reached(tenant, position)
        return True

    def reached(self, tenant: int, position: int) -> None:
        """Note a position that was acknowledged, or that an answer was true for.

        Of two that are noted at once the lower may stay: then a fall between them is not seen.
        """
        if position > self.of(tenant):
            if self._shared is not None and tenant < _MOST:
                self._shared[tenant] = position
            else:
                self._own[tenant] = position

    def forget(self) -> None:
        """Begin anew: somebody looks into it."""
        self._own = {}
        if self._shared is not None:
            self._shared[:] = _NONE
