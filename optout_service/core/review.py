"""What a person must read: why it is in doubt, what can be decided, and by when.

47 CFR 64.1200(a)(10): a revocation is honoured within ten business days of receipt. What nobody
has read by then may be a request that nobody has honoured.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from optout_service.core.scope import ANY, Kind, Purpose, Scope

BUSINESS_DAYS: Final = 10
_FIRST_OF_WEEKEND: Final = 5
_END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)
_EASTERNMOST: Final = timedelta(hours=14)
_ZONES: Final = (timedelta(hours=-12), timedelta(0), _EASTERNMOST)


class Why(StrEnum):
    """Why a message went to a person."""

    DOUBTFUL = "doubtful"
    UNKNOWN_SENDER = "unknown_sender"
    DAMAGED_LINK = "damaged_link"
    MAIL = "mail"


class ReviewDecision(StrEnum):
    """What a person found it to be."""

    OPT_OUT = "opt_out"
    NOT_OPT_OUT = "not_opt_out"


class ReviewState(StrEnum):
    """Which reviews to list. Overdue ones are open ones whose day has passed."""

    OPEN = "open"
    DECIDED = "decided"
    OVERDUE = "overdue"
    ALL = "all"


def due_at(received_at: datetime) -> datetime:
    """By when what came at this time (aware) must be decided: ten business days, in UTC.

    The day of receipt is not counted. Which day that is, and when the tenth ends, depends on where
    one is: it is the earliest end on earth. Monday to Friday all count: without a calendar of
    holidays the end is never later than with one.
    """
    at = received_at.astimezone(UTC)
    return min(_earliest_end(at, (at + zone).date()) for zone in _ZONES)


def _earliest_end(at: datetime, day: date) -> datetime:
    """Where it is this day now, the earliest end of the tenth business day after it."""
    last, left = day, BUSINESS_DAYS
    while left:
        last += timedelta(days=1)
        left -= last.weekday() < _FIRST_OF_WEEKEND
    # The day ends first where it is over right now, and nowhere before the easternmost zone.
    return max(at + (last - day), datetime.combine(last, _END_OF_DAY) - _EASTERNMOST)


def opt_out_scope(kind: Kind, topic: str) -> Scope:
    """What an opt-out in a person's own words covers: as much as the words can mean.

    For a phone every channel and purpose (47 CFR 64.1200(a)(10)), for a mailbox all marketing: a
    receipt is no commercial message (16 CFR 316.3). ``topic``: the sender's, or ``*``.
    """
    return Scope(ANY, topic, ANY if kind is Kind.PHONE else Purpose.MARKETING)
