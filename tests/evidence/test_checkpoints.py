"""Checkpoints: one for each ledger that has grown, kept where the database is not."""

import json
import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from optout_service.core.checkpoint import Checkpoint, as_line, from_line, is_good, sign
from optout_service.core.errors import Conflict
from optout_service.core.keyring import KeyRing
from optout_service.core.signing import Signatures
from optout_service.evidence import checkpoints, lines
from optout_service.evidence.keeping import Keeper
from optout_service.runtime import Runtime
from optout_service.store import chain
from tests import stage
from tests.evidence.acts import disarm, fill
from tests.evidence.deeds import cut, rewrite
from tests.stage import Cast

# Kept for years where nobody can change it: written once, and never made again from the code.
GOLDEN = (
    '{"origin": "https://optout.example.com", "tenant": "acme", "seq": 17, "head": "%s", '
    '"at": "2026-01-31T12:00:00.123456Z", '
    '"key": "2467b8963580fc010f061aeb187202ae2fbb941ed058967febbb2b73389ecb1d", '
    '"signature": "z6FTgjdDFRwCQ7AxTqDthUylbZywnd7zrFL33sTkQc0iDccvfTtmkimsJDcS'
    'fE-3M-pU6ZqTf9Sk-ZSbXRDPCg"}'
) % ("ab" * 32)


def test_a_checkpoints_line_never_changes() -> None:
    read = from_line(GOLDEN)
    assert is_good(read, ["2467b8963580fc010f061aeb187202ae2fbb941ed058967febbb2b73389ecb1d"])
    assert as_line(read) == GOLDEN
    for change in (
        {"seq": 16},
        {"head": "ac" * 32},
        {"tenant": "bolt"},
        {"origin": "https://else.example.com"},
        {"at": read.at.replace(microsecond=0)},
    ):
        assert not is_good(replace_(read, **change), None), change


def replace_(one: Checkpoint, **change: object) -> Checkpoint:
    return from_line(json.dumps(json.loads(as_line(one)) | change, default=str))


def test_a_checkpoint_says_where_the_ledger_stands(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 3)
    (made,) = checkpoints.write(rt).written
    with rt.reading() as connection:
        stands = chain.position(connection, cast.acme)
    assert (made.tenant, made.seq, made.head) == ("acme", 3, stands.head.hex())
    assert made.origin == stage.PUBLIC_URL
    assert checkpoints.newest(rt, cast.acme) == made


def test_only_a_ledger_that_has_grown_gets_one(rt: Runtime, cast: Cast) -> None:
    assert checkpoints.write(rt).written == ()
    fill(rt, cast.acme, 1)
    fill(rt, 0, 1)
    assert [one.tenant for one in checkpoints.write(rt).written] == ["platform", "acme"]
    assert checkpoints.write(rt).written == ()
    fill(rt, cast.bolt, 1)
    assert [one.tenant for one in checkpoints.write(rt).written] == ["bolt"]


@pytest.mark.parametrize("deed", [cut, rewrite], ids=lambda d: d.__name__)
def test_a_ledger_that_was_put_back_or_written_anew_is_known_and_gets_no_new_one(
    rt: Runtime, cast: Cast, deed: object
) -> None:
    fill(rt, cast.acme, 24)
    fill(rt, cast.bolt, 1)
    checkpoints.write(rt)
    assert checkpoints.behind(rt) == []
    disarm(rt)
    with rt.writing() as connection:
        deed(connection, cast.acme, 24, random.Random(3))  # type: ignore[operator]
    fill(rt, cast.bolt, 1)
    assert [one.tenant for one in checkpoints.behind(rt)] == ["acme"]
    done = checkpoints.write(rt)
    assert [one.tenant for one in done.written] == ["bolt"]
    assert [one.tenant for one in done.behind] == ["acme"]
    newest = checkpoints.newest(rt, cast.acme)
    assert newest is not None
    assert newest.seq == 24


def test_lines_that_are_none_of_ours_are_told_and_not_believed(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 2)
    checkpoints.write(rt)
    file = checkpoints.path(rt, cast.acme)
    good = file.read_text().strip()
    stranger = Signatures(KeyRing(b"x" * 32, (b"y" * 32,), (bytes(range(32)),)))
    forged = stranger.sign_document(
        cast.acme,
        "optout checkpoint 1",
        {n: json.loads(good)[n] for n in ("origin", "tenant", "seq", "head", "at")},
    )
    for line in ("nonsense", good.replace('"seq": 2', '"seq": 1'), json.dumps(forged)):
        lines.append(file, line)
    kept = checkpoints.read(rt, cast.acme)
    assert [one.seq for one in kept.checkpoints] == [2]
    assert [fault.partition(" of")[0] for fault in kept.faults] == ["Line 2", "Line 3", "Line 4"]
    assert checkpoints.newest(rt, cast.acme) == kept.checkpoints[0]


def test_two_that_contradict_each_other_are_a_fault(rt: Runtime, cast: Cast) -> None:
    """Each is genuine: there were two ledgers."""
    fill(rt, cast.acme, 2)
    (made,) = checkpoints.write(rt).written
    other = Checkpoint(made.origin, "acme", made.seq, "ab" * 32, made.at)
    lines.append(checkpoints.path(rt, cast.acme), as_line(sign(rt.signatures, cast.acme, other)))
    kept = checkpoints.read(rt, cast.acme)
    assert kept.checkpoints == (made,)
    assert kept.faults == ("Line 2 of the checkpoints contradicts an earlier one.",)


def test_another_tenants_checkpoint_is_none(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 2)
    checkpoints.write(rt)
    checkpoints.path(rt, cast.acme).rename(checkpoints.path(rt, cast.bolt))
    assert checkpoints.newest(rt, cast.bolt) is None


def test_a_checkpoint_of_before_a_rotation_is_still_ours(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 2)
    checkpoints.write(rt)
    ring = KeyRing(rt.keys.pepper, rt.keys.encryption, (*rt.keys.signing, b"n" * 31 + b"2"))
    rotated = replace(rt, keys=ring, signatures=Signatures(ring))
    fill(rt, cast.acme, 1)
    checkpoints.write(rotated)
    kept = checkpoints.read(rotated, cast.acme)
    assert (len(kept.checkpoints), kept.faults) == (2, ())
    assert kept.checkpoints[0].key != kept.checkpoints[1].key


def test_two_processes_do_not_write_at_once(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 1)
    directory = rt.settings.effective_checkpoint_dir
    with lines.alone(directory / "lock"), pytest.raises(Conflict):
        checkpoints.write(rt, wait=False)
    assert len(checkpoints.write(rt, wait=False).written) == 1


class TestByThemselves:
    """The thread that keeps them."""

    def test_a_round_writes_what_has_grown(self, rt: Runtime, cast: Cast) -> None:
        fill(rt, cast.acme, 2)
        Keeper(rt).round()
        assert checkpoints.newest(rt, cast.acme) is not None

    def test_what_cannot_be_written_is_logged_and_counted_and_breaks_nothing(
        self, rt: Runtime, cast: Cast, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("no directory")
        broken = replace(
            rt, settings=replace(rt.settings, checkpoint_dir=str(tmp_path / "file" / "x"))
        )
        fill(rt, cast.acme, 1)
        keeper = Keeper(broken)
        keeper.round()
        keeper.round()
        assert keeper.failures == 2
        assert "no checkpoint could be written" in caplog.text
        fill(rt, cast.acme, 1)

    def test_a_ledger_that_was_put_back_is_reported(
        self, rt: Runtime, cast: Cast, caplog: pytest.LogCaptureFixture
    ) -> None:
        fill(rt, cast.acme, 24)
        keeper = Keeper(rt)
        keeper.round()
        disarm(rt)
        with rt.writing() as connection:
            cut(connection, cast.acme, 24, random.Random(1))
        keeper.round()
        assert keeper.failures == 1
        assert "acme" in [getattr(record, "tenants", "") for record in caplog.records]

    def test_it_runs_until_it_is_stopped_and_not_at_all_if_it_is_to_be_never(
        self, rt: Runtime, cast: Cast
    ) -> None:
        fill(rt, cast.acme, 1)
        for seconds, alive in ((1, True), (0, False)):
            keeper = Keeper(replace(rt, settings=replace(rt.settings, checkpoint_seconds=seconds)))
            keeper.start()
            assert keeper._thread.is_alive() is alive
            while alive and checkpoints.newest(rt, cast.acme) is None:
                threading.Event().wait(0.02)
            keeper.stop()
            assert not keeper._thread.is_alive()
