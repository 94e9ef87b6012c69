"""Checkpoints: where a ledger stood at a time, signed, to be kept where the database is not.

A hash chain shows nothing of an end that was cut off or written anew. Against a signed statement of
its number and hash, kept elsewhere, both show.
"""

from datetime import datetime
from typing import Final

import msgspec

from optout_service.core.statement import Statements

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


_ALL: Final = Statements(Checkpoint, USE)
sign: Final = _ALL.sign
is_good: Final = _ALL.is_good
as_line: Final = _ALL.as_line
from_line: Final = _ALL.from_line
