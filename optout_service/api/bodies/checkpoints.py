"""Where a ledger stood, signed."""

from msgspec import Struct

from optout_service.api.bodies.parts import Limit, Number
from optout_service.core.checkpoint import Checkpoint


class CheckpointsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which checkpoints: the newest, or the newest of fewer events than ``before``."""

    before: Number | None = None
    limit: Limit = 100


class CheckpointsAnswer(Struct, frozen=True):
    """Checkpoints, the newest first, and the public keys that may have signed them, in hex.

    ``next``: go on with ``before`` = this; null where nothing is left.
    """

    public_keys: list[str]
    checkpoints: list[Checkpoint]
    next: int | None
