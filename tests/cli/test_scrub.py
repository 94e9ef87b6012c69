"""``optout scrub``: from file to file, whole or not at all."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optout_service import keyfiles
from optout_service.cli.main import main

Run = Callable[..., Result]
LIST = b"name,email\nJo,jo@example.com\nBo,bo@example.com\n"
KEPT = b"name,email\nBo,bo@example.com\n"


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Run:
    keyfiles.create_missing(tmp_path / "data")
    where = ["--data-dir", str(tmp_path / "data"), "--database-url", database_url]

    def invoke(*arguments: str, status: int = 0, stdin: bytes = b"") -> Result:
        result = CliRunner().invoke(main, [*arguments, *where], input=stdin)
        assert result.exit_code == status, result.output
        return result

    invoke("db", "upgrade")
    invoke("tenant", "create", "acme", "--name", "Acme Shop")
    invoke("opt-out", "--tenant", "acme", "--address", "jo@example.com")
    return invoke


def scrub(run: Run, source: object, target: object, *more: str, **given: object) -> Result:
    return run("scrub", str(source), str(target), "--tenant", "acme", *more, **given)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_copied_without_those_who_left(run: Run, tmp_path: Path, packed: bool) -> None:
    suffix = ".csv.gz" if packed else ".csv"
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(gzip.compress(LIST) if packed else LIST)
    told = json.loads(scrub(run, source, target, "--json").stdout)
    assert told == {"rows": 2, "suppressed": 1, "invalid": 0, "as_of": 1}
    written = target.read_bytes()
    assert (gzip.decompress(written) if packed else written) == KEPT
    assert sorted(path.name for path in tmp_path.glob("out*")) == [target.name]


def test_it_reads_and_writes_standard_streams(run: Run) -> None:
    result = scrub(run, "-", "-", stdin=LIST)
    assert result.stdout_bytes == KEPT
    assert "suppressed  1" in result.stderr


def test_the_options_say_how_the_list_is_written(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_bytes("é;jo@example.com\nü;bo@example.com\n".encode("latin-1"))
    options = ("--format", "csv", "--charset", "latin-1", "--delimiter", "semicolon")
    scrub(run, source, target, *options, "--column", "2", "--no-header", "--keep", "all")
    assert target.read_text("latin-1") == (
        "é;jo@example.com;suppressed\nü;bo@example.com;allowed\n"
    )


def test_the_name_of_the_file_says_what_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"email":"jo@example.com"}\n{"email":"bo@example.com"}\n')
    scrub(run, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == '{"email":"bo@example.com"}\n'


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b'email\nbo@example.com\n"jo@example.com\n', ()),
        (b"email\n" + b"bo@example.com\n" * 80_000 + b"x" * 70_000, ()),
        (LIST, ("--topic", "no-such")),
        (LIST, ("--channel", "fax")),
        (LIST, ("--purpose", "*")),
        (LIST, ("--column", "telephone")),
    ],
    ids=["open quote", "long row at the end", "topic", "channel", "purpose", "column"],
)
def test_what_cannot_be_scrubbed_leaves_no_file_and_an_old_one_as_it_was(
    run: Run, tmp_path: Path, data: bytes, options: tuple[str, ...]
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(data)
    refused = scrub(run, source, target, *options, status=1)
    assert "error: " in refused.stderr
    assert "bo@example" not in refused.output
    target.write_bytes(b"as it was")
    scrub(run, source, target, *options, status=1)
    assert target.read_bytes() == b"as it was"
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["in.csv", "out.csv"]


def test_gzip_that_is_cut_off_leaves_no_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(LIST)[:-6])
    scrub(run, tmp_path / "in.csv.gz", tmp_path / "out.csv", status=1)
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_is_not_there_is_one_clear_line(run: Run, tmp_path: Path) -> None:
    refused = scrub(run, tmp_path / "in.csv", tmp_path / "out.csv", status=1)
    assert refused.stderr == f"error: {tmp_path / 'in.csv'}: No such file or directory.\n"
