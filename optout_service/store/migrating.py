"""Bringing the schema up to date. The migrations travel inside the package."""

import os
from collections.abc import Callable

from alembic import command
from alembic.config import Config

from optout_service.store import revisions
from optout_service.store.revisions import MIGRATIONS, connected, file_of


def config() -> Config:
    """Alembic's configuration, made in code: an installed wheel has no ini file to point at."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """Make the database if it is SQLite and absent, and bring its schema to ``revision``.

    Raises StoreUnavailable when it cannot be reached.
    """
    _make_file(url)
    _run(url, lambda made: command.upgrade(made, revision))


def upgrade_older(url: str) -> None:
    """``upgrade``, unless the schema is of a release after this one: that is left alone."""
    if revisions.status(url).current in revisions.known():
        upgrade(url)


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to ``revision`` (``base``: to nothing). For tests and emergencies."""
    _run(url, lambda made: command.downgrade(made, revision))


def _run(url: str, act: Callable[[Config], None]) -> None:
    with connected(url) as connection:
        made = config()
        made.attributes["connection"] = connection
        act(made)


def _make_file(url: str) -> None:
    if (path := file_of(url)) is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # The addresses inside are encrypted; who suppresses whom is still nobody else's business.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
