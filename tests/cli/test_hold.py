"""``optout hold`` and ``optout retention``, as staff type them."""

import json

import pytest

from tests.cli.test_commands import Run, acme, data, run, told
from tests.cli.test_erase import JO, WHO, left

__all__ = ["acme", "data", "left", "run"]


@pytest.mark.usefixtures("left")
def test_while_a_hold_stands_nothing_is_erased(run: Run) -> None:
    assert told(run("hold", "add", *WHO, "--reason", "case 7", "--json", stdin=JO))["hold"] == 1
    for further in (["--reason", "letter 8"], ["--dry-run"]):
        assert "optout hold end" in run("erase", *WHO, *further, ok=False, stdin=JO).output
    run("hold", "end", *WHO, stdin=JO)
    done = told(run("erase", *WHO, "--reason", "letter 8", "--json", stdin=JO))
    assert done["erased"]["events"] == 1  # type: ignore[index]


@pytest.mark.usefixtures("left")
def test_the_list_says_who_placed_and_ended_it(run: Run) -> None:
    assert "There are no holds" in run("hold", "list", "--tenant", "acme").output
    run("hold", "add", *WHO, "--reason", "case 7", stdin=JO)
    run("hold", "end", *WHO, stdin=JO)
    run("hold", "add", *WHO, "--reason", "case 8", stdin=JO)
    listed = json.loads(run("hold", "list", "--tenant", "acme", "--json").stdout)
    shown = [(one["hold"], one["reason"], one["placed_by"], one["ended_by"]) for one in listed]
    assert shown == [
        (1, "case 7", "operator:cli", "operator:cli"),
        (2, "case 8", "operator:cli", None),
    ]
    assert {one["address"] for one in listed} == {"•••@e•••.com"}


@pytest.mark.usefixtures("left")
def test_a_hold_that_stands_is_not_placed_twice_nor_ended_twice(run: Run) -> None:
    assert "No hold stands" in run("hold", "end", *WHO, ok=False, stdin=JO).output
    run("hold", "add", *WHO, "--reason", "case 7", stdin=JO)
    assert "number 1" in run("hold", "add", *WHO, "--reason", "x", ok=False, stdin=JO).output


@pytest.mark.usefixtures("left")
def test_a_reason_that_names_the_address_is_refused(run: Run) -> None:
    refused = run("hold", "add", *WHO, "--reason", "it is jo@example.com", ok=False, stdin=JO)
    assert "jo@example.com" not in refused.output


@pytest.mark.usefixtures("left")
def test_retention_says_what_is_too_old(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing has been kept for too long" in run("retention", "run").output
    monkeypatch.setenv("OPTOUT_KEEP_VISITS_DAYS", "0")
    done = json.loads(run("retention", "run", "--dry-run", "--json").stdout)
    assert {one["what"] for one in done} == {"words", "traces", "reviews", "answers"}
    assert {one["tenant"] for one in done} == {"platform", "acme"}
