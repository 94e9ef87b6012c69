"""How words are stored: small numbers, since the suppression row is read on every send.

The numbers are part of the database. One is never given to another word; new words get new numbers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, SmallInteger
from sqlalchemy.types import TypeDecorator

from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.instant import from_micros, to_micros
from optout_service.core.review import ReviewDecision, Why
from optout_service.core.scope import ANY, Channel, Kind, Purpose

CHANNEL: Final[Mapping[str, int]] = {
    ANY: 0,
    Channel.EMAIL: 1,
    Channel.SMS: 2,
    Channel.WHATSAPP: 3,
    Channel.RCS: 4,
    Channel.VOICE: 5,
}
PURPOSE: Final[Mapping[str, int]] = {
    ANY: 0,
    Purpose.MARKETING: 1,
    Purpose.TRANSACTIONAL: 2,
}
KIND: Final[Mapping[Kind, int]] = {Kind.EMAIL: 1, Kind.PHONE: 2}
ACTION: Final[Mapping[Action, int]] = {Action.OPT_OUT: 1, Action.OPT_IN: 2}
REASON: Final[Mapping[Reason, int]] = {
    Reason.OPTED_OUT: 1,
    Reason.COMPLAINT: 2,
    Reason.BOUNCED: 3,
    Reason.BLOCKED: 4,
    Reason.REASSIGNED: 5,
    Reason.LEGAL: 6,
}
SOURCE: Final[Mapping[Source, int]] = {
    Source.ONE_CLICK: 1,
    Source.PAGE: 2,
    Source.MAIL: 3,
    Source.TEXT: 4,
    Source.CALL: 5,
    Source.PROVIDER: 6,
    Source.API: 7,
    Source.IMPORT: 8,
    Source.OPERATOR: 9,
}
WHY: Final[Mapping[Why, int]] = {
    Why.DOUBTFUL: 1,
    Why.UNKNOWN_SENDER: 2,
    Why.DAMAGED_LINK: 3,
    Why.MAIL: 4,
}
REVIEW_DECISION: Final[Mapping[ReviewDecision, int]] = {
    ReviewDecision.OPT_OUT: 1,
    ReviewDecision.NOT_OPT_OUT: 2,
}


class Code(TypeDecorator[Any]):
    """A word stored as its number."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, numbers: Mapping[Any, int]) -> None:
        super().__init__()
        self._numbers = tuple(numbers.items())
        self._number_of = dict(numbers)
        self._word_of = {number: word for word, number in numbers.items()}

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else self._number_of[value]

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._word_of[value]


class Instant(TypeDecorator[datetime]):
    """An aware UTC time stored as microseconds since 1970: the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)
