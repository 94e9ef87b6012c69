"""``optout backup`` and ``optout restore``, as an operator types them."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from optout_service.cli.main import main as group
from tests.backups.conftest import clients_of_postgresql, empty_place
from tests.cli.test_commands import Run, told

__all__ = ["clients_of_postgresql", "empty_place"]

WHO = ("--tenant", "acme", "--address", "jo@example.com")


@pytest.fixture
def scratch(dialect: str, empty_place: str) -> tuple[str, ...]:
    """Where a copy of PostgreSQL is looked into; SQLite needs no place."""
    return () if dialect == "sqlite" else ("--scratch", empty_place)


def test_a_backup_is_made_and_proven_in_two_commands(
    run: Run, acme: str, tmp_path: Path, scratch: tuple[str, ...]
) -> None:
    run("opt-out", *WHO)
    out = str(tmp_path / "backup")
    made = told(run("backup", out, "--json"))
    assert (made["encrypted"], made["ledgers"], made["events"]) == (False, 2, 1)
    found = told(run("restore", out, "--check", *scratch, "--json"))
    assert (found["whole"], found["events"]) == (True, 1)
    assert run("check", *WHO).output.startswith("suppressed")
    assert "not overwritten" in run("backup", out, ok=False).output


def test_a_copy_of_postgresql_is_not_called_proven_without_a_place_to_walk_it(
    run: Run, acme: str, tmp_path: Path, dialect: str
) -> None:
    out = str(tmp_path / "backup")
    run("backup", out)
    result = run("restore", out, "--check", ok=dialect == "sqlite")
    assert ("--scratch" in result.output) == (dialect == "postgresql")


def test_an_encrypted_one_is_put_back_and_begins_in_quarantine(
    run: Run, acme: str, data: Path, tmp_path: Path, dialect: str, empty_place: str
) -> None:
    run("opt-out", *WHO)
    identity, out = str(tmp_path / "identity"), str(tmp_path / "backup")
    recipient = CliRunner().invoke(group, ["db", "new-identity", identity]).output.strip()
    assert Path(identity).stat().st_mode & 0o777 == 0o600
    run("backup", out, "--recipient", recipient)
    assert "--identity" in run("restore", out, "--to", empty_place, ok=False).output
    other = tmp_path / "other"
    shutil.copytree(data / "keys", other / "keys")
    to = str(other) if dialect == "sqlite" else empty_place
    restored = run("restore", out, "--to", to, "--identity", identity).output
    assert "It is in quarantine" in restored
    where = ["--data-dir", str(other)]
    where += [] if dialect == "sqlite" else ["--database-url", empty_place]

    def there(*arguments: str) -> str:
        return CliRunner().invoke(group, [*arguments, *where]).output

    assert "behind" in there("check", *WHO)
    assert "quarantine      yes" in there("evidence", "quarantine")
    there("evidence", "release", "--reason", "a drill")
    assert there("check", *WHO).startswith("suppressed")
    again = run("restore", out, "--to", to, "--identity", identity, ok=False).output
    assert "only" in again, "not over what is there"


def test_a_restore_says_how_many_were_erased_since_and_how_they_are_erased_again(
    run: Run, acme: str, data: Path, tmp_path: Path, dialect: str, empty_place: str
) -> None:
    run("opt-out", *WHO)
    erase = ("erase", *WHO, "--reason", "letter 7")
    run(*erase)
    out = str(tmp_path / "backup")
    run("backup", out)
    run("opt-out", *WHO)
    run(*erase)
    other = tmp_path / "other"
    shutil.copytree(data, other, ignore=shutil.ignore_patterns("optout.db*"))
    to = str(other) if dialect == "sqlite" else empty_place
    found = run("restore", out, "--to", to, "--json")
    assert told(found)["erasures_since"] == 1


def test_what_is_put_back_is_said_to_need_its_erasures_again(
    run: Run, acme: str, data: Path, tmp_path: Path, dialect: str, empty_place: str
) -> None:
    out = str(tmp_path / "backup")
    run("backup", out)
    other = tmp_path / "other"
    shutil.copytree(data / "keys", other / "keys")
    restored = run("restore", out, "--to", str(other) if dialect == "sqlite" else empty_place)
    assert "optout erase --replay" in restored.output


def test_an_identity_is_never_written_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "identity"
    file.write_text("the only one")
    refused = CliRunner().invoke(group, ["db", "new-identity", str(file)])
    assert (refused.exit_code, file.read_text()) == (1, "the only one")


def test_a_place_without_the_keys_is_told_that_a_backup_holds_none(
    run: Run, acme: str, tmp_path: Path, dialect: str
) -> None:
    out = str(tmp_path / "backup")
    run("backup", out)
    refused = run("restore", out, "--to", str(tmp_path / "new"), ok=False)
    assert "A backup holds no keys" in refused.output
    assert not (tmp_path / "new" / "optout.db").exists()


@pytest.mark.parametrize("how", [(), ("--check", "--to", "x"), ("--to", "postgresql://h:bad/x")])
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, how: tuple[str, ...]) -> None:
    (tmp_path / "backup").touch()
    result = CliRunner().invoke(group, ["restore", str(tmp_path / "backup"), *how])
    assert result.exit_code == 2
