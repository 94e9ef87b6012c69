"""``optout twilio reconcile``, against a stand-in for Twilio's API."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from optout_service.cli.main import main as group
from tests import stage
from tests.cast import ANA, BO, CANARIES
from tests.cli.test_commands import Run, told
from tests.twilio_api import Standin, message, serving

MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)
SINCE = ("--since", "2026-11-24T08:00:00Z")
LOG = [
    message("SM1", MORNING - timedelta(hours=1)),
    message("SM2", MORNING),
    message("SM3", MORNING + timedelta(hours=1), **{"from": BO.phone, "body": "how much is it?"}),
    message("SM4", MORNING + timedelta(hours=2), **{"from": BO.phone, "body": "UNSUBSCRIBE"}),
]


@pytest.fixture
def account(run: Run, acme: str, tmp_path: Path) -> str:
    """Acme's account, its token as Twilio has it, and a newer one that Twilio does not know yet."""
    for token in (stage.TOKEN, "not-yet-promoted"):
        (tmp_path / "token").write_text(token)
        given = ("--tenant", acme, "--account", stage.ACCOUNT)
        run("account", "add", *given, "--token-file", str(tmp_path / "token"))
    given = ("--tenant", acme, "--account", stage.ACCOUNT, "--address", stage.LONG_CODE)
    run("sender", "create", *given, "--kind", "long_code")
    return stage.ACCOUNT


def suppressed(run: Run, phone: str) -> bool:
    asked = ("check", "--tenant", "acme", "--channel", "sms", "--address", phone, "--json")
    return bool(told(run(*asked))["suppressed"])


def test_what_was_missed_is_recorded_once_and_told_without_a_name(run: Run, account: str) -> None:
    with serving(Standin(LOG)) as api:
        tried = run("twilio", "reconcile", *SINCE, "--api", api.url, "--json", "--dry-run")
        assert not suppressed(run, ANA.phone)
        first = run("twilio", "reconcile", *SINCE, "--api", api.url, "--json")
        second = run("twilio", "reconcile", *SINCE, "--api", api.url, "--json")
        shown = run("twilio", "reconcile", *SINCE, "--api", api.url)
    assert told(tried)["accounts"] == told(first)["accounts"]
    (row,) = accounts(first)
    assert (row["account"], row["tenants"], row["read"]) == (account, ["acme"], 3)
    assert row["missed"] == {"opt_out": 2}
    (silence,) = row["silences"]
    assert silence["first"].startswith("2026-11-24T08:00:00")
    assert silence["last"].startswith("2026-11-24T10:00:00")
    assert suppressed(run, ANA.phone)
    assert suppressed(run, BO.phone)
    (again,) = accounts(second)
    assert (again["known"], again["missed"], again["silences"]) == (2, {}, [])
    for secret in (*CANARIES, stage.TOKEN):
        assert secret not in first.output + shown.output


def accounts(result: Any) -> list[dict[str, Any]]:
    rows: Any = told(result)["accounts"]
    return list(rows)


def test_where_no_token_is_accepted_it_says_so(run: Run, account: str) -> None:
    with serving(Standin(LOG, token="replaced")) as api:
        refused = run("twilio", "reconcile", *SINCE, "--api", api.url, ok=False)
    assert "auth token" in refused.output
    assert not suppressed(run, ANA.phone)


def test_an_account_that_is_not_there_cannot_be_asked(run: Run, account: str) -> None:
    run("tenant", "create", "bolt", "--name", "Bolt")
    for which in (("--account", "AC9"), ("--tenant", "bolt")):
        assert "account add" in run("twilio", "reconcile", *SINCE, *which, ok=False).output


@pytest.mark.parametrize(
    "arguments",
    [(), ("--since", "yesterday"), ("--since", "2026-13-01")],
    ids=["none", "word", "month"],
)
def test_a_time_is_asked_for(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(group, ["twilio", "reconcile", *arguments]).exit_code == 2
