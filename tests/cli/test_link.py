"""``optout link --csv``: a list with a link for each row, whole, and nothing lost on the way."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optout_service import keyfiles
from optout_service.cli.main import main
from optout_service.core.token import Links
from optout_service.settings import Settings

Run = Callable[..., Result]
BASE = "http://127.0.0.1:8000/u/"


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Run:
    keyfiles.create_missing(tmp_path / "data")
    where = ["--data-dir", str(tmp_path / "data"), "--database-url", database_url]

    def invoke(*arguments: str, status: int = 0, stdin: bytes = b"", **environ: str) -> Result:
        result = CliRunner().invoke(main, [*arguments, *where], input=stdin, env=environ)
        assert result.exit_code == status, result.output
        return result

    invoke("db", "upgrade")
    invoke("tenant", "create", "acme", "--name", "Acme Shop")
    invoke("topic", "create", "--tenant", "acme", "newsletter")
    return invoke


@pytest.fixture
def links(run: Run, tmp_path: Path) -> Links:
    """What reads the links of the cells."""
    return Links(keyfiles.load(Settings(data_dir=tmp_path / "data")))


def link(run: Run, source: object, target: object, *more: str, **given: object) -> Result:
    return run("link", "--csv", str(source), str(target), "--tenant", "acme", *more, **given)


def test_each_row_gets_a_link_of_its_own(run: Run, tmp_path: Path, links: Links) -> None:
    source, target = tmp_path / "in.csv.gz", tmp_path / "out.csv.gz"
    source.write_bytes(gzip.compress(b"name,email\nJo,Jo@Example.com\nBo,bo@example.com\n"))
    told = link(run, source, target, "--topic", "newsletter", "--message", "c42", "--json")
    assert json.loads(told.stdout) == {"rows": 2, "invalid": 0, "rejects": []}
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(target.read_bytes()).decode())))
    assert [(row["name"], row["email"]) for row in rows] == [
        ("Jo", "Jo@Example.com"),
        ("Bo", "bo@example.com"),
    ]
    claims = [links.read(row["unsubscribe_url"].removeprefix(BASE)) for row in rows]
    assert [claim.address.value for claim in claims] == ["jo@example.com", "bo@example.com"]
    assert {(claim.topic, claim.message) for claim in claims} == {("newsletter", "c42")}


def test_the_links_are_those_that_are_made_one_by_one(run: Run) -> None:
    one = run("link", "--tenant", "acme", "--address", "jo@example.com", "--json")
    many = link(run, "-", "-", stdin=b"email\njo@example.com\n")
    assert many.stdout.splitlines()[1] == f"jo@example.com,{json.loads(one.stdout)['url']}"


def test_rows_are_told_of_for_people_too_and_beside_the_list(run: Run) -> None:
    result = link(run, "-", "-", stdin=b"email\nnobody\n", status=1)
    assert result.stdout_bytes == b"email,unsubscribe_url\nnobody,\n"
    assert "invalid  1" in result.stderr
    assert "an @ and a domain" in result.stderr


@pytest.mark.parametrize(
    ("data", "options", "hint"),
    [
        (b'email\n"jo@example.com\n', (), "row 2"),
        (b"email\njo@example.com\n", ("--topic", "no-such"), "topic"),
        (b"email\njo@example.com\n", ("--channel", "*"), "channel"),
        (b"email\njo@example.com\n", ("--message", "m" * 201), "message"),
    ],
)
def test_what_cannot_be_linked_leaves_no_file(
    run: Run, tmp_path: Path, data: bytes, options: tuple[str, ...], hint: str
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(data)
    refused = link(run, source, target, *options, status=1)
    assert hint in refused.stderr
    assert "jo@example" not in refused.output
    assert [path.name for path in tmp_path.glob("*.csv*")] == ["in.csv"]


def test_a_list_and_an_address_together_are_wrong_usage(run: Run) -> None:
    link(run, "-", "-", "--address", "jo@example.com", status=2)
    run("link", "--tenant", "acme", status=2)


def test_a_mailbox_of_the_settings_stands_in_the_header_after_the_link(run: Run) -> None:
    one = ("link", "--tenant", "acme", "--address", "jo@example.com", "--json")
    made = json.loads(run(*one, OPTOUT_MAILTO="stop@acme.example").stdout)
    token = made["url"].removeprefix(BASE)
    assert (
        made["List-Unsubscribe"] == f"<{made['url']}>, <mailto:stop@acme.example?subject={token}>"
    )
    refused = run(*one, OPTOUT_MAILTO="nobody", status=1)
    assert "OPTOUT_MAILTO: it is no mail address" in refused.output
