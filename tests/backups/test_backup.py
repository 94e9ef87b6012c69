"""A backup: whole or none, never over something, opened by its key alone, and believed by proof."""

import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import text

from optout_service.backups import archive, making, restoring
from optout_service.core.errors import (
    Conflict,
    InvalidRequest,
    Malformed,
    Misconfigured,
    OptOutError,
    StoreUnavailable,
    WrongKeys,
)
from optout_service.core.keyring import KeyRing
from optout_service.evidence import checkpoints
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.store import copying
from tests import stage
from tests.cast import ANA
from tests.evidence.acts import disarm, fill
from tests.stage import Cast
from tests.store.acts import act

Files = dict[str, bytes]


@pytest.fixture
def backup(rt: Runtime, cast: Cast, tmp_path: Path) -> Path:
    """A backup of eleven events, and their checkpoints."""
    fill(rt, cast.acme, 10)
    with rt.writing() as connection:
        rt.record(connection, act(cast.acme))
    checkpoints.write(rt)
    making.make(rt, tmp_path / "backup")
    return tmp_path / "backup"


def check(rt: Runtime, backup: Path, place: str, keys: KeyRing = stage.KEYS) -> int:
    """How many events a backup was proven to hold."""
    scratch = "" if rt.database.dialect == "sqlite" else place
    return restoring.check(rt.settings, keys, backup, None, scratch).events


def files(backup: Path) -> Files:
    with tarfile.open(backup) as packed:
        return {one.name: packed.extractfile(one).read() for one in packed}  # type: ignore[union-attr]


def put(backup: Path, changed: list[tuple[str, bytes]]) -> None:
    with tarfile.open(backup, "w") as packed:
        for name, content in changed:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def test_it_is_proven_and_the_service_as_it_was(
    rt: Runtime, cast: Cast, backup: Path, empty_place: str
) -> None:
    assert check(rt, backup, empty_place) == 11
    assert rt.check(cast.acme, act(cast.acme).address, act(cast.acme).scope).suppressed
    assert list((backup.parent / "cache").iterdir()) == [], "its copies are gone"


def test_it_is_for_its_owner_alone_and_nothing_is_left_beside_it(
    rt: Runtime, cast: Cast, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    making.make(rt, folder / "first")
    assert [(one.name, one.stat().st_mode & 0o777) for one in folder.iterdir()] == [
        ("first", 0o600)
    ]


def test_what_is_there_is_never_written_over(rt: Runtime, cast: Cast, tmp_path: Path) -> None:
    out = tmp_path / "backup"
    out.write_text("last week's")
    with pytest.raises(Conflict, match="not overwritten"):
        making.make(rt, out)
    assert out.read_text() == "last week's"


def test_one_that_fails_leaves_no_file(
    rt: Runtime, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyrage, "encrypt_io", full)
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    with pytest.raises(OSError, match="No space"):
        making.make(rt, folder / "first", [recipient])
    assert list(folder.iterdir()) == []


def test_neither_an_address_nor_a_key_can_be_read_in_it(rt: Runtime, backup: Path) -> None:
    whole = backup.read_bytes()
    manifest = files(backup)[archive.MANIFEST]
    for canary in (ANA.email.encode(), rt.keys.pepper, *rt.keys.encryption, *rt.keys.signing):
        assert canary not in whole
        assert canary.hex().encode() not in manifest


def test_an_encrypted_one_opens_by_its_key_alone(
    rt: Runtime, cast: Cast, tmp_path: Path, empty_place: str
) -> None:
    fill(rt, cast.acme, 3)
    secret, recipient = archive.new_identity()
    other, _ = archive.new_identity()
    for name, one in (("ours", secret), ("other", other)):
        (tmp_path / name).write_text(f"# a comment\n{one}\n")
    out = tmp_path / "backup"
    making.make(rt, out, [recipient])
    assert b"manifest" not in out.read_bytes()
    scratch = "" if rt.database.dialect == "sqlite" else empty_place
    with pytest.raises(InvalidRequest, match="--identity FILE"):
        restoring.check(rt.settings, rt.keys, out, None, scratch)
    with pytest.raises(InvalidRequest, match="None of the identities"):
        restoring.check(rt.settings, rt.keys, out, tmp_path / "other", scratch)
    found = restoring.check(rt.settings, rt.keys, out, tmp_path / "ours", scratch)
    assert found.events == 3
    out.write_bytes(out.read_bytes()[:-7])
    with pytest.raises(Malformed):
        restoring.check(rt.settings, rt.keys, out, tmp_path / "ours", scratch)


def test_it_can_be_opened_without_us(rt: Runtime, cast: Cast, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    making.make(rt, tmp_path / "backup", [str(identity.to_public())])
    plain = pyrage.decrypt((tmp_path / "backup").read_bytes(), [identity])
    with tarfile.open(fileobj=io.BytesIO(plain)) as packed:
        assert packed.getnames()[0] == "manifest.json"


@pytest.mark.parametrize("recipient", ["", "age1x", "ana", "AGE-SECRET-KEY-1"])
def test_what_is_no_recipient_is_refused_before_anything_is_written(
    rt: Runtime, cast: Cast, tmp_path: Path, recipient: str
) -> None:
    with pytest.raises(InvalidRequest, match="age1"):
        making.make(rt, tmp_path / "backup", [recipient])
    assert not (tmp_path / "backup").exists()


def _database(found: Files) -> str:
    return next(name for name in found if name.startswith("optout."))


def _flipped(found: Files) -> list[tuple[str, bytes]]:
    name = _database(found)
    middle = len(found[name]) // 2
    byte = bytes([found[name][middle] ^ 1])
    changed = found[name][:middle] + byte + found[name][middle + 1 :]
    return list((found | {name: changed}).items())


def _without(found: Files, start: str) -> list[tuple[str, bytes]]:
    return [(name, content) for name, content in found.items() if not name.startswith(start)]


def _other_head(found: Files) -> list[tuple[str, bytes]]:
    document = json.loads(found[archive.MANIFEST])
    document["ledgers"][0]["seq"] += 1
    return list((found | {archive.MANIFEST: json.dumps(document).encode()}).items())


Change = Callable[[Files], list[tuple[str, bytes]]]
CHANGES: dict[str, tuple[Change, str]] = {
    "a byte of the database": (_flipped, "it was changed"),
    "a number in the manifest": (_other_head, "not signed by our keys"),
    "no manifest": (lambda found: _without(found, archive.MANIFEST), "no manifest"),
    "no database": (lambda found: _without(found, _database(found)), "does not hold the parts"),
    "no checkpoints": (lambda found: _without(found, "checkpoints"), "does not hold the parts"),
    "one more file": (
        lambda found: [*found.items(), ("checkpoints/99.jsonl", b"{}\n")],
        "does not hold the parts",
    ),
    "a file twice": (lambda found: [*found.items(), *list(found.items())[-1:]], "twice"),
    "a way out": (lambda found: [*found.items(), ("../../escaped", b"x")], "none of ours"),
    "a way to the root": (lambda found: [*found.items(), ("/escaped", b"x")], "none of ours"),
    "nothing": (lambda _: [], "no manifest"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_that_was_changed_is_not_believed_and_nothing_is_put_back(
    rt: Runtime, backup: Path, empty_place: str, change: str
) -> None:
    made, why = CHANGES[change]
    put(backup, made(files(backup)))
    there = replace(rt.settings, database_url=Secret(empty_place))
    with pytest.raises(Malformed, match=why):
        check(rt, backup, empty_place)
    with pytest.raises(Malformed, match=why):
        restoring.restore(there, rt.keys, backup, None)
    assert not list(backup.parent.rglob("escaped"))
    copying.require_empty(empty_place)


@pytest.mark.parametrize("content", [b"", b"no tar", b"age-encryption.org/v1\n-> X25519 x\n"])
def test_a_file_that_is_none_is_refused(
    rt: Runtime, cast: Cast, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "backup").write_bytes(content)
    (tmp_path / "identity").write_text(archive.new_identity()[0])
    with pytest.raises(OptOutError):
        restoring.check(rt.settings, rt.keys, tmp_path / "backup", tmp_path / "identity", "")


def test_under_other_keys_it_says_which_are_missing(
    rt: Runtime, backup: Path, empty_place: str
) -> None:
    others = replace(stage.KEYS, pepper=b"q" * 31 + b"2")
    with pytest.raises(WrongKeys, match=stage.KEYS.fingerprints.pepper):
        check(rt, backup, empty_place, others)


def test_after_a_rotation_the_older_backups_are_still_good(
    rt: Runtime, backup: Path, empty_place: str
) -> None:
    rotated = replace(stage.KEYS, signing=(*stage.KEYS.signing, b"t" * 31 + b"2"))
    assert check(rt, backup, empty_place, rotated) == 11


def test_a_ledger_that_was_edited_before_the_backup_is_found(
    rt: Runtime, cast: Cast, tmp_path: Path, empty_place: str
) -> None:
    fill(rt, cast.acme, 5)
    disarm(rt)
    with rt.writing() as connection:
        connection.execute(text("UPDATE event SET actor = 'nobody' WHERE number = 3"))
    making.make(rt, tmp_path / "backup")
    with pytest.raises(Malformed, match="acme is not whole"):
        check(rt, tmp_path / "backup", empty_place)


def test_it_is_put_back_only_where_nothing_is(rt: Runtime, backup: Path) -> None:
    with pytest.raises(Conflict):
        restoring.restore(rt.settings, rt.keys, backup, None)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_without_the_clients_of_postgresql_it_names_what_is_missing(
    rt: Runtime, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="pg_dump is not on the PATH"):
        making.make(rt, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


BROKEN_OFF = "CREATE TABLE half (id int); INSERT INTO half VALUES (1);"
PROGRAMS = {
    "read to the half": ("pg_restore", f"echo '{BROKEN_OFF}'; exit 1", "pg_restore ended"),
    "no such table": ("pg_restore", f"echo '{BROKEN_OFF} SELECT 1 FROM none;'", "psql ended"),
    "no seal in it": ("pg_restore", f"echo '{BROKEN_OFF}'", "psql ended"),
    "much, and for nothing": ("pg_restore", "yes 'SELECT * FROM none;' | head -n 99999", "psql"),
    "killed while it enters": ("psql", "kill -9 $$", "psql ended with status -9"),
}


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("how", PROGRAMS)
def test_what_breaks_off_while_it_is_put_back_leaves_nothing(
    rt: Runtime, backup: Path, empty_place: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    name, does, why = PROGRAMS[how]
    program = backup.parent / "bin" / name
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    there = replace(rt.settings, database_url=Secret(empty_place))
    with pytest.raises(StoreUnavailable, match=why):
        restoring.restore(there, rt.keys, backup, None)
    copying.require_empty(empty_place)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_password_is_seen_in_no_list_of_processes(
    rt: Runtime, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "pg_dump").write_text(f'#!/bin/sh\necho "$@" > {seen}\n')
    (tmp_path / "pg_dump").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    url = rt.settings.database_url.reveal().replace("postgres@", "postgres:open:sesame@")
    with_password = replace(rt, settings=replace(rt.settings, database_url=Secret(url)))
    making.make(with_password, tmp_path / "backup")
    assert "passfile=" in seen.read_text()
    assert "sesame" not in seen.read_text()
