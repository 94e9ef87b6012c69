"""The file of a replica: what stands, by the SHA-256 of addresses, and how far it has been read.

A page and the place where it ends are written in one transaction, so a crash leaves the state of
one place or of the next. Only its owner may read the file; it holds no address.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from optout_service.client.shapes import Changed, Changes, Match
from optout_service.core.evidence import Reason, Source
from optout_service.core.instant import from_micros, to_micros
from optout_service.core.policy import PLATFORM, Suppression
from optout_service.core.scope import OTHER, Kind, Scope

FORM: Final = 1
"""Of the tables. A file of another form is emptied, and read anew."""

_TENANT: Final = 1
"""Stands for the tenant, whatever its number: it is the only one beside the platform."""
_PLATFORM_SLUG: Final = "platform"
_BUSY_SECONDS: Final = 30
_TABLES: Final = """
CREATE TABLE place (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cursor TEXT, as_of INTEGER, fresh REAL, boot TEXT, slug TEXT);
CREATE TABLE topic (slug TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE recipient (id BLOB PRIMARY KEY, kind TEXT NOT NULL, sha256 BLOB) WITHOUT ROWID;
CREATE INDEX recipient_sha256 ON recipient (sha256, kind);
CREATE TABLE suppression (
    recipient BLOB, tenant INTEGER, channel TEXT, topic TEXT, purpose TEXT,
    reason TEXT NOT NULL, source TEXT NOT NULL, since INTEGER NOT NULL, event INTEGER NOT NULL,
    PRIMARY KEY (recipient, tenant, channel, topic, purpose)) WITHOUT ROWID;
INSERT INTO place (id) VALUES (1);
"""
_STANDS: Final = """
SELECT s.tenant, s.channel, s.topic, s.purpose, s.reason, s.source, s.since, s.event
FROM recipient r JOIN suppression s ON s.recipient = r.id WHERE r.sha256 = ? AND r.kind = ?
"""
_SOMEBODY: Final = """
SELECT 1 FROM recipient r JOIN suppression s ON s.recipient = r.id
WHERE r.sha256 IS NULL AND r.kind = ?
AND s.channel IN ('*', ?) AND s.topic IN ('*', ?) AND s.purpose IN ('*', ?) LIMIT 1
"""
_PIN: Final = """
INSERT OR IGNORE INTO suppression
SELECT recipient, tenant, channel, ?, purpose, reason, source, since, event
FROM suppression WHERE topic = ? AND tenant = ?
"""
_MEET: Final = """
INSERT INTO recipient (id, kind, sha256) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET sha256 = coalesce(excluded.sha256, sha256)
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What the file holds for one question.

    ``as_of``, ``fresh``, ``boot``: where and when it was last whole; None: never yet. ``known``:
    whether the tenant has the topic. ``somebody``: whether a suppression that would match is of
    nobody knows whom.
    """

    as_of: int | None
    fresh: float | None
    boot: str | None
    slug: str
    known: bool
    stands: list[Suppression]
    somebody: bool


class ReplicaFile:
    """One file. Threads may share it; a fork's two sides may not."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises OSError where the file cannot be made, sqlite3.DatabaseError for another file."""
        # Made before SQLite opens it: its side files take over the mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        Path(path).chmod(0o600)
        self._reader, self._reading = _connect(path), threading.Lock()
        self._writer, self._writing = _connect(path), threading.Lock()
        with self._transaction() as write:
            if write("PRAGMA user_version").fetchone() != (FORM,):
                _make_anew(write)

    def close(self) -> None:
        """Close it."""
        self._reader.close()
        self._writer.close()

    def cursor(self) -> str | None:
        """Where to read on."""
        with self._writing:
            (cursor,) = self._writer.execute("SELECT cursor FROM place").fetchone()
        return None if cursor is None else str(cursor)

    def put(self, page: Changes, *, after: str | None, fresh: float, boot: str) -> bool:
        """Write a page, if the file still stands where it was asked for; whether it did.

        ``fresh``, ``boot``: when it was asked for, to the second, and since which start of the
        machine those are counted.
        """
        with self._transaction() as write:
            if write("SELECT cursor FROM place").fetchone() != (after,):
                return False  # another process was faster
            _pin_new_topics(write, page.topics)
            for one in page.items:
                _replace(write, one)
            write("UPDATE place SET cursor = ?, slug = ?", (page.next, page.tenant))
            if not page.more:
                whole = (page.as_of, fresh, boot)
                write("UPDATE place SET as_of = ?, fresh = ?, boot = ?", whole)
        return True

    def forget(self) -> None:
        """Begin anew: the service no longer knows the place."""
        with self._transaction() as write:
            _make_anew(write)

    def look_up(self, kind: Kind, sha256: bytes, asked: Scope) -> Held:
        """What it holds for one question, of one state. ``asked``: as ``Scope.as_question``."""
        with self._reading:
            ask = self._reader.execute
            ask("BEGIN")
            try:
                as_of, fresh, boot, slug = ask(
                    "SELECT as_of, fresh, boot, slug FROM place"
                ).fetchone()
                stands = [_suppression(row) for row in ask(_STANDS, (sha256, kind))]
                question = (kind, asked.channel, asked.topic, asked.purpose)
                somebody = ask(_SOMEBODY, question).fetchone() is not None
                topic = (asked.topic,)
                found = ask("SELECT 1 FROM topic WHERE slug = ?", topic).fetchone()
            finally:
                ask("ROLLBACK")
        known = asked.topic == OTHER or found is not None
        return Held(as_of, fresh, boot, slug or "", known, stands, somebody)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer.execute
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")


def _connect(path: str | os.PathLike[str]) -> sqlite3.Connection:
    made = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA synchronous = NORMAL")
    return made


def _make_anew(write: Any) -> None:
    for table in ("place", "topic", "recipient", "suppression"):
        write(f"DROP TABLE IF EXISTS {table}")
    for statement in _TABLES.split(";"):
        write(statement)
    write(f"PRAGMA user_version = {FORM}")


def _pin_new_topics(write: Any, topics: Iterable[str]) -> None:
    """What stood for none of the topics stands for a new one, as at the service."""
    there = {slug for (slug,) in write("SELECT slug FROM topic")}
    for slug in topics:
        if slug not in there:
            write("INSERT INTO topic VALUES (?)", (slug,))
            write(_PIN, (slug, OTHER, _TENANT))


def _replace(write: Any, one: Changed) -> None:
    recipient = bytes.fromhex(one.recipient)
    sha256 = None if one.sha256 is None else bytes.fromhex(one.sha256)
    write(_MEET, (recipient, one.kind, sha256))
    write("DELETE FROM suppression WHERE recipient = ?", (recipient,))
    for row in one.stands:
        write(
            "INSERT INTO suppression VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (recipient, *_values(row)),
        )


def _values(row: Match) -> tuple[Any, ...]:
    tenant = PLATFORM if row.scope.tenant == _PLATFORM_SLUG else _TENANT
    assert row.since is not None
    scope = (row.scope.channel, row.scope.topic, row.scope.purpose)
    return tenant, *scope, row.reason, row.source, to_micros(row.since), row.event


def _suppression(row: tuple[Any, ...]) -> Suppression:
    tenant, channel, topic, purpose, reason, source, since, event = row
    scope = Scope(channel, topic, purpose)
    return Suppression(tenant, scope, Reason(reason), Source(source), from_micros(since), event)
