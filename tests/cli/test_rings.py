"""``optout keys``: the rings of the service, as an operator types it."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import Run, acme, data, run, told

__all__ = ["acme", "data", "run"]

WHO = ("--tenant", "acme", "--address", "jo@example.com")


def listed(run: Run) -> list[tuple[str, bool, str]]:
    return [
        (one["ring"], one["newest"], one["use"])
        for one in json.loads(run("keys", "list", "--json").stdout)
    ]


@pytest.mark.usefixtures("acme")
def test_the_pepper_is_added_and_rotated_and_all_is_found(run: Run) -> None:
    run("opt-out", *WHO, "--reference", "letter 7")
    run("keys", "add", "pepper")
    assert [use for ring, _, use in listed(run) if ring == "pepper"] == [
        "digests are under it",
        "next: optout keys rotate pepper",
    ]
    assert "Go on?" in run("keys", "rotate", "pepper", ok=False, stdin="n\n").output
    done = told(run("keys", "rotate", "pepper", "--yes", "--json"))
    assert (done["done"], done["recipients"]) == (True, 1)
    assert [use for ring, _, use in listed(run) if ring == "pepper"] == [
        "needed for ever",
        "digests are under it",
    ]
    assert "suppressed" in run("check", *WHO).output
    again = run("keys", "rotate", "pepper")
    assert "Nothing to do" in again.output


@pytest.mark.usefixtures("acme")
def test_an_encryption_key_is_added_rotated_and_retired(run: Run, data: Path) -> None:
    run("opt-out", *WHO, "--reference", "letter 7")
    run("keys", "add", "encryption")
    old, new = (
        one["fingerprint"]
        for one in json.loads(run("keys", "list", "--json").stdout)
        if one["ring"] == "encryption"
    )
    assert "rotate encryption" in run("keys", "retire", "encryption", old, ok=False).output
    assert told(run("keys", "rotate", "encryption", "--json"))["newest"] == new
    assert "restart every process" in run("keys", "retire", "encryption", old).output
    ring = data / "keys" / "encryption"
    ring.write_text(ring.read_text().split()[1] + "\n")
    assert [newest for name, newest, _ in listed(run) if name == "encryption"] == [True]
    assert "letter 7" in run("history", *WHO).output


@pytest.mark.usefixtures("acme")
def test_a_ring_that_is_set_is_not_added_to_in_a_file(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = data / "keys" / "pepper"
    monkeypatch.setenv("OPTOUT_PEPPER_FILE", str(file))
    before = file.read_bytes()
    assert "at the end of OPTOUT_PEPPER" in run("keys", "add", "pepper", ok=False).output
    assert file.read_bytes() == before
