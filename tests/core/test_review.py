"""By when a person must have decided, and how wide their decision is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.review import due_at, opt_out_scope
from optout_service.core.scope import Kind, Scope


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-23", "2026-12-07"),  # a Monday: the Monday after next
        ("2026-11-24", "2026-12-08"),
        ("2026-11-27", "2026-12-11"),  # a Friday
        ("2026-11-28", "2026-12-11"),  # a Saturday: the first day is Monday
        ("2026-11-29", "2026-12-11"),
        ("2026-12-24", "2027-01-07"),  # no day is taken for a holiday
    ],
)
@pytest.mark.parametrize("hour", ["00:00:00", "12:00:00", "23:59:59"])
def test_a_review_is_due_when_the_tenth_business_day_ends(
    received: str, due: str, hour: str
) -> None:
    at = datetime.fromisoformat(f"{received}T{hour}+00:00")
    assert due_at(at).isoformat() == f"{due}T23:59:59+00:00"


def test_days_are_those_of_utc() -> None:
    evening_in_new_york = datetime(2026, 11, 23, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert due_at(evening_in_new_york) == datetime(2026, 12, 8, 23, 59, 59, tzinfo=UTC)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_ten_business_days_are_at_most_two_weeks_and_never_end_on_a_weekend(at: datetime) -> None:
    due = due_at(at)
    assert timedelta(days=11) < due - at < timedelta(days=15)
    assert due.weekday() < 5


@given(
    st.lists(
        st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        min_size=2,
        max_size=2,
    )
)
def test_what_came_first_is_never_due_later(times: list[datetime]) -> None:
    first, second = sorted(times)
    assert due_at(first) <= due_at(second)


def test_an_opt_out_in_words_is_as_wide_as_words_can_be() -> None:
    assert opt_out_scope(Kind.PHONE, "*") == Scope("*", "*", "*")
    assert opt_out_scope(Kind.PHONE, "offers") == Scope("*", "offers", "*")
    assert opt_out_scope(Kind.EMAIL, "*") == Scope("*", "*", "marketing"), "receipts go on"
