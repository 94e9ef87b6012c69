"""``optout mail-in`` as a mail server's pipe runs it, and the mailboxes it comes to."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optout_service.cli.main import main as group
from tests.cast import ANA, CANARIES
from tests.cli.test_commands import Run, told
from tests.mailroom.sending import eml

STORED, NO_MESSAGE, TRY_AGAIN = 0, 65, 75
NEWSLETTER = ("--channel", "email", "--topic", "newsletter")


@pytest.fixture
def token(run: Run, acme: str) -> str:
    """The token of the link in Ana's newsletter."""
    made = run("link", "--tenant", acme, "--topic", "newsletter", "--address", ANA.email).stdout
    return made.partition("/u/")[2].split()[0]


def pipe(
    data: Path, database_url: str, message: bytes, *arguments: str
) -> "subprocess.CompletedProcess[bytes]":
    """Hand a message over as a mail server does."""
    where = ["--data-dir", str(data), "--database-url", database_url]
    return subprocess.run(
        [sys.executable, "-m", "optout_service.cli", "mail-in", *where, *arguments],
        input=message,
        capture_output=True,
        check=False,
    )


def take_in(data: Path, database_url: str, message: bytes, **environ: str) -> Result:
    where = ["--data-dir", str(data), "--database-url", database_url]
    return CliRunner(env=environ).invoke(group, ["mail-in", *where], input=message)


def test_a_message_in_the_pipe_is_stored_before_the_mail_server_is_told_so(
    run: Run, acme: str, data: Path, token: str, empty_database_url: str
) -> None:
    done = pipe(data, empty_database_url, eml("gmail_mailto", token))
    assert (done.returncode, done.stdout, done.stderr) == (STORED, b"recorded\n", b"")
    found = told(run("check", "--tenant", acme, *NEWSLETTER, "--json", "--address", ANA.email))
    assert found["suppressed"] is True


def test_while_the_store_is_away_the_mail_server_is_to_try_again(
    data: Path, tmp_path: Path
) -> None:
    away = f"sqlite:///{tmp_path / 'no-such-folder' / 'optout.db'}"
    done = pipe(data, away, eml("gmail_mailto", "x") + b"a" * 300_000)
    assert done.returncode == TRY_AGAIN
    assert done.stderr.startswith(b"error: ")
    assert not any(canary.encode() in done.stderr for canary in CANARIES)


def test_the_status_says_whether_there_is_anything_to_be_done_again(
    acme: str, data: Path, token: str, empty_database_url: str
) -> None:
    done = take_in(data, empty_database_url, eml("vacation_gmail", token))
    assert (done.exit_code, done.stdout) == (STORED, "ignored\n")
    for nothing in (b"", b"\n", b"\n\nno headers"):
        assert take_in(data, empty_database_url, nothing).exit_code == NO_MESSAGE
    message = eml("gmail_mailto", token)
    for wrong in (
        {"OPTOUT_NO_SUCH_SETTING": "1"},
        {"OPTOUT_PEPPER": "of-another-database-and-long-enough-0000"},
        {"OPTOUT_MAIL_SECRETS": "short"},
    ):
        assert take_in(data, empty_database_url, message, **wrong).exit_code == TRY_AGAIN


def test_wrong_usage_sends_nobodys_request_back() -> None:
    for arguments in (["--no-such-option"], ["no-such-file.eml"], ["a", "b"]):
        assert CliRunner().invoke(group, ["mail-in", *arguments]).exit_code == TRY_AGAIN


def test_of_a_message_over_the_limit_the_beginning_is_read(
    acme: str, data: Path, token: str, empty_database_url: str
) -> None:
    message = eml("gmail_mailto", token) + b"a" * 300_000
    done = take_in(data, empty_database_url, message, OPTOUT_MAX_BODY_BYTES="4096")
    assert (done.exit_code, done.stdout) == (STORED, "recorded\n")


def test_a_mailbox_belongs_to_one_tenant(run: Run, acme: str) -> None:
    run("tenant", "create", "bolt", "--name", "Bolt")
    run("mailbox", "add", "--tenant", acme, "Leave@Acme.example")
    assert (
        "another tenant's"
        in run("mailbox", "add", "--tenant", "bolt", "leave@acme.example", ok=False).output
    )
    run("mailbox", "add", "--tenant", acme, "leave@acme.example", "--topic", "newsletter")
    shown = run("mailbox", "list", "--tenant", acme).stdout
    assert shown.splitlines()[1:] == ["leave@acme.example  newsletter"]
    run("mailbox", "remove", "--tenant", acme, "leave@acme.example")
    assert "None yet" in run("mailbox", "list", "--tenant", acme).stdout
    run("mailbox", "remove", "--tenant", acme, "leave@acme.example", ok=False)
    for wrong in (["not-an-address"], [f"sha256:{'0' * 64}"], ["a@b.example", "--topic", "none"]):
        run("mailbox", "add", "--tenant", acme, *wrong, ok=False)
    assert "None yet" in run("mailbox", "list", "--tenant", acme).stdout
