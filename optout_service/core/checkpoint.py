"""Checkpoints: where a ledger stood at a time, signed, to be kept where the database is not.

A hash chain shows nothing of an end that was cut off or written anew. Against a signed statement of
its number and hash, kept elsewhere, both show.
"""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from optout_service.core.signing import Signatures, is_signed

USE: Final = "optout checkpoint 1"


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement: the ledger of this tenant had ``seq`` events, and ``head`` was the last's hash.

    ``origin`` is the public URL of the service; ``tenant`` the tenant's slug; ``head`` 64 hex
    digits; ``at`` aware, UTC; ``key`` and ``signature`` as ``core.signing`` makes them.
    """

    origin: str
    tenant: str
    seq: int
    head: str
    at: datetime
    key: str = ""
    signature: str = ""


def sign(signatures: Signatures, tenant: int, unsigned: Checkpoint) -> Checkpoint:
    """The checkpoint with the tenant's key and signature."""
    signed = signatures.sign_document(tenant, USE, _statement(unsigned))
    return msgspec.convert(signed, Checkpoint)


def is_good(checkpoint: Checkpoint, trusted: Collection[str] | None) -> bool:
    """Whether its signature holds, by one of these public keys (hex); None: by any."""
    document = msgspec.to_builtins(checkpoint)
    return is_signed(document, USE, trusted)


def as_line(checkpoint: Checkpoint) -> str:
    """A checkpoint as one line of JSON, without its end."""
    return json.dumps(msgspec.to_builtins(checkpoint), ensure_ascii=False)


def from_line(line: str | bytes) -> Checkpoint:
    """The checkpoint of a line, its signature not yet looked at. Raises ValueError."""
    try:
        return msgspec.json.decode(line, type=Checkpoint)
    except (msgspec.MsgspecError, UnicodeError):
        raise ValueError("This is no checkpoint.") from None


def _statement(checkpoint: Checkpoint) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(checkpoint)
    del document["key"], document["signature"]
    return document
