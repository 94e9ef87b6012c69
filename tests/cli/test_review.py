"""``optout review``, as an operator types it."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from optout_service.cli import main
from optout_service.core.scope import Scope
from optout_service.runtime import Runtime
from optout_service.store import reviews
from tests import stage
from tests.cast import ANA
from tests.stage import Cast
from tests.store.acts import PHONE, SAID, act, doubt

Run = Callable[..., Result]
SMS = Scope("sms", "*", "marketing")
WHY = ("--reason", "She wants fewer peppers.")


@pytest.fixture
def run(database_url: str, cast: Cast) -> Run:
    """Run a command for Acme; ``ok=False``: it is to be refused."""
    keys = {
        "OPTOUT_DATABASE_URL": database_url,
        "OPTOUT_PEPPER": stage.KEYS.pepper.hex(),
        "OPTOUT_ENCRYPTION_KEYS": stage.KEYS.encryption[0].hex(),
        "OPTOUT_SIGNING_KEYS": stage.KEYS.signing[0].hex(),
    }

    def invoke(
        command: str, *rest: str, tenant: str = "acme", ok: bool = True, stdin: str | None = None
    ) -> Result:
        arguments = ["review", command, "--tenant", tenant, *rest]
        result = CliRunner().invoke(main, arguments, env=keys, input=stdin)
        assert result.exit_code == (0 if ok else 1), result.output
        return result

    return invoke


@pytest.fixture
def held(rt: Runtime, cast: Cast) -> None:
    """A doubtful text that holds marketing."""
    with rt.writing() as connection:
        hold = act(cast.acme, address=PHONE, scope=Scope("*", "*", "marketing"))
        event = rt.record(connection, hold).event
        given = doubt(cast.acme, hold_event=event)
        reviews.open_review(connection, given, at=rt.now(), keys=rt.keys)


def test_an_empty_queue_says_so(run: Run) -> None:
    assert run("list").output == "None.\n"
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.usefixtures("held")
def test_the_list_is_masked_and_one_review_is_told_whole(run: Run) -> None:
    (line,) = json.loads(run("list", "--json").stdout)
    assert (line["review"], line["address"]) == (1, PHONE.masked)
    assert ANA.phone not in run("list").output
    told = json.loads(run("show", "1", "--json").stdout)
    assert (told["address"], told["said"]) == (ANA.phone, SAID)
    assert "pizza" in run("show", "1").output


@pytest.mark.usefixtures("held")
def test_a_decision_is_recorded_with_its_reason(rt: Runtime, cast: Cast, run: Run) -> None:
    decided = json.loads(run("decide", "1", "not_opt_out", *WHY, "--json").stdout)
    assert (decided["decision"], decided["event"], decided["changed"]) == ("not_opt_out", 2, True)
    assert decided["decided_by"] == "operator:cli"
    assert not rt.check(cast.acme, PHONE, SMS).suppressed
    assert json.loads(run("list", "--json").stdout) == []
    assert len(json.loads(run("list", "--state", "decided", "--json").stdout)) == 1
    assert "She wants fewer peppers." in run("show", "1").output


@pytest.mark.usefixtures("held")
def test_a_decision_is_not_turned_round(run: Run) -> None:
    run("decide", "1", "opt_out", *WHY)
    assert "decided as opt_out" in run("decide", "1", "not_opt_out", *WHY, ok=False).output


@pytest.mark.usefixtures("held")
def test_anothers_review_is_not_there(run: Run) -> None:
    refused = run("show", "1", tenant="bolt", ok=False)
    assert "no such review" in refused.output
    assert "no such review" in run("decide", "9", "opt_out", *WHY, ok=False).output


def test_of_nobody_the_address_is_given_with_the_decision(
    rt: Runtime, cast: Cast, run: Run
) -> None:
    with rt.writing() as connection:
        given = doubt(cast.acme, address=None)
        reviews.open_review(connection, given, at=rt.now(), keys=rt.keys)
    assert "names no address" in run("decide", "1", "opt_out", *WHY, ok=False).output
    run("decide", "1", "opt_out", *WHY, "--address", "-", stdin=f"{ANA.phone}\n")
    assert rt.check(cast.acme, PHONE, SMS).suppressed


@pytest.mark.usefixtures("held")
def test_a_long_queue_is_read_on(rt: Runtime, cast: Cast, run: Run) -> None:
    with rt.writing() as connection:
        reviews.open_review(connection, doubt(cast.acme), at=rt.now(), keys=rt.keys)
    first = run("list", "--limit", "1", "--json")
    assert [line["review"] for line in json.loads(first.stdout)] == [1]
    assert "--after 1" in first.stderr
    rest = run("list", "--after", "1", "--json")
    assert [line["review"] for line in json.loads(rest.stdout)] == [2]


def test_without_a_reason_nothing_is_decided() -> None:
    for reason in ((), ("--reason", " ")):
        arguments = ["review", "decide", "--tenant", "acme", "1", "opt_out", *reason]
        assert CliRunner().invoke(main, arguments).exit_code == 2
