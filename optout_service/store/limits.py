"""How much of a database may be taken, and for how long."""

from dataclasses import dataclass
from typing import Self

from optout_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections, and how long anything may wait (milliseconds).

    ``prepared_statements``: whether a connection is to one server from its beginning to its end;
    behind a pooler that hands out servers by the transaction it is not.
    """

    pool_size: int = 8
    statement_timeout_ms: int = 1500
    busy_timeout_ms: int = 1500
    prepared_statements: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that are set."""
        return cls(
            pool_size=settings.effective_pool_size,
            statement_timeout_ms=settings.statement_timeout_ms,
            busy_timeout_ms=settings.busy_timeout_ms,
            prepared_statements=settings.prepared_statements,
        )
