"""No spelling of arrivals gets more through than the quota, and patience is always rewarded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.rate import NEVER, SECOND, Policy

QUOTAS = st.integers(1, 50)
SECONDS = st.integers(1, 60)
SHARES = st.integers(1, 16)
GAPS = st.lists(st.integers(0, 2 * SECOND), max_size=200)


def let_through(policy: Policy, gaps: list[int]) -> list[int]:
    """When requests got through that came with these gaps between them."""
    due, now, through = NEVER, SECOND, []
    for gap in gaps:
        now += gap
        after = policy.take(due, now)
        if after is not None:
            due = after
            through.append(now)
    return through


@given(QUOTAS, SECONDS, SHARES, GAPS)
def test_no_window_sees_more_than_a_burst_and_what_came_due_in_it(
    quota: int, seconds: int, among: int, gaps: list[int]
) -> None:
    policy = Policy.shared(quota, seconds, among)
    through = let_through(policy, gaps)
    for first, start in enumerate(through):
        for later, end in enumerate(through[first:]):
            assert later + 1 <= policy.burst + (end - start) // policy.interval


@given(QUOTAS, SECONDS, SHARES)
def test_all_shares_together_are_never_faster_than_the_quota(
    quota: int, seconds: int, among: int
) -> None:
    policy = Policy.shared(quota, seconds, among)
    # Each lets one through in an interval: together no more than the quota in so many seconds.
    assert among * seconds * SECOND <= quota * policy.interval
    assert policy.burst * among <= max(quota, among)


@given(QUOTAS, SECONDS, SHARES, GAPS, st.integers(0, SECOND))
def test_whoever_waits_as_long_as_told_gets_through(
    quota: int, seconds: int, among: int, gaps: list[int], gap: int
) -> None:
    policy = Policy.shared(quota, seconds, among)
    due, now = NEVER, SECOND
    for step in [*gaps, gap]:
        now += step
        after = policy.take(due, now)
        due = due if after is None else after
    told = policy.wait(due, now)
    assert policy.take(due, now + told) is not None
    if told:
        assert policy.take(due, now + told - 1) is None


@given(QUOTAS, SECONDS, SHARES)
def test_what_is_said_to_be_left_is_left(quota: int, seconds: int, among: int) -> None:
    policy = Policy.shared(quota, seconds, among)
    due, now = NEVER, SECOND
    for _ in range(policy.left(due, now)):
        after = policy.take(due, now)
        assert after is not None
        due = after
    assert policy.left(due, now) == 0
    assert policy.take(due, now) is None


@pytest.mark.parametrize(
    ("quota", "among", "burst", "interval"),
    [(100, 1, 100, SECOND // 100), (100, 4, 25, SECOND // 25), (1, 4, 1, 4 * SECOND)],
)
def test_a_quota_is_shared_out(quota: int, among: int, burst: int, interval: int) -> None:
    assert Policy.shared(quota, 1, among) == Policy(burst, interval)
