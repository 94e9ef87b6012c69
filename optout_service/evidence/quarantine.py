"""A database that is older than what it once held: nothing is answered until somebody has looked.

An old backup that was put back has forgotten who opted out since. Every check would say "allowed"
of them, so none is answered; opt-outs are taken all the same. Checkpoints that are kept outside the
database show it, and so does a ledger that falls under the eyes of a running process.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from optout_service.core.errors import Conflict, InvalidRequest
from optout_service.core.release import Release
from optout_service.evidence import checkpoints
from optout_service.evidence.checkpoints import Behind
from optout_service.runtime import Runtime
from optout_service.store import seal

_LONGEST_REASON: Final = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """Whether checks are refused now, and the ledgers that are behind their checkpoints."""

    quarantined: bool
    behind: tuple[Behind, ...]


def state(rt: Runtime) -> State:
    """How it stands now. Raises StoreUnavailable and OSError."""
    with rt.reading() as connection:
        quarantined = seal.is_quarantined(connection)
    return State(quarantined, tuple(checkpoints.behind(rt)))


def look(rt: Runtime) -> None:
    """Put the database in quarantine if a ledger is behind its newest checkpoint.

    Raises StoreUnavailable and OSError.
    """
    hold(rt, checkpoints.behind(rt))


def hold(rt: Runtime, behind: Sequence[Behind]) -> None:
    """The same, of what was found."""
    if behind:
        rt.quarantine(
            "; ".join(
                f"{one.tenant} stands at {one.seq}, and stood at {one.checkpoint.seq}"
                for one in behind
            )
        )


def release(rt: Runtime, reason: str) -> tuple[Release, ...]:
    """Go on with the ledgers as they are, for a reason that is signed and kept.

    A ledger that was behind gets a checkpoint where it stands. Raises InvalidRequest (no reason),
    Conflict (there is no quarantine), StoreUnavailable and OSError; then nothing is released.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= _LONGEST_REASON:
        raise InvalidRequest(f"Give a reason, of at most {_LONGEST_REASON} characters.")
    if not state(rt).quarantined:
        raise Conflict("The database is in no quarantine.")
    made = checkpoints.accept(rt, reason)
    # Last, since what fails before leaves the quarantine as it is.
    with rt.writing() as connection:
        seal.release(connection, rt.keys)
    rt.falls.forget()
    _log.warning("the database was released", extra={"reason": reason, "ledgers": len(made)})
    return made
