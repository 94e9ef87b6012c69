"""Which schema a database has, and which one this release knows. Read without Alembic.

Importing Alembic is a fifth of a command's start, and only who migrates needs it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from optout_service.core.errors import StoreUnavailable

MIGRATIONS: Final = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The migration the database stands at (None: no schema yet), and the newest there is."""

    current: str | None
    newest: str

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do."""
        return self.current == self.newest


def status(url: str) -> SchemaStatus:
    """Where the database stands. Raises StoreUnavailable when it cannot be reached."""
    if _absent(url):
        return SchemaStatus(None, newest())
    with connected(url) as connection:
        return SchemaStatus(revision_of(connection), newest())


def revision_of(conn: Connection) -> str | None:
    """The migration that a database stands at; None: it has no schema yet."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    row = conn.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return row[0] if row else None


@cache
def newest() -> str:
    """The newest migration of this release. They are numbered, and named as their files are."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of its own to a database, whatever its schema. Raises StoreUnavailable."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as fault:
        raise StoreUnavailable(
            "The database cannot be reached, or its schema cannot be read or changed."
        ) from fault
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return create_engine(parsed, poolclass=NullPool)
    return create_engine(parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool)


def _absent(url: str) -> bool:
    path = file_of(url)
    return path is not None and not path.exists()


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None: it is another kind."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)
