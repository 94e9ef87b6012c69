"""What an opt-in may not do: lift what is not its to lift, or more in a day than is allowed."""

from typing import Final

from optout_service.core.errors import LiftCap, NotLiftable
from optout_service.core.evidence import Action, Authority, Evidence
from optout_service.core.policy import PLATFORM, Decision, Refusal

_RECIPIENT: Final = frozenset({Authority.RECIPIENT_PAGE, Authority.RECIPIENT_PHONE})


def count(evidence: Evidence, decision: Decision, *, used: int, cap: int) -> int:
    """How many of the day's opt-ins are used up with this act; ``used``: before it.

    Those of the recipients themselves are not counted. Raises NotLiftable, LiftCap.
    """
    if evidence.authority in _RECIPIENT:
        return used
    if decision.refused:
        raise _not_liftable(decision.refused)
    if evidence.action is Action.OPT_OUT or not decision.changed:
        return used
    if used >= cap:
        raise LiftCap(
            f"This tenant's {cap} opt-ins of today (UTC) are used up. The recipients can come "
            "back by themselves at any time; otherwise try again tomorrow.",
            cap=cap,
        )
    return used + 1


def _not_liftable(refused: tuple[Refusal, ...]) -> NotLiftable:
    who = sorted(frozenset.intersection(*(refusal.liftable_by for refusal in refused)))
    reasons = sorted({refusal.suppression.reason for refusal in refused})
    # Within a tenant not even a platform key lifts what binds all of them.
    without = " (without naming a tenant)" if _by_the_platform(refused) else ""
    return NotLiftable(
        f"What stands ({', '.join(reasons)}) may be lifted only by: {', '.join(who)}{without}.",
        reasons=reasons,
        liftable_by=who,
    )


def _by_the_platform(refused: tuple[Refusal, ...]) -> bool:
    return any(refusal.suppression.tenant == PLATFORM for refusal in refused)
