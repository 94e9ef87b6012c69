"""What drivers and SQLAlchemy raise, as what this service raises."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy import exc

from optout_service.core.errors import StoreUnavailable

FAULTS: Final = (exc.DBAPIError, exc.TimeoutError, sqlite3.Error, psycopg.Error)
GONE: Final = "The store cannot be reached. Nothing was answered or recorded; please try again."


@contextmanager
def translated() -> Iterator[None]:
    """Raises StoreUnavailable for any of them."""
    try:
        yield
    except FAULTS as fault:
        raise StoreUnavailable(GONE) from fault
