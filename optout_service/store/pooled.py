"""Connections through a pooler that hands out a server for each transaction, as PgBouncer can.

What is set for a session there is lost, or another's: so each transaction says for itself how long
it may take, and that it only reads.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection

from optout_service.store.limits import Limits

_IDLE: Final = TransactionStatus.IDLE


def limits_of(limits: Limits) -> str:
    """What a transaction says first."""
    return (
        f"SET LOCAL statement_timeout = {limits.statement_timeout_ms}; "
        f"SET LOCAL lock_timeout = {limits.busy_timeout_ms}"
    )


def say_limits(limits: Limits) -> Callable[[Connection], None]:
    """Listens to SQLAlchemy's event of a transaction that begins."""
    said = limits_of(limits)

    def on_begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        # One that begins by a statement of its own says this there.
        if not driver.autocommit:
            driver.execute(said, prepare=False)

    return on_begin


def in_transactions(connection: Connection, isolation: str) -> Connection:
    """The same connection, in transactions that only read, whatever is set for the session."""
    return connection.execution_options(isolation_level=isolation, postgresql_readonly=True)


class Pooled:
    """As the check uses a connection of psycopg's: each statement is a transaction that reads.

    Begin, limits, statement and end go to the server together, in one round trip.
    """

    def __init__(self, driver: Any, limits: Limits) -> None:
        """``driver``: in autocommit."""
        self._driver = driver
        self._limits = limits_of(limits)

    def execute(
        self, statement: str, parameters: Sequence[Any] | None = None, *, binary: bool = False
    ) -> Any:
        """As ``psycopg.Connection.execute``; a statement that begins a transaction has it last."""
        driver = self._driver
        if driver.info.transaction_status != _IDLE:
            return driver.execute(statement, parameters, binary=binary)
        if statement.startswith("BEGIN"):
            return driver.execute(f"{statement}; {self._limits}")
        try:
            with driver.pipeline():
                driver.execute("BEGIN READ ONLY")
                for limit in self._limits.split("; "):
                    driver.execute(limit)
                cursor = driver.execute(statement, parameters, binary=binary)
                driver.execute("COMMIT")
            return cursor
        except BaseException:
            if driver.info.transaction_status != _IDLE and not driver.closed:
                driver.execute("ROLLBACK")
            raise

    @property
    def closed(self) -> bool:
        """Whether the connection is lost."""
        return bool(self._driver.closed)
