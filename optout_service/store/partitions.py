"""The table of suppressions in parts, by the hash of the digest, on PostgreSQL.

With a hundred million rows and more, an index that no longer fits in memory is the price of each
look-up, and one table is what has to be vacuumed, and put back, at once. A look-up by digest goes
to one part.

Nothing waits for the copying: a trigger keeps a second table as the first, row by row, while rows
are copied a few thousand at a time, each locked until its copy is there. Then the two are compared,
and change places under a lock that is held for some milliseconds. The old table stays in use until
then, so whatever ends the work on its way loses nothing.
"""

from typing import Final

from sqlalchemy import Connection, text

from optout_service.core.errors import Conflict, InvalidRequest, Misconfigured, StoreUnavailable
from optout_service.store.db import without_limit
from optout_service.store.tables import suppression

MOST: Final = 256
_LOCK_NOT_AVAILABLE: Final = "55P03"
_LOCK_MS: Final = 1000
"""Who has to wait for a lock makes all who come later wait: rather give up, and try again."""

Key = tuple[object, ...]
"""The primary key of a row, as the driver has it."""

_NAMES: Final = [column.name for column in suppression.columns]
_KEYS: Final = [column.name for column in suppression.primary_key]
_KEY: Final = ", ".join(_KEYS)
_COLUMNS: Final = ", ".join(_NAMES)
_MIRROR: Final = f"""
CREATE FUNCTION suppression_mirror() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM suppression_next n WHERE {" AND ".join(f"n.{k} = old.{k}" for k in _KEYS)};
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO suppression_next ({_COLUMNS}) VALUES ({", ".join(f"new.{n}" for n in _NAMES)})
        ON CONFLICT ({_KEY}) DO UPDATE
        SET {", ".join(f"{n} = excluded.{n}" for n in _NAMES if n not in _KEYS)};
    END IF;
    RETURN NULL;
END $$
"""
_COPY: Final = f"""
WITH page AS (
    SELECT {_COLUMNS} FROM suppression {{after}} ORDER BY {_KEY} LIMIT :rows FOR SHARE
), copied AS (
    INSERT INTO suppression_next ({_COLUMNS}) SELECT {_COLUMNS} FROM page
    ON CONFLICT ({_KEY}) DO NOTHING
)
SELECT (SELECT count(*) FROM page), {_KEY} FROM page
ORDER BY {", ".join(f"{k} DESC" for k in _KEYS)} LIMIT 1
"""
_AFTER: Final = f"WHERE ({_KEY}) > ({', '.join(f':{k}' for k in _KEYS)})"
_COMMENT: Final = "SELECT quote_nullable(obj_description('suppression'::regclass))"
_DIFFER: Final = f"""
SELECT EXISTS (SELECT {_COLUMNS} FROM suppression EXCEPT SELECT {_COLUMNS} FROM suppression_next)
    OR EXISTS (SELECT {_COLUMNS} FROM suppression_next EXCEPT SELECT {_COLUMNS} FROM suppression)
"""


def count(conn: Connection) -> int:
    """In how many parts the table is; 0: it is one table. Raises Misconfigured on SQLite."""
    if conn.dialect.name != "postgresql":
        raise Misconfigured("Only PostgreSQL has partitions.")
    parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('suppression')"
    return int(conn.execute(text(parts)).scalar_one())


def begin(conn: Connection, parts: int) -> int:
    """Make the second table, empty, and let it follow; gives its identity.

    What an earlier try has left is taken away. Raises Conflict (it is in parts already),
    InvalidRequest, Misconfigured, StoreUnavailable (somebody held the table: try again).
    """
    if not 2 <= parts <= MOST:
        raise InvalidRequest(f"Between 2 and {MOST} parts make sense.")
    if found := count(conn):
        raise Conflict(f"The table is in {found} parts already.")
    take_down(conn)
    schema = conn.execute(text("SELECT quote_ident(current_schema() || '_parts')")).scalar_one()
    comment = conn.execute(text(_COMMENT)).scalar_one()
    for statement in (
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        "CREATE TABLE suppression_next (LIKE suppression INCLUDING DEFAULTS) "
        "PARTITION BY HASH (digest)",
        f"ALTER TABLE suppression_next ADD CONSTRAINT pk_suppression_next PRIMARY KEY ({_KEY})",
        "CREATE INDEX ix_suppression_next ON suppression_next (tenant, event)",
        *(
            f"CREATE TABLE {schema}.suppression_{number:03} PARTITION OF suppression_next "
            f"FOR VALUES WITH (MODULUS {parts}, REMAINDER {number})"
            for number in range(parts)
        ),
        f"COMMENT ON TABLE suppression_next IS {comment}",
        _MIRROR,
        "CREATE TRIGGER suppression_mirror AFTER INSERT OR UPDATE OR DELETE ON suppression "
        "FOR EACH ROW EXECUTE FUNCTION suppression_mirror()",
    ):
        conn.exec_driver_sql(statement)
    return _identity(conn)


def copy(conn: Connection, after: Key | None, rows: int) -> tuple[int, Key | None]:
    """Copy the next rows, by their key; gives how many, and the last key, None where all are."""
    without_limit(conn)
    statement = text(_COPY.format(after=_AFTER if after else ""))
    given = dict(zip(_KEYS, after or (), strict=False)) | {"rows": rows}
    last = conn.execute(statement, given).one_or_none()
    return (0, None) if last is None else (last[0], tuple(last[1:]))


def compare(conn: Connection) -> None:
    """Raises Conflict if the two tables are not the same."""
    without_limit(conn)
    if conn.execute(text(_DIFFER)).scalar_one():
        raise Conflict("The copy is not as the table. Nothing was changed; please report this.")
    conn.exec_driver_sql("ANALYZE suppression_next")


def swap(conn: Connection, identity: int) -> None:
    """Put the second table, which was compared, in the place of the first.

    Raises Conflict if it is another one by now, StoreUnavailable if somebody held the table.
    """
    without_limit(conn)
    conn.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_MS}")
    conn.exec_driver_sql("LOCK TABLE suppression, suppression_next IN ACCESS EXCLUSIVE MODE")
    if _identity(conn) != identity:
        raise Conflict("Somebody else is at the same work. Nothing was changed by this one.")
    for statement in (
        "DROP TABLE suppression",
        "DROP FUNCTION suppression_mirror()",
        "ALTER TABLE suppression_next RENAME TO suppression",
        "ALTER TABLE suppression RENAME CONSTRAINT pk_suppression_next TO pk_suppression",
        "ALTER INDEX ix_suppression_next RENAME TO ix_suppression_tenant_event",
    ):
        conn.exec_driver_sql(statement)


def take_down(conn: Connection) -> None:
    """Take away a second table that did not get its place. Raises StoreUnavailable as ``swap``."""
    without_limit(conn)
    conn.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_MS}")
    conn.exec_driver_sql("DROP TRIGGER IF EXISTS suppression_mirror ON suppression")
    conn.exec_driver_sql("DROP FUNCTION IF EXISTS suppression_mirror()")
    conn.exec_driver_sql("DROP TABLE IF EXISTS suppression_next")


def was_held(fault: StoreUnavailable) -> bool:
    """Whether a lock could not be had in time, so that it is worth another try."""
    return getattr(getattr(fault.__cause__, "orig", None), "sqlstate", "") == _LOCK_NOT_AVAILABLE


def _identity(conn: Connection) -> int:
    found = conn.execute(text("SELECT to_regclass('suppression_next')::oid::bigint")).scalar_one()
    return int(found or 0)
