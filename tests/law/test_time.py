"""How long a link works, how soon an opt-out holds, and for how long: docs/compliance-law.md."""

import re
from dataclasses import replace

import pytest
import yaml

from optout_service.app import create_app
from optout_service.core.errors import BadToken
from optout_service.core.token import Claim, Links
from optout_service.evidence import retention
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from tests.deploy import DEPLOY
from tests.law.conftest import LaterOn
from tests.stage import Cast
from tests.store.acts import MAIL, MARKETING, act

# CAN-SPAM, Australia, New Zealand, Singapore: 30 days; Canada: 60; the most that anybody sues by:
# five years; and one beyond every archive.
AFTER = [30, 60, 5 * 366, 36_524]
LONGEST_LAG_SECONDS = 2 * 86_400 / 4
"""Well under the two days of Gmail and Yahoo, the shortest time that anybody names."""


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    """As a mail of today has it."""
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL))}"


@pytest.mark.parametrize("days", AFTER)
def test_a_link_works_for_as_long_as_any_law_asks_and_longer(
    cast: Cast, link: str, later_on: LaterOn, days: int
) -> None:
    then = later_on(days)
    assert create_app(then).test_client().post(link).status_code == 200
    assert then.check(cast.acme, MAIL, MARKETING).suppressed


def test_after_five_years_and_as_many_new_signing_keys_it_still_works(
    rt: Runtime, cast: Cast, link: str, later_on: LaterOn
) -> None:
    newer = tuple(bytes([number]) * 32 for number in range(5))
    then = later_on(5 * 366, replace(rt.keys, signing=(*rt.keys.signing, *newer)))
    with pytest.raises(BadToken):
        Links(replace(rt.keys, signing=newer)).read(link.removeprefix("/u/"))
    assert create_app(then).test_client().post(link).status_code == 200
    assert then.check(cast.acme, MAIL, MARKETING).suppressed


@pytest.mark.parametrize("days", AFTER)
def test_what_was_said_holds_for_ever_also_when_its_words_are_gone(
    rt: Runtime, cast: Cast, later_on: LaterOn, days: int
) -> None:
    with rt.writing() as connection:
        rt.record(connection, act(cast.acme, scope=MARKETING))
    then = later_on(days)
    retention.run(then)
    assert then.check(cast.acme, MAIL, MARKETING).suppressed


def test_evidence_is_kept_for_three_years_unless_it_is_said_otherwise() -> None:
    by_default = Settings()
    three_years = 3 * 365 + 1  # one of any three may have a day more
    assert by_default.keep_words_days >= three_years
    assert by_default.keep_traces_days >= three_years


@pytest.mark.parametrize(("days", "there"), [(1095, True), (1097, False)])
def test_by_default_evidence_goes_after_three_years_and_not_before(
    rt: Runtime, cast: Cast, later_on: LaterOn, days: int, there: bool
) -> None:
    with rt.writing() as connection:
        rt.record(connection, act(cast.acme, scope=MARKETING))
    removed = sum(one.removed for one in retention.run(later_on(days)))
    assert (removed == 0) is there


def test_five_years_for_a_list_of_a_telemarketer_can_be_set() -> None:
    asked = {"OPTOUT_KEEP_WORDS_DAYS": "1827", "OPTOUT_KEEP_TRACES_DAYS": "1827"}
    found = Settings.from_env(asked)
    assert (found.keep_words_days, found.keep_traces_days) == (1827, 1827)


def test_a_sender_that_keeps_its_own_copy_and_lags_is_told_of_long_before_two_days() -> None:
    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"]
    (rule,) = (one for one in group["rules"] if one["alert"] == "OptOutFeedReaderGone")
    (seconds,) = re.findall(r"feed_read_timestamp_seconds\) > (\d+)", rule["expr"])
    minutes = int(rule["for"].removesuffix("m"))
    assert int(seconds) + 60 * minutes < LONGEST_LAG_SECONDS
