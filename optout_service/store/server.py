"""What a database says of itself, as far as everybody who may connect is told."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

_ASKED: Final = text(
    """
    SELECT (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout')
               AS statement_timeout_ms,
           (SELECT min(most) FROM (
                SELECT current_setting('max_connections')::int
                       - current_setting('superuser_reserved_connections')::int
                       - coalesce(current_setting('reserved_connections', true), '0')::int AS most
                UNION ALL SELECT datconnlimit FROM pg_database
                          WHERE datname = current_database() AND datconnlimit >= 0
                UNION ALL SELECT rolconnlimit FROM pg_roles
                          WHERE rolname = current_user AND rolconnlimit >= 0) AS limits)
               AS connections,
           current_setting('data_checksums') = 'on' AS checksums,
           current_setting('archive_mode') <> 'off' AS archiving,
           current_setting('autovacuum') = 'on' AS autovacuum,
           current_setting('synchronous_standby_names') <> '' AS standbys,
           current_setting('synchronous_commit') AS synchronous_commit,
           coalesce(inet_server_addr() <> inet_client_addr(), false) AS remote,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
           coalesce((SELECT failed_count > 0
                            AND last_failed_time > coalesce(last_archived_time, '-infinity')
                     FROM pg_stat_archiver), false) AS archive_fails
    """
)


@dataclass(frozen=True, slots=True)
class Server:
    """``statement_timeout_ms``: as it holds on this connection; ``connections``: how many this role
    may have to this database; ``remote``: on another machine; ``encrypted``: this connection.
    """

    statement_timeout_ms: int
    connections: int
    checksums: bool
    archiving: bool
    autovacuum: bool
    standbys: bool
    synchronous_commit: str
    remote: bool
    encrypted: bool
    archive_fails: bool


def version(conn: Connection) -> str:
    """Of what make it is."""
    if conn.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {conn.execute(text('SHOW server_version')).scalar_one()}"


def look(conn: Connection) -> Server | None:
    """The server behind a connection; None for SQLite, which has none."""
    if conn.dialect.name == "sqlite":
        return None
    return Server(**conn.execute(_ASKED).mappings().one())
