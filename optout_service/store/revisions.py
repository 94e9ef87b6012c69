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
_GONE: Final = "The database cannot be reached, or its schema cannot be read or changed."
_ONLY_STANDBYS: Final = (
    "Of the database only a standby answers, which takes no opt-outs and may be behind. Wait until "
    "it is promoted, and name all of its servers in OPTOUT_DATABASE_URL."
)


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
def known() -> frozenset[str]:
    """The migrations of this release. They are numbered, and named as their files are."""
    return frozenset(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def newest() -> str:
    """The newest of them."""
    return max(known())


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of its own to a database, whatever its schema. Raises StoreUnavailable."""
    engine = _engine(url, "primary")
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as fault:
        raise StoreUnavailable(_ONLY_STANDBYS if _answers(url, "standby") else _GONE) from fault
    finally:
        engine.dispose()


def _answers(url: str, kind: str) -> bool:
    """Whether a server of this kind does."""
    engine = _engine(url, kind)
    try:
        engine.connect().close()
    except DBAPIError:
        return False
    finally:
        engine.dispose()
    return engine.dialect.name == "postgresql"


def _engine(url: str, kind: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return create_engine(parsed, poolclass=NullPool)
    # Without prepared statements, so that a pooler may stand between.
    arguments = {"prepare_threshold": None, "target_session_attrs": kind, "connect_timeout": 2}
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=arguments
    )


def _absent(url: str) -> bool:
    path = file_of(url)
    return path is not None and not path.exists()


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None: it is another kind."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)
