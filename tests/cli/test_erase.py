"""``optout erase``, as staff type it."""

import json

import pytest

from tests.cli.test_commands import Run, acme, data, run, told

__all__ = ["acme", "data", "run"]

WHO = ("--tenant", "acme", "--address", "-")
JO = "jo@example.com\n"


@pytest.fixture
def left(run: Run, acme: str) -> None:
    """Jo has left, by letter."""
    run("opt-out", *WHO, "--reference", "letter 7", stdin=JO)


@pytest.mark.usefixtures("left")
def test_a_recipient_is_erased_and_stays_suppressed(run: Run) -> None:
    tried = told(run("erase", *WHO, "--dry-run", "--json", stdin=JO))
    done = told(run("erase", *WHO, "--reason", "letter 8", "--json", stdin=JO))
    assert (tried["dry_run"], done["dry_run"]) == (True, False)
    assert tried["erased"] == done["erased"]
    assert done["erased"] == {"addresses": 1, "events": 1, "reviews": 0, "answers": 0}
    assert run("check", *WHO, stdin=JO).stdout.startswith("suppressed")
    assert told(run("history", *WHO, "--json", stdin=JO))["events"][0]["evidence"] == {}  # type: ignore[index]
    assert told(run("evidence", "verify", "--tenant", "acme", "--json"))["whole"] is True


@pytest.mark.usefixtures("left")
def test_it_says_in_words_what_it_kept_and_why(run: Run) -> None:
    output = run("erase", *WHO, "--reason", "letter 8", stdin=JO).output
    assert "so that nobody writes to them again" in output
    assert "jo@example.com" not in output


@pytest.mark.usefixtures("left")
def test_a_replay_says_what_it_found(run: Run) -> None:
    assert "Nothing was ever erased" in run("erase", "--replay").output
    run("erase", *WHO, "--reason", "letter 8", stdin=JO)
    (found,) = json.loads(run("erase", "--replay", "--json").stdout)
    assert found == {"tenant": "acme", "erasures": 1, "again": 0, "held": 0, "faults": 0}


@pytest.mark.usefixtures("left")
def test_a_replay_of_what_is_not_ours_fails(run: Run, data: object) -> None:
    run("erase", *WHO, "--reason", "letter 8", stdin=JO)
    (file,) = (data / "checkpoints").glob("erased-*.jsonl")  # type: ignore[operator]
    file.write_text(file.read_text().replace("letter 8", "letter 9"))
    run("erase", "--replay", ok=False)
