"""A release: an operator's word that a ledger which fell behind its checkpoint may be gone on with.

Signed, and kept beside the checkpoints, so that an auditor finds what was lost and who said what.
"""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from optout_service.core.signing import Signatures, is_signed

USE: Final = "optout release 1"


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ledger of ``tenant`` goes on from event ``seq`` with the hash ``head``.

    ``instead_of_seq`` and ``instead_of_head``: where its newest checkpoint had seen it. ``reason``:
    the operator's. ``at`` aware, UTC; ``key`` and ``signature`` as ``core.signing`` makes them.
    """

    origin: str
    tenant: str
    seq: int
    head: str
    instead_of_seq: int
    instead_of_head: str
    reason: str
    at: datetime
    key: str = ""
    signature: str = ""


def sign(signatures: Signatures, tenant: int, unsigned: Release) -> Release:
    """The release with the tenant's key and signature."""
    document: dict[str, Any] = msgspec.to_builtins(unsigned)
    del document["key"], document["signature"]
    return msgspec.convert(signatures.sign_document(tenant, USE, document), Release)


def is_good(release: Release, trusted: Collection[str]) -> bool:
    """Whether its signature holds, by one of these public keys (hex)."""
    return is_signed(msgspec.to_builtins(release), USE, trusted)


def as_line(release: Release) -> str:
    """A release as one line of JSON, without its end."""
    return json.dumps(msgspec.to_builtins(release), ensure_ascii=False)


def from_line(line: str | bytes) -> Release:
    """The release of a line, its signature not yet looked at. Raises ValueError."""
    try:
        return msgspec.json.decode(line, type=Release)
    except (msgspec.MsgspecError, UnicodeError):
        raise ValueError("This is no release.") from None
