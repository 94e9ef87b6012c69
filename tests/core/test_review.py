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
        ("2026-11-24T12:00:00", "2026-12-08T12:00:00"),  # a Tuesday, everywhere but in the far east
        ("2026-11-27T09:00:00", "2026-12-11T09:00:00"),  # a Friday, everywhere
        ("2026-11-28T00:00:00", "2026-12-11T09:59:59"),  # a Saturday in the east: its Friday ends
        ("2026-11-29T12:00:00", "2026-12-11T12:00:00"),  # a Sunday: the first day is Monday
        ("2026-11-30T03:00:00", "2026-12-12T03:00:00"),  # in New York it is still Sunday
        ("2026-12-24T12:00:00", "2027-01-07T12:00:00"),  # no day is taken for a holiday
    ],
)
def test_a_review_is_due_when_the_tenth_business_day_first_ends_on_earth(
    received: str, due: str
) -> None:
    assert due_at(datetime.fromisoformat(f"{received}+00:00")).isoformat() == f"{due}+00:00"


def test_it_does_not_matter_in_which_zone_the_time_of_receipt_is_written() -> None:
    evening_in_new_york = datetime(2026, 11, 23, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert due_at(evening_in_new_york) == due_at(datetime(2026, 11, 24, 3, tzinfo=UTC))


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_ten_business_days_are_at_most_two_weeks_and_at_least_eleven_days(at: datetime) -> None:
    assert timedelta(days=11) < due_at(at) - at <= timedelta(days=14)


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
