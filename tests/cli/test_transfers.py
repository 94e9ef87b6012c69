"""``optout import`` and ``optout export``, as an operator types them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optout_service import keyfiles
from optout_service.cli.main import main as group
from tests.payloads import FOLDER

Run = Callable[..., Result]
BOUNCES = str(FOLDER / "imports" / "sendgrid-bounces.csv")


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Run:
    """Run a command on a database with a tenant; ``status`` is how it is to end."""
    data = tmp_path / "data"
    keyfiles.create_missing(data)

    def invoke(*arguments: str, status: int = 0, stdin: bytes | None = None) -> Result:
        where = ["--data-dir", str(data), "--database-url", database_url]
        result = CliRunner().invoke(group, [*arguments, *where], input=stdin)
        assert result.exit_code == status, result.output
        return result

    invoke("db", "upgrade")
    invoke("tenant", "create", "acme", "--name", "Acme Shop")
    return invoke


def imported(run: Run, *arguments: str, stdin: bytes | None = None) -> dict[str, object]:
    result = run("import", *arguments, "--tenant", "acme", "--json", stdin=stdin)
    told: dict[str, object] = json.loads(result.stdout)
    return told


def test_a_list_is_taken_in_and_out_again(run: Run, tmp_path: Path) -> None:
    told = imported(run, BOUNCES)
    assert (told["format"], told["added"], told["skipped"]) == ("sendgrid-bounces", 2, 2)
    assert told["recognised_by"] == ["created", "email", "reason", "status"]
    target = tmp_path / "out.csv.gz"
    run("export", str(target), "--tenant", "acme", "--format", "csv")
    with gzip.open(target, "rt") as file:
        assert [line.partition(",")[0] for line in file] == [
            "address",
            "gone.one@example.com",
            "no.mx@example.net",
        ]
    assert target.stat().st_mode & 0o077 == 0


def test_a_dry_run_says_what_it_would_do_and_does_not(run: Run) -> None:
    for _ in range(2):
        told = imported(run, BOUNCES, "--dry-run")
        assert (told["dry_run"], told["rows"], told["added"]) == (True, 4, 2)
    imported(run, BOUNCES)
    told = imported(run, BOUNCES, "--dry-run")
    assert (told["added"], told["unchanged"]) == (0, 2)


def test_a_dry_run_counts_a_row_that_is_there_twice_as_the_import_does(run: Run) -> None:
    body = b"email\n" + b"jo@example.com\n" * 3
    dry = imported(run, "-", "--dry-run", stdin=body)
    told = imported(run, "-", stdin=body)
    assert (dry["added"], dry["unchanged"]) == (told["added"], told["unchanged"]) == (1, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"jo@example.com\n",
        gzip.compress(b"address\njo@example.com\n"),
        b'{"address": "jo@example.com"}\n{"address"\n',
        b'{"items": [{"address": "jo@example.com"}], "paging": {}}',
        b'["jo@example.com"]',
    ],
    ids=["a line", "gzip", "ndjson", "a page", "json"],
)
def test_what_a_list_is_made_of_is_found_out(run: Run, body: bytes) -> None:
    assert imported(run, "-", stdin=body)["added"] == 1
    assert "suppressed" in run("check", "--tenant", "acme", "--address", "jo@example.com").output


def test_rows_that_were_not_taken_are_shown(run: Run) -> None:
    body = b"address,channel\njo@example.com,email\nnobody,email\n"
    shown = run("import", "-", "--tenant", "acme", stdin=body).stdout
    assert "3    A mail address has a name" in shown


def test_if_not_one_row_could_be_taken_that_is_a_failure(run: Run) -> None:
    run("import", "-", "--tenant", "acme", stdin=b"address\nnobody\n", status=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "lotus"),
        ("--format", "postmark"),
        ("--topic", "surveys"),
        ("--channel", "fax"),
        ("--tenant", "bolt"),
    ],
    ids=str,
)
def test_what_cannot_be_imported_is_one_clear_line(run: Run, arguments: tuple[str, ...]) -> None:
    refused = run("import", BOUNCES, "--tenant", "acme", *arguments, status=1)
    assert "error: " in refused.stderr
    assert "Traceback" not in refused.output
    assert run("export", "--tenant", "acme").stdout == ""


def test_unless_asked_otherwise_an_export_is_of_hashes(run: Run) -> None:
    imported(run, BOUNCES)
    out = run("export", "--tenant", "acme", "--reason", "bounced")
    assert [len(line) for line in out.stdout.splitlines()] == [71, 71]
    assert "as_of           2" in out.stderr
    assert run("export", "--tenant", "acme", "--channel", "sms").stdout == ""


def test_an_export_that_is_refused_leaves_an_old_file_as_it_was(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("as it was")
    run("export", str(target), "--tenant", "acme", "--topic", "surveys", status=1)
    assert target.read_text() == "as it was"
