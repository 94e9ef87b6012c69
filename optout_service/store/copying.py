"""A whole database as one file, of one state, while acts go on; and such a file put back.

SQLite by its online backup API, PostgreSQL by its own ``pg_dump`` and ``pg_restore``.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, make_url, text

from optout_service import disk
from optout_service.core.errors import Conflict, Malformed, Misconfigured, StoreUnavailable
from optout_service.store.revisions import connected, file_of

FILE_NAMES: Final = {"sqlite": "optout.db", "postgresql": "optout.dump"}
"""What the copy of each kind of database is called."""

_MOST_SAID: Final = 500


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
        _run("pg_dump", url, to.parent, *how, f"--file={to}")
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

    Raises Conflict, Malformed (it is no such copy), Misconfigured (no pg_restore here),
    StoreUnavailable and OSError.
    """
    require_empty(url)
    if (path := file_of(url)) is not None:
        _put_sqlite(file, path)
    else:
        _run("pg_restore", url, file.parent, "--single-transaction", "--exit-on-error",
             "--no-owner", "--no-privileges", str(file))  # fmt: skip


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


def _run(program: str, url: str, work: Path, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise Misconfigured(
            f"{program} is not on the PATH. It comes with PostgreSQL's client programs "
            "(postgresql-client), of the server's version or a newer one."
        )
    ran = subprocess.run(
        [found, "--no-password", f"--dbname={_conninfo(url, work)}", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode:
        said = " ".join(ran.stderr.split("\nDETAIL")[0].split())[:_MOST_SAID]
        raise StoreUnavailable(f"{program} ended with status {ran.returncode}: {said}")


def _conninfo(url: str, work: Path) -> str:
    """The URL as libpq reads it, its password in a file: arguments are seen by everybody here."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        parameters: dict[str, Any] = conninfo_to_dict(plain)
    except psycopg.Error:
        raise Misconfigured("OPTOUT_DATABASE_URL: libpq cannot read it.") from None
    if password := parameters.pop("password", None):
        secret = work / "pgpass"
        secret.unlink(missing_ok=True)
        with disk.new(secret) as passwords:
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            passwords.write(f"*:*:*:*:{escaped}\n".encode())
        parameters["passfile"] = str(secret)
    return make_conninfo(**parameters)
