"""What the doctor finds: all well, and each thing that can be ill, with how to mend it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from optout_service.backups import making
from optout_service.core.checkpoint import Checkpoint, as_line, sign
from optout_service.doctor import database, settings
from optout_service.doctor.finding import Finding, Level
from optout_service.evidence import backed_up, checkpoints, erasures, lines
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import migrating
from tests import stage
from tests.evidence.acts import fill
from tests.evidence.test_erasures import back_up, erase, record, restore
from tests.evidence.test_quarantine import put_back
from tests.stage import Cast


def ill(findings: Iterable[Finding]) -> dict[str, str]:
    """What is to be mended, by what was looked at."""
    return {one.subject: one.detail for one in findings if one.level is Level.MEND}


def advised(findings: Iterable[Finding]) -> dict[str, str]:
    return {one.subject: one.detail for one in findings if one.level is Level.ADVICE}


def test_a_sound_service_has_nothing_to_mend(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 3)
    checkpoints.write(rt)
    assert ill(settings.examine(rt.settings)) == {}
    assert ill(database.examine(rt)) == {}
    assert database.schema(rt.settings).level is Level.OK


def test_it_records_nothing_and_makes_no_directory(rt: Runtime, cast: Cast) -> None:
    list(settings.examine(rt.settings))
    list(database.examine(rt))
    assert not rt.settings.effective_checkpoint_dir.exists()


MADE = Settings(public_url=stage.PUBLIC_URL, checkpoint_dir="made-for-the-test")


@pytest.mark.parametrize(
    ("changed", "subject", "how"),
    [
        ({"public_url": "http://127.0.0.1:8000"}, "public URL", "OPTOUT_PUBLIC_URL"),
        ({"metrics_port": 8000}, "metrics", "OPTOUT_METRICS_PORT"),
        ({"checkpoint_dir": "/proc/optout"}, "checkpoint directory", "written to"),
    ],
)
def test_a_setting_that_is_ill_is_named_with_its_variable(
    changed: dict[str, object], subject: str, how: str, tmp_path: Path
) -> None:
    sound = replace(MADE, checkpoint_dir=str(tmp_path))
    assert ill(settings.examine(sound)) == {}
    found = ill(settings.examine(replace(sound, **changed)))  # type: ignore[arg-type]
    assert found.keys() == {subject}
    assert how in found[subject]


@pytest.mark.parametrize(
    ("changed", "subject"),
    [
        ({"host": "0.0.0.0"}, "proxy"),
        ({"metrics_port": 9000, "metrics_host": "0.0.0.0"}, "metrics"),
        ({"metrics_port": 0}, "metrics"),
        ({"checkpoint_seconds": 0}, "checkpoints"),
    ],
)
def test_what_works_and_could_be_better_is_advice(
    changed: dict[str, object], subject: str, tmp_path: Path
) -> None:
    sound = replace(MADE, checkpoint_dir=str(tmp_path), metrics_port=9100)
    assert advised(settings.examine(sound)) == {}
    worse = replace(sound, **changed)  # type: ignore[arg-type]
    assert advised(settings.examine(worse)).keys() == {subject}
    assert ill(settings.examine(worse)) == {}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_checkpoints_on_the_databases_own_disk_are_advised_against(
    rt: Runtime, cast: Cast, tmp_path: Path
) -> None:
    beside = replace(rt.settings, checkpoint_dir=str(tmp_path))
    assert "another volume" in advised(settings.examine(beside))["checkpoint directory"]


def test_without_keys_it_says_how_to_give_them(tmp_path: Path) -> None:
    keys, found = settings.keys(Settings(data_dir=tmp_path))
    assert (keys, found.level) == (None, Level.MEND)
    assert "OPTOUT_PEPPER" in found.detail


def test_an_old_schema_and_an_absent_one_are_to_be_upgraded(empty_database_url: str) -> None:
    here = Settings(database_url=Secret(empty_database_url))
    assert "optout db upgrade" in ill([database.schema(here)])["schema"]
    migrating.upgrade(empty_database_url, "0001")
    assert "0001" in ill([database.schema(here)])["schema"]


def test_a_database_that_does_not_answer_is_told_apart(tmp_path: Path) -> None:
    nobody = Settings(database_url=Secret("postgresql://nobody@127.0.0.1:1/none"))
    assert "OPTOUT_DATABASE_URL" in ill([database.schema(nobody)])["schema"]
    with database.opened(nobody, stage.KEYS) as (rt, found):
        assert (rt, found.level) == (None, Level.MEND)


def test_other_keys_than_the_databases_are_found(rt: Runtime, cast: Cast) -> None:
    others = replace(stage.KEYS, pepper=b"q" * 31 + b"2")
    with database.opened(rt.settings, others) as (opened, found):
        assert opened is None
    assert "Put the original pepper back" in found.detail


def test_a_ledger_behind_its_checkpoint_and_the_quarantine_are_found(
    rt: Runtime, cast: Cast
) -> None:
    fill(rt, cast.acme, 6)
    checkpoints.write(rt)
    put_back(rt, cast.acme, 4)
    assert ill(database.examine(rt)).keys() == {"ledger"}
    rt.quarantine("a test")
    found = ill(database.examine(rt))
    assert found.keys() == {"ledger", "quarantine"}
    assert "optout evidence release" in found["quarantine"]


def test_an_erased_recipient_whom_an_old_copy_brought_back_is_found(
    rt: Runtime, cast: Cast
) -> None:
    record(rt, cast.acme)
    saved = back_up(rt)
    erase(rt, cast.acme)
    assert ill(database.erased(rt)) == {}
    restore(rt, saved)
    assert "optout erase --replay" in ill(database.erased(rt))["erasures"]
    erasures.replay(rt)
    assert ill(database.erased(rt)) == {}


def test_a_line_among_the_erasures_that_is_not_ours_is_found(rt: Runtime, cast: Cast) -> None:
    rt.settings.effective_checkpoint_dir.mkdir()
    lines.append(erasures.path(rt, cast.acme), "nothing of ours")
    assert "not signed by our keys" in ill(database.erased(rt))["erasures"]


@pytest.mark.parametrize("dialect", ["sqlite"])  # of the other, pg_dump would be needed
def test_a_backup_that_was_never_made_or_long_ago_is_advised(
    rt: Runtime, cast: Cast, tmp_path: Path
) -> None:
    assert "None was made" in advised([database.backup(rt)])["backup"]
    aside = replace(rt.settings, cache_dir=str(tmp_path / "cache"))
    making.make(replace(rt, settings=aside), tmp_path / "monday.backup")
    assert database.backup(rt).level is Level.OK
    backed_up.note(rt.settings, rt.now() - timedelta(days=3))
    assert "3 days ago" in advised([database.backup(rt)])["backup"]


@pytest.mark.parametrize("said", ["", "yesterday", "\x00"])
def test_a_note_that_cannot_be_read_is_no_backup(rt: Runtime, cast: Cast, said: str) -> None:
    rt.settings.effective_checkpoint_dir.mkdir()
    (rt.settings.effective_checkpoint_dir / "backed-up").write_text(said)
    assert "None was made" in database.backup(rt).detail


def test_a_clock_behind_the_newest_checkpoint_is_found(rt: Runtime, cast: Cast) -> None:
    later = rt.now() + timedelta(hours=1)
    made = sign(rt.signatures, cast.acme, Checkpoint("o", "acme", 0, "0" * 64, later))
    rt.settings.effective_checkpoint_dir.mkdir()
    lines.append(checkpoints.path(rt, cast.acme), as_line(made))
    assert "NTP" in ill(database.clock(rt))["clock"]


class Behind(Runtime):
    """A process whose clock is an hour behind."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=1)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_clock_apart_from_the_databases_is_found(rt: Runtime, cast: Cast) -> None:
    slow = Behind.build(rt.settings, rt.keys)
    try:
        assert "from the database's" in ill(database.clock(slow))["clock"]
    finally:
        slow.close()


def test_it_says_where_a_providers_hook_has_to_point(rt: Runtime, cast: Cast) -> None:
    found = advised(database.hooks(rt))
    assert found.keys() == {"twilio"}
    assert f"{stage.PUBLIC_URL}/hooks/twilio/messages" in found["twilio"]
    assert stage.TOKEN not in found["twilio"]
