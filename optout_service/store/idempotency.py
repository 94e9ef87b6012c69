"""What a request with an Idempotency-Key was answered, so that asking again repeats the answer.

Kept in the same transaction as the act: an answer is there exactly when the act is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from optout_service.core.errors import Conflict, IdempotencyMismatch
from optout_service.core.keyring import KeyRing
from optout_service.store import ledger
from optout_service.store.tables import idempotency

ERASED: Final = b""
"""Stands in place of an answer that was erased. No sealed answer is empty."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an answer is kept: the tenant, the API key that asked, its Idempotency-Key, and the
    32-byte fingerprint of the request.

    Of the Idempotency-Key a keyed hash is stored: a caller may have made it of an address.
    """

    tenant: int
    api_key: int
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the bytes of the body."""

    status: int
    body: bytes


def find(conn: Connection, slot: Slot, keys: KeyRing) -> Answer | None:
    """The answer given before, or None. Raises IdempotencyMismatch if it was another request.

    Raises Conflict if it was erased since: the request was done, and is not done again.

    Ask after ``ledger.lock``: then an answer that another worker is about to give is waited for.
    """
    row = conn.execute(
        select(idempotency.c.fingerprint, idempotency.c.status, idempotency.c.answer).where(
            idempotency.c.tenant == slot.tenant,
            idempotency.c.api_key == slot.api_key,
            idempotency.c.key == keys.idempotency_digest(slot.key),
        )
    ).one_or_none()
    if row is None:
        return None
    fingerprint, status, answer = row
    if answer == ERASED:
        raise Conflict(
            "This Idempotency-Key was used before, and its answer was erased with its recipient's "
            "data. Nothing was recorded now. If this is a new act, take a new key."
        )
    if fingerprint != slot.fingerprint:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used before, for another request. Take a new one."
        )
    return Answer(status, keys.open(answer, _context(slot)))


def save(
    conn: Connection, slot: Slot, answer: Answer, digest: bytes, *, at: datetime, keys: KeyRing
) -> None:
    """Keep an answer. ``find`` must have said that there is none. ``digest``: whom it is about.

    In the transaction of an act of the same recipient. Raises WrongKeys, as that does.
    """
    regime = ledger.lock_to_write(conn, slot.tenant, keys)
    conn.execute(
        insert(idempotency),
        {
            "tenant": slot.tenant,
            "api_key": slot.api_key,
            "key": keys.idempotency_digest(slot.key),
            "fingerprint": slot.fingerprint,
            "status": answer.status,
            "answer": keys.seal(answer.body, _context(slot)),
            "created_at": at,
            "digest": regime.stored(digest),
            "generation": regime.mark,
        },
    )


def _context(slot: Slot) -> str:
    return f"idempotency/{slot.tenant}/{slot.api_key}/{slot.key}"
