"""Reads that take long, from a standby, and none of them too old.

How far a standby is behind depends on settings that are not ours, and after a fail-over it may have
gone another way. So nothing is believed of it: the primary says where the ledgers stand, after the
request has come in, and the standby must stand at least there, and have had at that number the
event of that very hash, in the one state that all is read from. What is suppressed changes only
with the ledgers and with the topics. Where that is not so soon enough, the primary is read.

A single check gains nothing by it: the way to the primary and back is what it costs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from time import monotonic, sleep
from typing import Any, Final

from sqlalchemy import Connection

from optout_service.core.errors import OptOutError
from optout_service.core.policy import Suppression
from optout_service.store import engines
from optout_service.store.checks import Checks, Narrow, Question
from optout_service.store.db import Database, one_state
from optout_service.store.digest_tables import Origin
from optout_service.store.limits import Limits
from optout_service.store.snapshots import Held
from optout_service.store.table_source import Source

_PATIENCE: Final = 0.2
"""Seconds that a standby is waited for: it is some milliseconds behind, as a rule."""

_LOOKS_EVERY: Final = 0.01
_RESTS: Final = 5.0
"""Seconds in which a standby that did not answer, or was behind, is not asked again."""


class Replica:
    """One standby, or several behind one URL, beside the database that they follow."""

    def __init__(self, url: str, limits: Limits, database: Database, checks: Checks) -> None:
        """Connects to nothing yet. ``database``: the primary."""
        self._engine = engines.postgresql(url, limits, write=False, standby=True)
        self._database = database
        self._checks = checks
        self._rests_until = 0.0

    @contextmanager
    def reading(self, question: Question) -> Iterator[Connection | None]:
        """A connection in one state that is not before now; None: read the primary.

        Of the question the tenant counts, and the key. What fails later raises StoreUnavailable.
        """
        with ExitStack() as stack:
            yield self._standing(stack, question)

    def held(self, stack: ExitStack, question: Question) -> Held | None:
        """The same for many look-ups, until ``stack`` is closed."""
        try:
            with ExitStack() as trying:
                connection = self._standing(trying, question)
                if connection is None:
                    return None
                driver = connection.connection.driver_connection
                found = Held(self._database.dialect, driver, _proven(question))
                stack.push(trying.pop_all())
                return found
        except OptOutError:
            return None

    def check_many(
        self,
        question: Question,
        digests: Sequence[bytes],
        narrowed: Callable[[Question], Narrow | None],
    ) -> tuple[dict[bytes, list[Suppression]], int] | None:
        """As ``Checks.check_many``; None: ask the primary. ``narrowed``: that of ``Tables``."""
        proven = _proven(question)
        try:
            with self.reading(question) as connection:
                if connection is None:
                    return None
                driver: Any = connection.connection.driver_connection
                digest_of = proven.regime.digests_by_form(digests)
                forms = sorted(digest_of)
                if (narrow := narrowed(proven)) is not None:
                    forms = narrow(driver, forms)
                return self._checks.check_many(driver, proven, (digest_of[one] for one in forms))
        except OptOutError:
            # It was cancelled there, or what no ledger tells has not come yet, as of a quarantine
            # that has ended: the primary knows.
            return None

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def one_state(self) -> Iterator[Connection]:
        """A connection to the standby, wherever it stands. Raises StoreUnavailable."""
        with one_state(self._engine) as connection:
            yield connection

    def origin(self, question: Question) -> Origin:
        """Where the primary stands, if it would answer this. Raises as ``Checks.check`` does."""

        def work(driver: Any) -> Origin:
            self._checks.check(driver, question, b"")
            return Source(driver, self._database.dialect, question.tenant).origin(
                question.regime.fingerprint
            )

        return self._database.ask(work)

    def stands(self, connection: Connection, question: Question, origin: Origin) -> bool:
        """Whether it is not before that, and the same database."""
        driver = connection.connection.driver_connection
        return Source(driver, self._database.dialect, question.tenant).fits(
            origin, question.regime.fingerprint
        )

    def _standing(self, stack: ExitStack, question: Question) -> Connection | None:
        if monotonic() < self._rests_until:
            return None
        try:
            origin = self.origin(question)
            deadline = monotonic() + _PATIENCE
            while True:
                with ExitStack() as trying:
                    connection = trying.enter_context(self.one_state())
                    if self.stands(connection, question, origin):
                        stack.push(trying.pop_all())
                        return connection
                if monotonic() >= deadline:
                    break
                sleep(_LOOKS_EVERY)
        except OptOutError:
            pass  # the primary will say so itself, or can answer without it
        self._rests_until = monotonic() + _RESTS
        return None


def _proven(question: Question) -> Question:
    # The primary has just said that the key is valid; on the standby it may not have come yet.
    return replace(question, proven=True, api_key=0)
