"""Bringing the schema up to date. The migrations travel inside the package."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from optout_service.core.errors import StoreUnavailable

_HERE: Final = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The migration the database stands at (None: no schema yet), and the newest there is."""

    current: str | None
    newest: str

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do."""
        return self.current == self.newest


def config() -> Config:
    """Alembic's configuration, made in code: an installed wheel has no ini file to point at."""
    made = Config()
    made.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return made


def status(url: str) -> SchemaStatus:
    """Where the database stands. Raises StoreUnavailable when it cannot be reached."""
    newest = _newest()
    if _absent(url):
        return SchemaStatus(None, newest)
    with connected(url) as connection:
        return SchemaStatus(revision_of(connection), newest)


@cache
def _newest() -> str:
    """The newest migration there is: to know it, all of them are read."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def revision_of(conn: Connection) -> str | None:
    """The migration that a database stands at; None: it has no schema yet."""
    return MigrationContext.configure(conn).get_current_revision()


def upgrade(url: str, revision: str = "head") -> None:
    """Make the database if it is SQLite and absent, and bring its schema to ``revision``.

    Raises StoreUnavailable when it cannot be reached.
    """
    _make_file(url)
    _run(url, lambda made: command.upgrade(made, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to ``revision`` (``base``: to nothing). For tests and emergencies."""
    _run(url, lambda made: command.downgrade(made, revision))


def _run(url: str, act: Callable[[Config], None]) -> None:
    with connected(url) as connection:
        made = config()
        made.attributes["connection"] = connection
        act(made)


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


def _make_file(url: str) -> None:
    if (path := file_of(url)) is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # The addresses inside are encrypted; who suppresses whom is still nobody else's business.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None: it is another kind."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)
