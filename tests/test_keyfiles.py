"""Key files: made once, private, never replaced."""

import stat
from pathlib import Path

import pytest

from optout_service import keyfiles
from optout_service.core.errors import Misconfigured
from optout_service.core.keyring import new_key
from optout_service.knobs import Secret
from optout_service.settings import Settings


def test_the_files_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert keyfiles.create_missing(data_dir)
    keys = keyfiles.load(Settings(data_dir=data_dir))
    assert not keyfiles.create_missing(data_dir)
    assert keyfiles.load(Settings(data_dir=data_dir)) == keys
    files = list(keyfiles.directory(data_dir).iterdir())
    assert {path.name for path in files} == {"pepper", "encryption", "signing"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert keyfiles.directory(data_dir).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("lost", ["pepper", "encryption", "signing"])
def test_a_lost_key_is_never_made_anew(tmp_path: Path, lost: str) -> None:
    keyfiles.create_missing(tmp_path)
    (keyfiles.directory(tmp_path) / lost).unlink()
    with pytest.raises(Misconfigured, match="Put them back"):
        keyfiles.create_missing(tmp_path)
    assert not (keyfiles.directory(tmp_path) / lost).exists()


def test_no_keys_are_made_for_a_database_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "optout.db").touch()
    with pytest.raises(Misconfigured, match="Put them back"):
        keyfiles.create_missing(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    path = keyfiles.directory(tmp_path) / "pepper"
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        keyfiles.load(Settings(data_dir=tmp_path))


def test_every_missing_key_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refusal:
        keyfiles.load(Settings(data_dir=tmp_path))
    for name in ("OPTOUT_PEPPER", "OPTOUT_ENCRYPTION_KEYS", "OPTOUT_SIGNING_KEYS"):
        assert f"{name}: " in refusal.value.detail


def test_what_is_set_comes_before_the_file(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    first, second = new_key(), new_key()
    keys = keyfiles.load(Settings(data_dir=tmp_path, signing_keys=(Secret(first), Secret(second))))
    assert len(keys.signing) == 2
    assert keys.pepper == keyfiles.load(Settings(data_dir=tmp_path)).pepper


def test_a_ring_in_a_file_has_a_key_a_line_newest_last(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    path = keyfiles.directory(tmp_path) / "signing"
    before = keyfiles.load(Settings(data_dir=tmp_path)).signing
    path.write_text(f"{path.read_text()}{new_key()}\n")
    after = keyfiles.load(Settings(data_dir=tmp_path)).signing
    assert after[:1] == before
    assert len(after) == 2


def test_a_new_key_is_added_last_and_begins_like_no_other(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    settings = Settings(data_dir=tmp_path)
    first = keyfiles.load(settings)
    made = [keyfiles.add(settings, "encryption") for _ in range(12)]
    keys = keyfiles.load(settings)
    assert keys.encryption[:1] == first.encryption
    assert list(keys.fingerprints.encryption[1:]) == made
    assert len(set(keys.hints)) == 13
    path = keyfiles.directory(tmp_path) / "encryption"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(one.name for one in path.parent.iterdir()) == ["encryption", "pepper", "signing"]


def test_later_peppers_cover_the_first(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    settings = Settings(data_dir=tmp_path)
    first = keyfiles.load(settings)
    added = keyfiles.add(settings, "pepper")
    keys = keyfiles.load(settings)
    assert keys.pepper == first.pepper
    assert keys.fingerprints.covers == (added,)


def test_a_key_that_is_in_a_ring_twice_is_refused(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    path = keyfiles.directory(tmp_path) / "pepper"
    path.write_text(path.read_text() * 2)
    with pytest.raises(Misconfigured, match="twice"):
        keyfiles.load(Settings(data_dir=tmp_path))
