"""Where a question is read: in the database itself, or, if it takes long, in a replica of it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Self

from sqlalchemy import Connection

from optout_service.core.errors import Misconfigured
from optout_service.core.policy import Suppression
from optout_service.settings import Settings
from optout_service.store.checks import Checks, Question
from optout_service.store.db import Database
from optout_service.store.limits import Limits
from optout_service.store.quick import Tables
from optout_service.store.replica import Replica
from optout_service.store.snapshots import Held

_MANY: Final = 1000
"""From so many digests on it pays to prove that a table, or a replica, fits."""


class Places:
    """The database, its tables of digests, and its replica if there is one."""

    def __init__(
        self, database: Database, checks: Checks, tables: Tables, replica: Replica | None = None
    ) -> None:
        self.replica = replica
        self._database, self._checks, self._tables = database, checks, tables

    @classmethod
    def of(cls, settings: Settings, database: Database, checks: Checks, tables: Tables) -> Self:
        """As it is set. Raises Misconfigured for a replica of what has none."""
        if not settings.replica_url:
            return cls(database, checks, tables)
        if database.dialect != "postgresql":
            raise Misconfigured("OPTOUT_REPLICA_URL: only PostgreSQL has replicas. Unset it.")
        url, limits = settings.replica_url.reveal(), Limits.of(settings)
        return cls(database, checks, tables, Replica(url, limits, database, checks))

    def check_many(
        self, question: Question, digests: Sequence[bytes]
    ) -> tuple[dict[bytes, list[Suppression]], int]:
        """As ``Checks.check_many``."""
        narrow = None
        if len(digests) >= _MANY:
            if self.replica is not None:
                found = self.replica.check_many(question, digests, self._tables.narrowed)
                if found is not None:
                    return found
            narrow = self._tables.narrowed(question)
        return self._database.ask(
            lambda driver: self._checks.check_many(driver, question, digests, narrow)
        )

    def held(self, stack: ExitStack, question: Question) -> Held:
        """For many look-ups in one state, until ``stack`` is closed. Raises as ``Held`` does."""
        if self.replica is not None and (found := self.replica.held(stack, question)) is not None:
            return found
        connection = stack.enter_context(self._database.reading_one_state())
        return Held(self._database.dialect, connection.connection.driver_connection, question)

    @contextmanager
    def reading_much(self, question: Question) -> Iterator[Connection]:
        """A connection in one state that is not before now. Of the question tenant and key count.

        Raises StoreUnavailable.
        """
        with ExitStack() as stack:
            found = None
            if self.replica is not None:
                found = stack.enter_context(self.replica.reading(question))
            if found is None:
                found = stack.enter_context(self._database.reading_one_state())
            yield found

    def close(self) -> None:
        """Give the replica's connections back."""
        if self.replica is not None:
            self.replica.close()
