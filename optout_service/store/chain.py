"""The hash chain of a tenant's ledger, and the walk that proves it whole.

entry = SHA-256(previous entry, canonical metadata, commitment); commitment = SHA-256(salt, private
payload). With payload and salt erased the chain still verifies, and the commitment tells nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, select

from optout_service.core.errors import NotFound, WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.store.codes import to_micros
from optout_service.store.tables import event, tenant

GENESIS: Final = bytes(32)
"""What the first entry of a ledger follows."""

_METADATA: Final = (
    "tenant",
    "number",
    "action",
    "changed",
    "digest",
    "kind",
    "channel",
    "topic",
    "purpose",
    "reason",
    "source",
    "actor",
    "occurred_at",
    "recorded_at",
    "provider",
    "account",
    "message_id",
)
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. ``broken_at`` is the first number that does not fit."""

    events: int
    head: bytes
    broken_at: int | None = None
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Whether every entry follows from the one before it, up to the head."""
        return self.broken_at is None


def private_context(tenant_id: int, number: int) -> str:
    """The context under which the private payload of one event is sealed."""
    return f"event/{tenant_id}/{number}"


def entry_hash(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """The 32-byte hash of an event that follows ``previous``. Golden tests pin its bytes."""
    metadata = json.dumps(
        ["v1", *(_plain(row[name]) for name in _METADATA)],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return sha256(previous + metadata.encode() + row["commitment"]).digest()


def verify(conn: Connection, tenant_id: int, keys: KeyRing) -> Verification:
    """Walk a tenant's whole ledger: numbers without a gap, hashes, commitments, the head.

    Takes seconds per hundred thousand events; reads a thousand at a time. Raises NotFound.
    """
    found = conn.execute(
        select(tenant.c.seq, tenant.c.head).where(tenant.c.id == tenant_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such tenant.")
    seq, head = found
    number, previous = 0, GENESIS
    while number < seq:
        rows = conn.execute(
            select(event)
            .where(
                event.c.tenant == tenant_id,
                event.c.number > number,
                event.c.number <= seq,
            )
            .order_by(event.c.number)
            .limit(_PAGE)
        ).mappings()
        before = number
        for row in rows:
            if fault := _fault(dict(row), number, previous, keys):
                return Verification(number, previous, number + 1, fault)
            number, previous = row["number"], row["hash"]
        if number == before:
            return Verification(number, previous, number + 1, "missing")
    if previous != head:
        return Verification(number, previous, number, "the head is another")
    return Verification(number, previous)


def _fault(row: Mapping[str, Any], number: int, previous: bytes, keys: KeyRing) -> str:
    if row["number"] != number + 1:
        return "missing"
    if entry_hash(previous, row) != row["hash"]:
        return "edited, or not the one that was here"
    if row["private"] is not None and not _committed(row, keys):
        return "its private payload was edited"
    return ""


def _committed(row: Mapping[str, Any], keys: KeyRing) -> bool:
    try:
        private = keys.open(row["private"], private_context(row["tenant"], row["number"]))
    except WrongKeys:
        return False
    commitment: bytes = row["commitment"]
    return sha256((row["salt"] or b"") + private).digest() == commitment


def _plain(value: Any) -> str | int | bool | None:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return to_micros(value)
    return value  # type: ignore[no-any-return]
