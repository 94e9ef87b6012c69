"""``optout evidence`` and ``optout clearance``, as staff type them; and their page."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update

from optout_service import keyfiles
from optout_service.cli.main import main as group
from optout_service.core.address import Address
from optout_service.core.clearance import Clearance
from optout_service.core.scope import Kind, Scope
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import chain
from optout_service.store.tables import event, tenant
from tests.cli.test_commands import Run, acme, data, run, told
from tests.evidence.acts import disarm

__all__ = ["acme", "data", "run"]

WHO = ("--tenant", "acme", "--address", "jo@example.com")
PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"


@pytest.fixture
def left(run: Run, acme: str) -> None:
    """Somebody who left, and somebody else who did."""
    run("opt-out", *WHO, "--reference", "letter 7")
    run("opt-out", "--tenant", acme, "--address", "bo@example.com")


@pytest.fixture
def store(data: Path, empty_database_url: str) -> Iterator[Runtime]:
    """The store behind the commands."""
    settings = Settings(data_dir=data, database_url=Secret(empty_database_url))
    rt = Runtime.build(settings, keyfiles.load(settings))
    yield rt
    rt.close()


def test_a_checkpoint_is_written_once_and_met(run: Run, left: None) -> None:
    before = told(run("evidence", "verify", "--tenant", "acme", "--json"))
    assert (before["checkpoints"], before["proven_up_to"]) == (0, 0)
    written = json.loads(run("evidence", "checkpoint", "--json").stdout)
    assert [(one["tenant"], one["seq"]) for one in written] == [("acme", 2)]
    assert "Nothing has been recorded" in run("evidence", "checkpoint").output
    after = told(run("evidence", "verify", "--tenant", "acme", "--json"))
    assert (after["whole"], after["checkpoints"], after["proven_up_to"]) == (True, 1, 2)


def test_a_ledger_that_was_cut_is_found_by_a_copy_of_the_checkpoints(
    run: Run, left: None, store: Runtime, data: Path, tmp_path: Path
) -> None:
    run("evidence", "checkpoint")
    copy = tmp_path / "elsewhere.jsonl"
    (data / "checkpoints" / "1.jsonl").rename(copy)
    disarm(store)
    with store.writing() as connection:
        head = chain.hash_at(connection, 1, 1)
        connection.execute(delete(event).where(event.c.number == 2))
        connection.execute(update(tenant).where(tenant.c.id == 1).values(seq=1, head=head))
    assert told(run("evidence", "verify", "--tenant", "acme", "--json"))["whole"] is True
    against = ("--tenant", "acme", "--checkpoints", str(copy))
    found = told(run("evidence", "verify", *against, "--json", ok=False))
    assert (found["broken_at"], "gone" in str(found["fault"])) == (2, True)
    copy.rename(data / "checkpoints" / "1.jsonl")
    assert "is not the one that had 2 events" in run("evidence", "checkpoint", ok=False).output


def test_a_file_of_checkpoints_that_is_not_there_is_refused(run: Run, left: None) -> None:
    missing = ("--checkpoints", "/nowhere/1.jsonl")
    refused = run("evidence", "verify", "--tenant", "acme", *missing, ok=False)
    assert "there is no file" in refused.output


def test_a_checkpoint_that_is_not_ours_is_a_fault(run: Run, left: None, data: Path) -> None:
    run("evidence", "checkpoint")
    file = data / "checkpoints" / "1.jsonl"
    file.write_text(file.read_text().replace('"seq": 2', '"seq": 1'))
    found = told(run("evidence", "verify", "--tenant", "acme", "--json", ok=False))
    assert "Line 1" in str(found["fault"])


def bundle_of(run: Run, out: Path, *more: str) -> dict[str, Any]:
    run("evidence", "bundle", *WHO, "--out", str(out), *more)
    document: dict[str, Any] = json.loads((out / "evidence.json").read_text(encoding="utf-8"))
    return document


def test_a_bundle_is_two_files_for_their_owner_alone(run: Run, left: None, tmp_path: Path) -> None:
    document = bundle_of(run, tmp_path / "jo")
    assert [event["evidence"] for event in document["events"]] == [{"reference": "letter 7"}]
    assert "letter 7" in (tmp_path / "jo" / "evidence.html").read_text(encoding="utf-8")
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "jo").iterdir()}
    assert modes == {0}


@pytest.mark.parametrize("name", ["jo.json", "jo.html"])
def test_a_bundle_can_be_one_file(run: Run, left: None, tmp_path: Path, name: str) -> None:
    run("evidence", "bundle", *WHO, "--out", str(tmp_path / name))
    assert "letter 7" in (tmp_path / name).read_text(encoding="utf-8")
    refused = run("evidence", "bundle", *WHO, "--out", str(tmp_path / "jo.pdf"), ok=False)
    assert ".json or .html" in refused.output


def test_a_masked_bundle_names_nobody(run: Run, left: None, tmp_path: Path) -> None:
    bundle_of(run, tmp_path / "jo", "--masked")
    for path in (tmp_path / "jo").iterdir():
        assert "jo@example.com" not in path.read_text(encoding="utf-8")
        assert "letter 7" not in path.read_text(encoding="utf-8")


def test_a_bundle_is_verified_offline(run: Run, left: None, tmp_path: Path) -> None:
    document = bundle_of(run, tmp_path / "jo")
    file = tmp_path / "jo" / "evidence.json"
    ours = told(run("evidence", "verify", "--bundle", str(file), "--json"))
    assert (ours["whole"], ours["key_is_trusted"]) == (True, True)
    elsewhere = ["evidence", "verify", "--bundle", str(file), "--data-dir", str(tmp_path / "none")]
    stranger = CliRunner().invoke(group, [*elsewhere, "--json"])
    assert (stranger.exit_code, told(stranger)["key_is_trusted"]) == (0, False)
    named = CliRunner().invoke(group, [*elsewhere, "--public-key", document["key"].upper()])
    assert named.exit_code == 0
    assert CliRunner().invoke(group, [*elsewhere, "--public-key", "ab" * 32]).exit_code == 1
    file.write_text(file.read_text(encoding="utf-8").replace("letter 7", "letter 8"))
    found = told(run("evidence", "verify", "--bundle", str(file), "--json", ok=False))
    assert "signature" in str(found["fault"])
    assert "its evidence is not the one that was recorded" in str(found["fault"])


def test_what_is_no_bundle_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for content in ("", "[]", "{", "[" * 100_000):
        file.write_text(content)
        assert (
            "no JSON document" in run("evidence", "verify", "--bundle", str(file), ok=False).output
        )
    file.write_text("{}")
    assert told(run("evidence", "verify", "--bundle", str(file), "--json", ok=False))["fault"]


def test_verify_wants_one_thing_to_verify() -> None:
    for given in ([], ["--tenant", "acme", "--bundle", "x.json"]):
        assert CliRunner().invoke(group, ["evidence", "verify", *given]).exit_code == 2


def test_a_bundle_is_verified_by_hand_as_the_page_says(
    run: Run, left: None, tmp_path: Path
) -> None:
    bundle_of(run, tmp_path / "jo")
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    by_hand = [sys.executable, "-c", snippet]
    done = subprocess.run(by_hand, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "whole: 1 events\n"
    file = tmp_path / "jo" / "evidence.json"
    file.write_text(file.read_text(encoding="utf-8").replace("letter 7", "letter 8"))
    assert subprocess.run(by_hand, cwd=tmp_path, capture_output=True, check=False).returncode


def test_a_clearance_is_verified(run: Run, acme: str, store: Runtime) -> None:
    digest = store.keys.digest(Address.parse(Kind.EMAIL, "jo@example.com"))
    at = store.now()
    given = Clearance(1, digest, Scope.parse("email"), 0, at, at + timedelta(hours=1))
    text = store.clearances.mint(given)
    shown = told(run("clearance", "verify", *WHO, text, "--json"))
    assert (shown["valid"], shown["matches_address"], shown["suppressed_now"]) == (
        True,
        True,
        False,
    )
    piped = run("clearance", "verify", "--tenant", acme, stdin=f"{text}\n")
    assert "matches_address  -" in piped.output
    other = ("--tenant", acme, "--address", "bo@example.com")
    assert told(run("clearance", "verify", *other, text, "--json", ok=False))["valid"] is False
    assert "damaged" in run("clearance", "verify", "--tenant", acme, f"{text}x", ok=False).output


def test_a_database_that_was_put_back_is_told_of_and_released_with_a_reason(
    run: Run, left: None, store: Runtime
) -> None:
    assert told(run("evidence", "quarantine", "--json")) == {
        "quarantine": False,
        "ledgers_behind": 0,
    }
    run("evidence", "checkpoint")
    disarm(store)
    with store.writing() as connection:
        head = chain.hash_at(connection, 1, 1)
        connection.execute(delete(event).where(event.c.tenant == 1, event.c.number > 1))
        connection.execute(update(tenant).where(tenant.c.id == 1).values(seq=1, head=head))
    store.quarantine("a test")
    assert "optout evidence quarantine" in run("check", *WHO, "--channel", "email", ok=False).output
    shown = run("evidence", "quarantine", ok=False).output
    assert re.search(r"acme +1 +2 ", shown), shown
    released = run("evidence", "release", "--reason", "the disk of the 24th", "--json")
    assert json.loads(released.stdout) == [{"tenant": "acme", "goes_on_from": 1, "stood_at": 2}]
    verified = told(run("evidence", "verify", "--tenant", "acme", "--json"))
    assert (verified["whole"], verified["releases"], verified["proven_up_to"]) == (True, 1, 1)
    assert not told(run("evidence", "quarantine", "--json"))["quarantine"]
