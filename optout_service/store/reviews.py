"""The review queue: what no rule could read for certain, until a person has decided it.

A door that is in doubt records the hold (an ordinary opt-out of marketing) and opens a review in
the same transaction. What was said is sealed; whom it is about is a digest, as everywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, true

from optout_service.core.address import Address
from optout_service.core.errors import NotFound
from optout_service.core.evidence import ProviderMessage, Source
from optout_service.core.keyring import KeyRing
from optout_service.core.review import ReviewDecision, ReviewState, Why, due_at
from optout_service.core.scope import ANY, Kind
from optout_service.store import book, ledger, regimes, tenants
from optout_service.store.prepared import run
from optout_service.store.tables import address_book, event, review

_NO_SUCH: Final = "There is no such review."
_LARGEST: Final = 2**63 - 1
"""The largest number that a column holds."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a door hands over for a person to read.

    ``address``: whom it is about, or None where nobody can be named. ``rule``: what made it
    doubtful. ``private``: what can be erased: ``text``, ``to``, ``note``. ``provider_message``
    counts once. ``hold_event``: the opt-out that was recorded meanwhile. ``topic``: that of the
    sender who was answered, if it is narrower than all.
    """

    tenant: int
    address: Address | None
    channel: str
    source: Source
    why: Why
    rule: str
    private: Mapping[str, str] = field(default_factory=dict)
    provider_message: ProviderMessage | None = None
    hold_event: int | None = None
    topic: str = ANY


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: what, when, by whom, on which grounds.

    ``event``: what it wrote into the ledger, if anything; ``changed``: whether that changed what
    stands. ``reference`` may be empty; so are both texts where they were erased.
    """

    decision: ReviewDecision
    at: datetime
    by: str
    event: int | None
    changed: bool
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class Review:
    """One entry of a tenant's queue. ``decided`` is None while it is open.

    ``address`` is None where nobody was named, or where it was erased; it is hashed where the
    tenant keeps no address book. ``private`` is what was said, empty where it was erased.
    """

    tenant: int
    number: int
    digest: bytes | None
    address: Address | None
    channel: str
    topic: str
    source: Source
    why: Why
    rule: str
    received_at: datetime
    due_at: datetime
    hold_event: int | None
    private: Mapping[str, str]
    decided: Decided | None

    def overdue_at(self, at: datetime) -> bool:
        """Whether nobody has decided it although its day has passed."""
        return self.decided is None and self.due_at < at


def open_review(conn: Connection, doubt: Doubt, *, at: datetime, keys: KeyRing) -> Review:
    """Put a doubt into its tenant's queue. ``at``: when it was received (aware, UTC).

    A provider's message that is there already gives the review that it made the first time.
    Raises NotFound for a tenant that does not exist.
    """
    regime = ledger.lock_to_write(conn, doubt.tenant, keys)
    if (known := _made_of(conn, doubt)) is not None:
        return get(conn, doubt.tenant, known, keys)
    number = 1 + (
        conn.scalar(select(func.max(review.c.number)).where(review.c.tenant == doubt.tenant)) or 0
    )
    message = doubt.provider_message
    digest = keys.digest(doubt.address) if doubt.address else None
    regimes.bring(conn, doubt.tenant, regime, [digest] if digest else [])
    row = {
        "tenant": doubt.tenant,
        "number": number,
        "digest": regime.stored(digest) if digest else None,
        "generation": regime.mark,
        "kind": doubt.address.kind if doubt.address else None,
        "channel": doubt.channel,
        "topic": doubt.topic,
        "source": doubt.source,
        "why": doubt.why,
        "rule": doubt.rule,
        "received_at": at,
        "due_at": due_at(at),
        "hold_event": doubt.hold_event,
        "provider": message and message.provider,
        "account": message and message.account,
        "message_id": message and message.message_id,
        "private": _sealed(_private(doubt), doubt.tenant, number, "private", keys),
    }
    conn.execute(insert(review), row)
    if doubt.address and digest and tenants.get_by_id(conn, doubt.tenant).address_book:
        run(conn, book.remember(keys, doubt.tenant, digest, doubt.address, regime))
    return get(conn, doubt.tenant, number, keys)


def get(conn: Connection, tenant_id: int, number: int, keys: KeyRing) -> Review:
    """One review. Raises NotFound, also for another tenant's."""
    if number > _LARGEST:
        raise NotFound(_NO_SUCH)
    query = _query().where(review.c.tenant == tenant_id, review.c.number == number)
    if (row := conn.execute(query).one_or_none()) is None:
        raise NotFound(_NO_SUCH)
    return _review(row, keys)


def page(
    conn: Connection,
    tenant_id: int,
    *,
    state: ReviewState,
    at: datetime,
    after: int,
    limit: int,
    keys: KeyRing,
) -> tuple[list[Review], int | None]:
    """A tenant's reviews numbered above ``after``, oldest first, at most ``limit``.

    And the number after which the next page begins, None on the last. ``at``: now, to tell which
    are overdue.
    """
    query = _query().where(review.c.tenant == tenant_id, review.c.number > after, _in(state, at))
    rows = conn.execute(query.order_by(review.c.number).limit(limit + 1)).all()
    found = [_review(row, keys) for row in rows[:limit]]
    return found, found[-1].number if len(rows) > limit else None


def seal_grounds(keys: KeyRing, tenant_id: int, number: int, reason: str, reference: str) -> bytes:
    """Why a review was decided so, as it is kept: for ``decisions.decide``."""
    return _sealed({"reason": reason, "reference": reference}, tenant_id, number, "grounds", keys)


def open_count(conn: Connection) -> int:
    """How many reviews of all tenants nobody has decided yet."""
    return conn.scalar(_count(review.c.decided_at.is_(None))) or 0


def overdue_count(conn: Connection, at: datetime) -> int:
    """How many reviews of all tenants should have been decided by now."""
    return conn.scalar(_count(_in(ReviewState.OVERDUE, at))) or 0


def _count(which: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(review).where(which)


def _in(state: ReviewState, at: datetime) -> ColumnElement[bool]:
    still_open = review.c.decided_at.is_(None)
    match state:
        case ReviewState.OPEN:
            return still_open
        case ReviewState.OVERDUE:
            return and_(still_open, review.c.due_at < at)
        case ReviewState.DECIDED:
            return review.c.decided_at.is_not(None)
        case ReviewState.ALL:
            return true()


def _made_of(conn: Connection, doubt: Doubt) -> int | None:
    """The review that this provider's message made before."""
    if (message := doubt.provider_message) is None:
        return None
    return conn.scalar(
        select(review.c.number).where(
            review.c.tenant == doubt.tenant,
            review.c.provider == message.provider,
            review.c.account == message.account,
            review.c.message_id == message.message_id,
        )
    )


def _private(doubt: Doubt) -> dict[str, Any]:
    """What was said; and the address's hash, to decide by where there is no address book.

    Of the digest no address can be made again, and the ledger needs one.
    """
    hashed = doubt.address.sha256.hex() if doubt.address else ""
    return {"said": dict(doubt.private), "sha256": hashed}


def _query() -> Select[Any]:
    return (
        select(review, address_book.c.sealed, event.c.changed)
        .join_from(
            review,
            address_book,
            and_(
                address_book.c.tenant == review.c.tenant,
                address_book.c.digest == review.c.digest,
            ),
            isouter=True,
        )
        .join(
            event,
            and_(event.c.tenant == review.c.tenant, event.c.number == review.c.decision_event),
            isouter=True,
        )
    )


def _review(row: Any, keys: KeyRing) -> Review:
    private: dict[str, Any] = _opened(row, "private", keys)
    return Review(
        tenant=row.tenant,
        number=row.number,
        digest=None if row.digest is None else keys.bare(row.digest, row.generation),
        address=_address(row, private.get("sha256"), keys),
        channel=row.channel,
        topic=row.topic,
        source=row.source,
        why=row.why,
        rule=row.rule,
        received_at=row.received_at,
        due_at=row.due_at,
        hold_event=row.hold_event,
        private=private.get("said", {}),
        decided=_decided(row, keys),
    )


def _address(row: Any, hashed: str | None, keys: KeyRing) -> Address | None:
    kind: Kind | None = row.kind
    if kind is not None and row.sealed is None and hashed:
        return Address(kind, bytes.fromhex(hashed), None)
    return book.open_address(keys, row.tenant, kind, row.sealed)


def _decided(row: Any, keys: KeyRing) -> Decided | None:
    if row.decided_at is None:
        return None
    grounds = _opened(row, "grounds", keys)
    return Decided(
        row.decision,
        row.decided_at,
        row.decided_by,
        row.decision_event,
        bool(row.changed),
        grounds.get("reason", ""),
        grounds.get("reference", ""),
    )


def _sealed(
    values: Mapping[str, Any], tenant_id: int, number: int, part: str, keys: KeyRing
) -> bytes:
    return keys.seal(
        json.dumps(values, ensure_ascii=False).encode(), context(tenant_id, number, part)
    )


def _opened(row: Any, part: str, keys: KeyRing) -> dict[str, Any]:
    sealed: bytes | None = getattr(row, part)
    if sealed is None:
        return {}
    opened: dict[str, Any] = json.loads(keys.open(sealed, context(row.tenant, row.number, part)))
    return opened


def context(tenant_id: int, number: int, part: str) -> str:
    """The context under which a part of a review is sealed: ``private`` or ``grounds``."""
    return f"review/{tenant_id}/{number}/{part}"
