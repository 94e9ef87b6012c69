"""Erasing what one tenant holds of one recipient, but for what keeps nobody from writing to them.

The suppression, the ledger's events and the ids of providers' messages stay, under the keyed digest
alone. An event's private part and its salt go together: the chain verifies without them, and its
commitment tells nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from optout_service.core.address import Address
from optout_service.core.erasure import names
from optout_service.core.keyring import KeyRing
from optout_service.store import ledger, reviews
from optout_service.store.idempotency import ERASED
from optout_service.store.tables import (
    address_book,
    event,
    idempotency,
    review,
    suppression,
)

_NO_FINGERPRINT: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whose data: a tenant's recipient, and what no digest leads to.

    ``forms``: of the recipient's digest. ``unnamed``: the numbers of decided reviews that name them
    in their text alone. ``before``: only what was received up to then; None: all of it.
    """

    tenant: int
    forms: Collection[bytes]
    unnamed: Sequence[int] = ()
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """How many addresses, events' private parts, reviews' texts and stored answers were erased."""

    addresses: int
    events: int
    reviews: int
    answers: int

    @property
    def anything(self) -> bool:
        """Whether there was anything to erase."""
        return any((self.addresses, self.events, self.reviews, self.answers))


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of a recipient: suppressions, events, providers' message ids, open reviews."""

    suppressions: int
    events: int
    messages: int
    open_reviews: int


def unnamed(conn: Connection, tenant_id: int, address: Address, keys: KeyRing) -> list[int]:
    """The numbers of a tenant's decided reviews that name this address in their text alone."""
    query = select(review.c.number).where(
        review.c.tenant == tenant_id,
        review.c.digest.is_(None),
        review.c.decided_at.is_not(None),
        review.c.private.is_not(None),
    )
    found = (reviews.get(conn, tenant_id, number, keys) for number in conn.scalars(query).all())
    return [
        one.number
        for one in found
        if names(address, "\n".join(one.private.values()))
        or (one.decided is not None and names(address, one.decided.reason))
    ]


def find(conn: Connection, whom: Whom) -> Erased:
    """How much ``erase`` would erase."""
    return Erased(*(_count(conn, table, which) for table, which in _parts(conn, whom)))


def erase(conn: Connection, whom: Whom) -> Erased:
    """Erase what is held of a recipient, and say how much that was. Again, it is nothing.

    Ask for the ledger's lock first: then no act of the recipient is half in it. An answer that is
    kept for an Idempotency-Key goes, its key stays, so that the request is not done twice. Of
    answers from before their digest was kept nobody can say whose they are: those go too.
    """
    found = find(conn, whom)
    (_, in_book), (_, events), (_, texts), (_, answers) = _parts(conn, whom)
    conn.execute(delete(address_book).where(in_book))
    ledger.erase_private(conn, events)
    conn.execute(update(review).where(texts).values(private=None, grounds=None))
    conn.execute(
        update(idempotency).where(answers).values(answer=ERASED, fingerprint=_NO_FINGERPRINT)
    )
    return found


def kept(conn: Connection, whom: Whom) -> Kept:
    """What stays, however often it is asked for."""
    stands, happened, asked = (
        and_(table.c.tenant == whom.tenant, table.c.digest.in_(whom.forms))
        for table in (suppression, event, review)
    )
    return Kept(
        _count(conn, suppression, stands),
        _count(conn, event, happened),
        _count(conn, event, and_(happened, event.c.message_id.is_not(None))),
        _count(conn, review, and_(asked, review.c.decided_at.is_(None))),
    )


def _parts(conn: Connection, whom: Whom) -> list[tuple[Table, ColumnElement[bool]]]:
    """Where a recipient's data lies, in the order of ``Erased``, and which rows they are."""
    return [
        (
            address_book,
            and_(
                address_book.c.tenant == whom.tenant,
                address_book.c.digest.in_(whom.forms),
                # Whoever has come again since stands in the book anew.
                false() if _has_come_again(conn, whom) else true(),
            ),
        ),
        (
            event,
            and_(
                event.c.tenant == whom.tenant,
                event.c.digest.in_(whom.forms),
                event.c.private.is_not(None),
                _until(event, "recorded_at", whom),
            ),
        ),
        (
            review,
            and_(
                review.c.tenant == whom.tenant,
                or_(review.c.digest.in_(whom.forms), review.c.number.in_(whom.unnamed)),
                # What waits for a person may be an opt-out that nobody has understood yet.
                review.c.decided_at.is_not(None),
                or_(review.c.private.is_not(None), review.c.grounds.is_not(None)),
                _until(review, "received_at", whom),
            ),
        ),
        (
            idempotency,
            and_(
                idempotency.c.tenant == whom.tenant,
                or_(idempotency.c.digest.in_(whom.forms), idempotency.c.digest.is_(None)),
                idempotency.c.answer != ERASED,
                _until(idempotency, "created_at", whom),
            ),
        ),
    ]


def _until(table: Table, column: str, whom: Whom) -> ColumnElement[bool]:
    return true() if whom.before is None else table.c[column] <= whom.before


def _has_come_again(conn: Connection, whom: Whom) -> bool:
    if whom.before is None:
        return False
    return any(
        _count(
            conn,
            table,
            and_(
                table.c.tenant == whom.tenant,
                table.c.digest.in_(whom.forms),
                table.c[received] > whom.before,
            ),
        )
        for table, received in ((event, "recorded_at"), (review, "received_at"))
    )


def _count(conn: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return conn.scalar(select(func.count()).select_from(table).where(which)) or 0
