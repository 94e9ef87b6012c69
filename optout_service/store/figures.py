"""What the store says of itself, for whoever watches the service: figures of all tenants together.

Of all together, since a label for each tenant would be a series for each of thousands.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from optout_service.core.policy import PLATFORM
from optout_service.store import keys, reviews, seal
from optout_service.store.tables import tenant


def _events(conn: Connection, _at: datetime) -> int:
    return int(conn.scalar(select(func.coalesce(func.sum(tenant.c.seq), 0))) or 0)


def _tenants(conn: Connection, _at: datetime) -> int:
    return conn.scalar(select(func.count()).where(tenant.c.id != PLATFORM)) or 0


def _open_reviews(conn: Connection, _at: datetime) -> int:
    return reviews.open_count(conn)


def _keys_ending(conn: Connection, at: datetime) -> int:
    return len(keys.ending(conn, at))


def _quarantine(conn: Connection, _at: datetime) -> int:
    return int(seal.is_quarantined(conn))


FIGURES: Final[Mapping[str, tuple[str, Callable[[Connection, datetime], int]]]] = {
    "optout_keys_ending": ("API keys that end within 14 days, and are not replaced.", _keys_ending),
    "optout_ledger_events": ("Events in all ledgers.", _events),
    "optout_quarantine": ("1: no check is answered until an operator has looked.", _quarantine),
    "optout_tenants": ("Tenants, without the platform.", _tenants),
    "optout_reviews_open": ("Reviews that nobody has decided yet.", _open_reviews),
    "optout_reviews_overdue": ("Open reviews whose day has passed.", reviews.overdue_count),
}
"""By name: what it is, and how it is read at a time."""


def read(conn: Connection, at: datetime) -> dict[str, int]:
    """All of them, by name."""
    return {name: figure(conn, at) for name, (_, figure) in FIGURES.items()}
