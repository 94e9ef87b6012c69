"""The state "do not send": what stands for a digest, and pages of it."""

import base64
import binascii
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    insert,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from optout_service.core.address import Address
from optout_service.core.errors import Malformed, UnknownTopic
from optout_service.core.evidence import Reason
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM, Decision, Suppression
from optout_service.core.scope import ANY, OTHER, Scope, kind_of, parse_slug
from optout_service.store import book, regimes
from optout_service.store.codes import CHANNEL, PURPOSE
from optout_service.store.db import without_limit
from optout_service.store.prepared import Prepared, Row, Run, run
from optout_service.store.tables import address_book, suppression

_ROW: Final = (
    suppression.c.tenant,
    suppression.c.channel,
    suppression.c.topic,
    suppression.c.purpose,
    suppression.c.reason,
    suppression.c.source,
    suppression.c.since,
    suppression.c.event,
)
_STANDING = Prepared(
    select(*_ROW).where(
        suppression.c.digest == bindparam("digest"),
        or_(
            suppression.c.tenant == literal_column(str(PLATFORM)),
            suppression.c.tenant == bindparam("tenant"),
        ),
    )
)
_DROP = Prepared(
    delete(suppression).where(
        *(column == bindparam(column.name) for column in suppression.primary_key.columns)
    )
)

_PUT = Prepared(
    {
        name: (put := insert_(suppression)).on_conflict_do_update(
            index_elements=list(suppression.primary_key.columns),
            set_={
                column: put.excluded[column] for column in ("reason", "source", "since", "event")
            },
        )
        for name, insert_ in (("sqlite", sqlite_insert), ("postgresql", pg_insert))
    }
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a page: the suppression, and the address if the tenant's book has it."""

    suppression: Suppression
    address: Address | None
    digest: bytes


def standing(conn: Connection, tenant_id: int, digest: bytes, keys: KeyRing) -> list[Suppression]:
    """All that stands for a digest: the tenant's own rows and the platform's, every scope.

    Raises NotFound, and WrongKeys where our ring cannot look it up.
    """
    return standing_of(conn, tenant_id, [digest], keys)[digest]


def read_standing(tenant_id: int, form: bytes) -> Run:
    """The statement behind ``standing`` for one form of a digest, to run together with others."""
    return _STANDING, {"digest": form, "tenant": tenant_id}


def standing_of(
    conn: Connection, tenant_id: int, digests: Collection[bytes], keys: KeyRing
) -> dict[bytes, list[Suppression]]:
    """``standing`` for many digests, all read together."""
    # One look-up by the key for each, together: for a list of keys PostgreSQL may plan to read all
    # that the tenant has. In the order of the key, so that pages are walked and not jumped to; and
    # each generation after the one before, as rows move: so none is missed between the two.
    by_generation = zip(*(keys.forms(digest) for digest in digests), strict=True)
    looked_up = [
        pair for forms in by_generation for pair in sorted(zip(forms, digests, strict=True))
    ]
    reads = [read_standing(tenant_id, form) for form, _ in looked_up]
    regime, *read = run(conn, regimes.read(tenant_id), *reads)
    regimes.from_rows(regime, keys)
    found: dict[bytes, list[Row]] = {digest: [] for digest in digests}
    for (_, digest), rows in zip(looked_up, read, strict=True):
        found[digest] += rows
    return {digest: from_rows(rows) for digest, rows in found.items()}


def from_rows(rows: Sequence[Row]) -> list[Suppression]:
    """What the rows of ``read_standing`` say; a row that moved between two of them, once."""
    return [_suppression(row) for row in dict.fromkeys(rows)]


def writes(tenant_id: int, stored: bytes, decision: Decision) -> list[Run]:
    """What carries a decision out. For ``ledger.record``: nobody else may write here.

    ``stored``: the digest as the regime has it written.
    """
    key: dict[str, Any] = {"digest": stored, "tenant": tenant_id}
    drops: list[Run] = [(_DROP, key | _parts(scope)) for scope in decision.drop]
    return drops + [(_PUT, key | _parts(row.scope) | _facts(row)) for row in decision.put]


def pin_new_topic(conn: Connection, tenant_id: int, slug: str) -> None:
    """Suppress a topic that is being made for all who left everything and came back for a part.

    Their rest was pinned topic by topic, and this topic is part of the rest. Hold the tenant's
    lock: what is copied must not move, or be lifted, meanwhile.
    """
    columns = [column.name for column in suppression.columns]
    copied = select(
        *(literal(slug) if name == "topic" else suppression.c[name] for name in columns)
    ).where(suppression.c.tenant == tenant_id, suppression.c.topic == OTHER)
    conn.execute(insert(suppression).from_select(columns, copied))


def page(
    conn: Connection,
    tenant_id: int,
    keys: KeyRing,
    *,
    limit: int,
    cursor: str | None = None,
    channel: str | None = None,
    topic: str | None = None,
    reason: Reason | None = None,
    since: datetime | None = None,
) -> tuple[list[Listed], str | None]:
    """A page of a tenant's suppressions in ledger order, and the cursor of the next one or None.

    Filters are exact: ``channel="*"`` finds what was suppressed on all channels. Raises Malformed
    for a cursor that none of our pages gave.
    """
    wanted = [
        suppression.c[name] == value
        for name, value in (("channel", channel), ("topic", topic), ("reason", reason))
        if value is not None
    ]
    if since is not None:
        wanted.append(suppression.c.since >= since)
    query = _listing(tenant_id, wanted).limit(limit + 1)
    if cursor is not None:
        query = query.where(*_after(cursor))
    rows = conn.execute(query).all()
    listed = [_listed(row, tenant_id, keys) for row in rows[:limit]]
    return listed, _cursor(listed[-1]) if len(rows) > limit else None


def walk(
    conn: Connection,
    tenant_id: int,
    keys: KeyRing,
    *,
    covering: Scope,
    reason: Reason | None = None,
    size: int = 2000,
) -> Iterator[list[Listed]]:
    """All of a tenant's suppressions in ledger order, ``size`` at a time, from one statement.

    ``covering``: those alone that forbid messages of this channel and this topic, also by covering
    more; ``*``: of any. Give it a connection that sees one state, in a transaction.
    """
    wanted: list[ColumnElement[bool]] = []
    if covering.channel != ANY:
        kind = kind_of(covering.channel)
        wanted.append(suppression.c.channel.in_([ANY, covering.channel]))
        wanted.append(or_(address_book.c.kind == kind, address_book.c.kind.is_(None)))
    if covering.topic != ANY:
        wanted.append(suppression.c.topic.in_([ANY, covering.topic]))
    if reason is not None:
        wanted.append(suppression.c.reason == reason)
    without_limit(conn)  # it may first sort all
    found = conn.execution_options(yield_per=size).execute(_listing(tenant_id, wanted))
    for rows in found.partitions():
        yield [_listed(row, tenant_id, keys) for row in rows]


def _listing(tenant_id: int, wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(suppression.c.digest, *_ROW, address_book.c.kind, address_book.c.sealed)
        .join_from(
            suppression,
            address_book,
            (address_book.c.tenant == suppression.c.tenant)
            & (address_book.c.digest == suppression.c.digest),
            isouter=True,
        )
        .where(suppression.c.tenant == tenant_id, *wanted)
        .order_by(*_ORDER)
    )


def _listed(row: Sequence[Any], tenant_id: int, keys: KeyRing) -> Listed:
    return Listed(
        _suppression(row[1:9]), book.open_address(keys, tenant_id, row[9], row[10]), row[0]
    )


_ORDER: Final = (
    suppression.c.event,
    suppression.c.digest,
    suppression.c.channel,
    suppression.c.topic,
    suppression.c.purpose,
)


def _after(cursor: str) -> tuple[ColumnElement[bool], ...]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
        number, digest, channel, topic, purpose = text.split(" ")
        last = (int(number), bytes.fromhex(digest), channel, topic, purpose)
        if not 0 <= last[0] < 2**63 or channel not in CHANNEL or purpose not in PURPOSE:
            raise ValueError
        if topic not in (ANY, OTHER):
            parse_slug(topic)
    except (ValueError, binascii.Error, UnknownTopic):
        raise Malformed("This cursor is none of ours. Start again without one.") from None
    later = or_(
        suppression.c.event > last[0],
        (suppression.c.event == last[0])
        & (tuple_(*_ORDER[1:]) > tuple_(*last[1:], types=[c.type for c in _ORDER[1:]])),
    )
    # The index is entered by the first of them; of the second alone all before it would be read.
    return suppression.c.event >= last[0], later


def _cursor(last: Listed) -> str:
    row = last.suppression
    parts = (
        row.event,
        last.digest.hex(),
        row.scope.channel,
        row.scope.topic,
        row.scope.purpose,
    )
    return base64.urlsafe_b64encode(" ".join(map(str, parts)).encode()).decode().rstrip("=")


def _suppression(row: Sequence[Any]) -> Suppression:
    tenant_id, channel, topic, purpose, reason, source, since, event = row
    return Suppression(tenant_id, Scope(channel, topic, purpose), reason, source, since, event)


def _parts(scope: Scope) -> dict[str, str]:
    return {"channel": scope.channel, "topic": scope.topic, "purpose": scope.purpose}


def _facts(row: Suppression) -> dict[str, Any]:
    return {"reason": row.reason, "source": row.source, "since": row.since, "event": row.event}
