"""What the doctor finds of the machine: room, file systems, keys beside the database."""

import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from optout_service import __version__, keyfiles
from optout_service.doctor import machine
from optout_service.doctor.finding import Level
from optout_service.knobs import Secret
from optout_service.settings import Settings
from tests.doctor.test_doctor import advised, ill

Usage = namedtuple("Usage", "total used free")
MB = 1024**2


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """A data directory with keys, and nothing else yet."""
    keyfiles.create_missing(tmp_path / "data")
    return Settings(data_dir=tmp_path / "data")


@pytest.mark.parametrize(
    ("free", "level"), [(10_000 * MB, Level.OK), (900 * MB, Level.ADVICE), (50 * MB, Level.MEND)]
)
def test_a_disk_that_is_nearly_full_is_told_before_it_is(
    embedded: Settings, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free))
    found = list(machine.room(embedded))
    assert {one.level for one in found} == {level}
    assert all(str(free // MB) in one.detail for one in found if level is not Level.OK)


def test_of_postgresql_the_disk_of_the_server_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 0))
    elsewhere = Settings(database_url=Secret("postgresql://127.0.0.1/optout"))
    assert len(ill(machine.room(elsewhere))) == 1
    assert not any("the database" in one.detail for one in machine.room(elsewhere))


def mounted(folder: Path, kind: str) -> str:
    """A line of /proc/self/mountinfo (proc(5)); a blank is written as an octal number there."""
    point = str(folder).replace(" ", "\\040")
    return f"36 35 98:0 / {point} rw,noatime shared:1 - {kind} server:/export rw"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_sqlite_on_a_network_file_system_is_to_be_moved(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a b").mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"{mounted(Path('/'), 'ext4')}\n{mounted(tmp_path / 'a b', kind)}\n"
        f"{mounted(tmp_path / 'a', 'tmpfs')}\n"
    )
    here = Settings(data_dir=tmp_path / "a b" / "optout-data")
    assert kind in ill(machine.examine(here, mounts))["file system"]
    beside = replace(here, data_dir=tmp_path / "optout-data")
    assert ill(machine.near(beside, mounts)) == {}
    assert "ext4" in next(machine.near(beside, mounts)).detail


def test_where_nobody_tells_what_is_mounted_nothing_is_said(tmp_path: Path) -> None:
    assert list(machine.near(Settings(data_dir=tmp_path), tmp_path / "nothing")) == []


def test_keys_beside_their_database_are_to_be_copied_elsewhere(embedded: Settings) -> None:
    assert str(embedded.data_dir / "keys") in advised(machine.keys_apart(embedded))["escrow"]


def test_keys_from_elsewhere_are_nobodys_advice(embedded: Settings) -> None:
    given = replace(embedded, pepper=Secret("x"))
    assert list(machine.keys_apart(given)) == []


def test_it_says_what_runs() -> None:
    assert __version__ in machine.versions().detail
