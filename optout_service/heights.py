"""How high each ledger stood when this process last looked. A ledger never falls.

One that does is another database in this one's place, or an older copy of it: whoever opted out
since then would look as if nobody had.
"""


class Heights:
    """The highest position of each ledger that this process acknowledged, or answered for."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def of(self, tenant: int) -> int:
        """The height of a tenant's ledger, as far as it is known. Ask before you read the store."""
        return self._seen.get(tenant, 0)

    def is_met(self, tenant: int, position: int, before: int) -> bool:
        """Whether a position that was read after ``before`` was known is at least that."""
        if position < before:
            return False
        self.reached(tenant, position)
        return True

    def reached(self, tenant: int, position: int) -> None:
        """Note a position that was acknowledged, or that an answer was true for."""
        if position > self.of(tenant):
            self._seen[tenant] = position

    def forget(self) -> None:
        """Begin anew: somebody looks into it."""
        self._seen = {}
