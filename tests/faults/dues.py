"""R17: every date, every time zone: what is due is due by the promise, and overdue is seen."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone
from itertools import islice
from random import Random
from typing import Final

from optout_service.core.review import ReviewState, due_at
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import reviews
from tests import stage
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.store.acts import doubt

_FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2061, 1, 1, tzinfo=UTC)
_HOURS: Final = (time(0), time(4, 30), time(9, 59, 59), time(12), time(17, 45), time(23, 59, 59))
_ZONES: Final = tuple(
    timezone(timedelta(hours=hours))
    for hours in (-12, -10, -8, -5, -3.5, 0, 1, 3, 5.5, 5.75, 8, 9.5, 12, 12.75, 14)
)
_YEARS_KEPT: Final = {"keep_words_days": 3, "keep_traces_days": 3}
"""For how many years what was said is kept at least: Hong Kong's UEMO, sections 9 and 10."""


def run(ground: Ground, size: Size) -> Figure:
    """All dates to the end of 2060, and a queue in which some are due."""
    step = size.pick(61, 1)
    tried, broken = 0, []
    for at in _times(step):
        due = due_at(at)
        for zone in _ZONES:
            tried += 1
            if due > (promised := _tenth_business_day(at, zone)):
                broken.append(f"{at} in {zone}: due {due}, promised {promised.astimezone(UTC)}")
        if due - at < timedelta(days=10):
            broken.append(f"{at}: due {due}, so soon that nobody could")
    queued = size.pick(12, 400)
    broken += _unseen(ground, queued)
    broken += _gone_too_soon(step)
    return Figure(
        f"{tried:,} pairs of a time and a zone; list and metric of {queued} reviews, at the second "
        "when each is due and one later",
        tuple(broken),
    )


def _times(step: int) -> Iterator[datetime]:
    days = (_LAST - _FIRST).days
    for day in range(0, days, step):
        for hour in _HOURS:
            yield datetime.combine((_FIRST + timedelta(days=day)).date(), hour, UTC)


def _tenth_business_day(at: datetime, zone: timezone) -> datetime:
    """The end of the tenth day from Monday to Friday after the day of receipt, in a zone."""
    received = at.astimezone(zone).date()
    following = (received + timedelta(days=n) for n in range(1, 30))
    *_, last = islice((day for day in following if day.isoweekday() <= 5), 10)
    return datetime.combine(last, time(23, 59, 59), zone)


def _unseen(ground: Ground, count: int) -> Iterator[str]:
    """Reviews that are overdue and do not show, or show and are not."""
    rt = Runtime.set_up(stage.settings_for(ground.database()), stage.KEYS)
    chance, span = Random(1), (_LAST - _FIRST).total_seconds()
    times = sorted(_FIRST + timedelta(seconds=chance.uniform(0, span)) for _ in range(count))
    try:
        cast = stage.set_up(rt)
        with rt.writing() as connection:
            for at in times:
                reviews.open_review(connection, doubt(cast.acme), at=at, keys=rt.keys)
        with rt.reading() as connection:
            dues = [due_at(at) for at in times]
            for due in dues:
                for at in (due, due + timedelta(seconds=1)):
                    expected = sum(one < at for one in dues)
                    listed, _ = reviews.page(
                        *(connection, cast.acme),
                        state=ReviewState.OVERDUE, at=at, after=0, limit=count, keys=rt.keys,
                    )  # fmt: skip
                    seen = reviews.overdue_count(connection, at), len(listed)
                    if seen != (expected, expected):
                        yield f"{seen} overdue at {at}, and {expected} are"
    finally:
        rt.close()


def _gone_too_soon(step: int) -> Iterator[str]:
    """Dates from which what must be kept for years would be gone before them."""
    for name, years in _YEARS_KEPT.items():
        days = getattr(Settings(), name)
        for day in range(0, (_LAST - _FIRST).days, step):
            at = _FIRST + timedelta(days=day)
            until = at.replace(year=at.year + years) if (at.month, at.day) != (2, 29) else None
            if days and until and at + timedelta(days=days) < until:
                yield f"{name}: what is of {at.date()} goes before {until.date()}"
