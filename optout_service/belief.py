"""Under which regime this process takes the database's digests to be stored.

What is remembered spares a look, and is never the reason for an answer: each answer proves the
regime that it was asked under, in the statement that brings it.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from optout_service.core.covers import Regime
from optout_service.core.errors import WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.store import seal
from optout_service.store.db import Database

_CHANGES: Final = 2
"""How often a regime may change while one question is asked: a rotation begins, and ends."""
_T = TypeVar("_T")


class Belief:
    """What one process believes. ``regime``: the last that it has found."""

    def __init__(self, keys: KeyRing, database: Database) -> None:
        self._keys, self._database = keys, database
        self.regime: Regime = keys.regimes.all[0]

    def proven(self, ask: Callable[[Regime], _T]) -> _T:
        """What is answered under the regime believed in; where it is another, under that one.

        Raises what ``ask`` raises: WrongKeys, where our ring cannot serve the database's regime.
        """
        for _ in range(_CHANGES):
            asked_under = self.regime
            try:
                return ask(asked_under)
            except WrongKeys:
                if self.look() == asked_under:
                    raise
        return ask(self.regime)

    def look(self) -> Regime:
        """Find out anew. Raises WrongKeys, StoreUnavailable."""
        with self._database.reading() as connection:
            self.regime = seal.regime_of(connection, self._keys)
        return self.regime
