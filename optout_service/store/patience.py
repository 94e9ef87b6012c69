"""How long we wait for a PostgreSQL server that stays silent."""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

from optout_service.store.limits import Limits

T = TypeVar("T")

_GRACE: Final = 0.25
"""Seconds that a server's own refusal may need to arrive."""

_INTERVAL: Final = 0.1


class Patient(psycopg.Connection[Any]):
    """A connection that gives a server up which stays silent.

    The server ends a statement in time by itself, if it can. One that hangs, or is behind a broken
    network, cannot, and the client would wait for as long as that lasts.
    """

    patience: float | None = None
    """Seconds that one answer may take; None: as long as it takes."""

    def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:
        """As psycopg's. Raises OperationalError when patience has ended; then it is closed."""
        began = monotonic()
        patience = self.patience
        try:
            return super().wait(gen, interval, patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if patience is not None and monotonic() - began >= patience:
                # An answer may still come, and would be taken for that to the next question.
                self.close()
            raise


def connect(_: Any, __: Any, arguments: Any, options: Any) -> Patient:
    """Makes the connections of an engine, from SQLAlchemy's event of that."""
    return Patient.connect(*arguments, **options)


def limit(limits: Limits) -> Callable[[Any, Any, Any], None]:
    """Listens to SQLAlchemy's event of a connection that is taken from its pool."""
    patience = limits.statement_timeout_ms / 1000 + _GRACE

    def on_checkout(connection: Any, _: Any, __: Any) -> None:
        connection.patience = patience

    return on_checkout


def unhurried(driver: Any) -> None:
    """Let the statements of a PostgreSQL driver's transaction take as long as they take."""
    driver.execute("SET LOCAL statement_timeout = 0")
    driver.patience = None
