"""``optout stats``, as an operator types it."""

import json
from datetime import UTC, date, datetime

from click.testing import CliRunner

from optout_service.cli import main
from optout_service.runtime import Runtime
from optout_service.store import ledger, visits
from optout_service.store.visits import Visited
from tests import stage
from tests.cast import ANA
from tests.stage import Cast
from tests.store.acts import act

DAYS = ("--from", "2026-03-01", "--to", "2026-03-31")


def run(database_url: str, *arguments: str) -> str:
    keys = {
        "OPTOUT_DATABASE_URL": database_url,
        "OPTOUT_PEPPER": stage.KEYS.pepper.hex(),
        "OPTOUT_ENCRYPTION_KEYS": stage.KEYS.encryption[0].hex(),
        "OPTOUT_SIGNING_KEYS": stage.KEYS.signing[0].hex(),
    }
    result = CliRunner().invoke(main, ["stats", "--tenant", "acme", *arguments], env=keys)
    assert result.exit_code == 0, result.output
    return result.output


def test_events_and_opened_links_are_told_apart_and_name_nobody(
    rt: Runtime, cast: Cast, database_url: str
) -> None:
    with rt.writing() as connection:
        at = datetime(2026, 3, 5, tzinfo=UTC)
        ledger.record(connection, act(cast.acme), at=at, keys=rt.keys, lift_cap=9)
        visits.add(connection, {Visited(cast.acme, date(2026, 3, 4), "c42", "GET"): 489})
    told = json.loads(run(database_url, *DAYS, "--json"))
    assert [(row["day"], row["events"]) for row in told["counts"]] == [("2026-03-05", 1)]
    assert told["visits"] == [{"day": "2026-03-04", "message": "c42", "method": "GET", "hits": 489}]
    table = run(database_url, *DAYS)
    assert "489" in table
    assert ANA.email not in table


def test_where_there_is_nothing_it_says_so(cast: Cast, database_url: str) -> None:
    assert run(database_url) == "Nothing was received.\n\nNo link was opened.\n"
