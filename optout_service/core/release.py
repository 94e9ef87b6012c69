"""A release: an operator's word that a ledger which fell behind its checkpoint may be gone on with.

Signed, and kept beside the checkpoints, so that an auditor finds what was lost and who said what.
"""

from datetime import datetime
from typing import Final

import msgspec

from optout_service.core.statement import Statements

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


_ALL: Final = Statements(Release, USE)
sign: Final = _ALL.sign
is_good: Final = _ALL.is_good
as_line: Final = _ALL.as_line
from_line: Final = _ALL.from_line
