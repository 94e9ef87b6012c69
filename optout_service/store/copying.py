"""A whole database as one file, of one state, while acts go on; and such a file put back.

SQLite by its online backup API, PostgreSQL by its own ``pg_dump``, ``pg_restore`` and ``psql``.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from optout_service import disk
from optout_service.core.errors import Conflict, Malformed
from optout_service.store import programs, seal
from optout_service.store.revisions import connected, file_of

FILE_NAMES: Final = {"sqlite": "optout.db", "postgresql": "optout.dump"}
"""What the copy of each kind of database is called."""


def copy(conn: Connection, url: str, to: Path) -> None:
    """Write the state that ``conn`` sees to the new file ``to``, on the disk when this returns.

    ``conn``: of ``reading_one_state``. Raises Misconfigured (no pg_dump here), StoreUnavailable and
    OSError.
    """
    disk.new(to).close()
    if conn.dialect.name == "sqlite":
        # By the connection that holds the state, so that the copy is of this one and no later.
        _copy_sqlite(conn.connection.driver_connection, to)
    else:
        snapshot = conn.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        how = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        programs.run("pg_dump", url, to.parent, *how, f"--file={to}")
    disk.sync(to)


def require_empty(url: str) -> None:
    """Raises Conflict unless there is nothing at this URL; StoreUnavailable if nobody answers."""
    if (path := file_of(url)) is not None:
        beside = [path, *(path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))]
        if found := [one for one in beside if os.path.lexists(one)]:
            raise _there_is(found[0])
        return
    with connected(url) as connection:
        tables = text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        if connection.execute(tables).scalar_one():
            raise Conflict(
                "That database has tables in it. A backup is restored only into an empty one: "
                "make it with createdb."
            )


def _there_is(path: Path) -> Conflict:
    return Conflict(f"{path} exists. A backup is restored only where nothing is.")


def put_back(file: Path, url: str) -> None:
    """Make the database of a copy at this URL, where nothing is; all of it or nothing.

    One of PostgreSQL is in quarantine from the moment in which it can be seen; a copy of SQLite has
    to be put in quarantine before. Raises Conflict, Malformed (it is no such copy), Misconfigured
    (no pg_restore or no psql here), StoreUnavailable and OSError.
    """
    require_empty(url)
    if (path := file_of(url)) is not None:
        _put_sqlite(file, path)
    else:
        read = ["--exit-on-error", "--no-owner", "--no-privileges", "--file=-", str(file)]
        # What is read sets the search path to nothing.
        last = f"RESET search_path;\n{seal.QUARANTINED_FROM_THE_FIRST};\n"
        programs.pour(url, file.parent, ["pg_restore", *read], last)


def require_intact(conn: Connection) -> None:
    """SQLite's own look at every page of its file. Raises Malformed."""
    if conn.dialect.name == "sqlite":
        said = conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if said != "ok":
            raise Malformed("SQLite finds the copy of the database damaged. Take another backup.")


def _copy_sqlite(source: Any, to: Path) -> None:
    with closing(sqlite3.connect(to)) as target:
        source.backup(target)
        # One file, whole by itself: the journal is WAL again as soon as the service opens it.
        target.execute("PRAGMA journal_mode=DELETE")


def _put_sqlite(file: Path, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(file)) as source,
            disk.drafted(path) as draft,
        ):
            disk.new(draft).close()
            _copy_sqlite(source, draft)
    except FileExistsError:
        raise _there_is(path) from None
    except sqlite3.Error:
        raise Malformed("The copy of the database cannot be opened.") from None
