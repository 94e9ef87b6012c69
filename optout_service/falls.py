"""A ledger that falls under the eyes of a process: then nothing is answered any more.

It is an older copy of the database, or another one in its place. The height is what this process
has acknowledged, or answered for; each answer, and each new event, is held against it.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from optout_service.core.errors import Quarantined
from optout_service.core.keyring import KeyRing
from optout_service.heights import Heights
from optout_service.store import seal
from optout_service.store.db import Database

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Falls:
    """What one process has seen of each ledger."""

    def __init__(self, keys: KeyRing, database: Database) -> None:
        self._keys, self._database = keys, database
        self._heights = Heights()

    def height(self, tenant: int) -> int:
        """How high a tenant's ledger has stood. Ask before you read or write."""
        return self._heights.of(tenant)

    def answered(self, tenant: int, ask: Callable[[], _T], position: Callable[[_T], int]) -> _T:
        """What is answered, unless it is true for a lower position than an earlier answer.

        Raises Quarantined then, and what ``ask`` raises.
        """
        before = self._heights.of(tenant)
        try:
            found = ask()
        except Quarantined:
            # Somebody will look into it, and after that this process begins anew.
            self._heights.forget()
            raise
        if self._heights.is_met(tenant, position(found), before):
            return found
        self.quarantine(f"ledger {tenant} stood at {before}, and stands at {position(found)}")
        raise Quarantined(
            "The database has gone back behind an earlier answer. Nothing is answered until an "
            "operator has looked: optout evidence quarantine."
        )

    def recorded(self, tenant: int, number: int, before: int) -> None:
        """An event was stored. One whose number was given before stands where another is lost.

        ``before``: the height when the act began.
        """
        if number <= before:
            self.quarantine(f"ledger {tenant} stood at {before}, and gave the number {number} anew")
            self._heights.forget()
        self._heights.reached(tenant, number)

    def quarantine(self, why: str) -> None:
        """Let no check be answered, by any process, until an operator has looked.

        Opt-outs are still taken. Raises StoreUnavailable.
        """
        with self._database.writing() as connection:
            new = seal.quarantine(connection, self._keys)
        if new:
            _log.error("the database is in quarantine", extra={"why": why})

    def forget(self) -> None:
        """Begin anew: an operator has looked."""
        self._heights.forget()
