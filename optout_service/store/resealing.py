"""What is encrypted in the database, and encrypting it anew under the newest key of the ring.

A sealed text begins with the first byte of its key's fingerprint: so it is seen which are under
which. Each is put in the place of the very text that was read, or not at all: what is erased or
written meanwhile stays so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    func,
    select,
    tuple_,
    update,
)

from optout_service.core.keyring import KeyRing
from optout_service.store import book, chain, holds, reviews, seal, senders
from optout_service.store.db import without_limit
from optout_service.store.idempotency import ERASED
from optout_service.store.tables import (
    address_book,
    event,
    idempotency,
    legal_hold,
    provider_account,
    review,
)
from optout_service.store.tables import seal as seal_table


@dataclass(frozen=True, slots=True)
class Part:
    """A column of sealed texts. ``context``: from a row's primary key to that of its text."""

    table: Table
    column: str
    context: Callable[..., str]

    @property
    def sealed(self) -> ColumnElement[bytes]:
        """The column itself."""
        return self.table.c[self.column]

    @property
    def key(self) -> Sequence[ColumnElement[Any]]:
        """The primary key."""
        return list(self.table.primary_key.columns)


PARTS: Final = (
    Part(seal_table, "canary", lambda _: seal.CONTEXT),
    Part(provider_account, "tokens", senders.context),
    Part(address_book, "sealed", lambda tenant_id, _: book.context(tenant_id)),
    Part(review, "private", partial(reviews.context, part="private")),
    Part(review, "grounds", partial(reviews.context, part="grounds")),
    Part(legal_hold, "grounds", holds.context),
    Part(event, "private", chain.private_context),
)
"""What can be sealed anew. Answers kept for an Idempotency-Key cannot: their context is that key,
and of it only a hash is kept. They go with retention."""


@dataclass(frozen=True, slots=True)
class Text:
    """A sealed text as it was read, and the primary key of its row."""

    key: tuple[Any, ...]
    sealed: bytes


def next_texts(
    conn: Connection, part: Part, keys: KeyRing, *, after: tuple[Any, ...] | None, limit: int
) -> list[Text]:
    """The next texts, in the order of their keys, that older keys have sealed, at most ``limit``.

    Read outside of what writes: whoever goes on where it was broken off passes by all that is done.
    Give it a connection that sees one state.
    """
    without_limit(conn)
    older = and_(part.sealed.is_not(None), _hint(part.sealed) != keys.hints[-1])
    query = select(*part.key, part.sealed).where(older).order_by(*part.key).limit(limit)
    if after is not None:
        query = query.where(tuple_(*part.key) > tuple_(*after, types=[c.type for c in part.key]))
    return [Text(tuple(row[:-1]), row[-1]) for row in conn.execute(query)]


def reseal(conn: Connection, part: Part, texts: Sequence[Text], keys: KeyRing) -> None:
    """Seal texts anew that are still as they were read. Raises WrongKeys: one does not open."""
    its = [column == bindparam(f"its_{column.name}") for column in part.key]
    as_read = part.sealed == bindparam("old")
    replacing = update(part.table).where(*its, as_read).values({part.column: bindparam("new")})
    conn.execute(replacing, [_change(part, text, keys) for text in texts])


def counts(conn: Connection, keys: KeyRing) -> dict[str, int]:
    """How many texts each key of the ring has sealed, by its fingerprint. Reads all there is.

    Give it a connection that sees one state.
    """
    without_limit(conn)
    prints = dict(zip(keys.hints, keys.fingerprints.encryption, strict=True))
    found = dict.fromkeys(prints.values(), 0)
    for sealed, which in _columns():
        hint = _hint(sealed)
        for first, rows in conn.execute(select(hint, func.count()).where(which).group_by(hint)):
            if bytes(first) in prints:
                found[prints[bytes(first)]] += rows
    return found


def answers_under(conn: Connection, hint: bytes) -> int:
    """How many answers kept for an Idempotency-Key are under a key of this first byte."""
    sealed = idempotency.c.answer
    return conn.scalar(select(func.count()).where(sealed != ERASED, _hint(sealed) == hint)) or 0


def _columns() -> Iterator[tuple[ColumnElement[bytes], ColumnElement[bool]]]:
    for part in PARTS:
        yield part.sealed, part.sealed.is_not(None)
    yield idempotency.c.answer, idempotency.c.answer != ERASED


def _hint(sealed: ColumnElement[bytes]) -> ColumnElement[bytes]:
    return func.substr(sealed, 1, 1, type_=sealed.type)


def _change(part: Part, text: Text, keys: KeyRing) -> dict[str, Any]:
    context = part.context(*text.key)
    its = {f"its_{c.name}": value for c, value in zip(part.key, text.key, strict=True)}
    return its | {
        "old": text.sealed,
        "new": keys.seal(keys.open(text.sealed, context), context),
    }
