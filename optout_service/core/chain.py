"""The bytes of the hash chain, as anybody can compute them again.

entry = SHA-256(previous entry, canonical metadata, commitment); commitment = SHA-256(salt, private
payload). With payload and salt erased the chain still verifies, and the commitment tells nothing.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from optout_service.core.instant import to_micros

GENESIS: Final = bytes(32)
"""What the first entry of a ledger follows."""

VERSION: Final = "v1"

FIELDS: Final = (
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
"""What an entry binds besides the commitment, in this order."""


def metadata(row: Mapping[str, Any]) -> str:
    """The canonical metadata of an event: a JSON list, its version first.

    Bytes are hex digits, times microseconds since 1970.
    """
    return _json([VERSION, *(_plain(row[name]) for name in FIELDS)])


def entry(previous: bytes, canonical: str, committed: bytes) -> bytes:
    """The 32-byte hash of an event that follows ``previous``. Golden tests pin its bytes."""
    return sha256(previous + canonical.encode() + committed).digest()


def commitment(salt: bytes, private: bytes) -> bytes:
    """What binds an entry to its private payload without telling it."""
    return sha256(salt + private).digest()


def _json(values: Iterable[Any]) -> str:
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> str | int | bool | None:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return to_micros(value)
    return value  # type: ignore[no-any-return]
