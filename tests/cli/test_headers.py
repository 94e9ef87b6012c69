"""``optout headers lint``: what a mailbox provider would object to, by the rule it comes from."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import listunsub
import pytest
from click.testing import CliRunner, Result

from optout_service import keyfiles
from optout_service.cli.main import main
from optout_service.core import lint as rules
from optout_service.core.address import Address
from optout_service.core.headers import ONE_CLICK
from optout_service.core.scope import Kind
from optout_service.core.token import Claim, Links
from optout_service.settings import Settings
from tests.loopback import serving

LINK = "https://optout.example.com/u/AQAAAAE~x"
SIGNATURE = "v=1; h=from:list-unsubscribe:list-unsubscribe-post; b=x"


def mail(url: str = LINK, **changed: str | None) -> bytes:
    """A good mail to this link; ``changed``: other bodies for fields, None for no such field."""
    fields: dict[str, str | None] = {
        "From": "shop@acme.example",
        "DKIM-Signature": SIGNATURE,
        "List-Id": "<news.acme.example>",
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": ONE_CLICK,
    }
    fields |= {name.replace("_", "-"): body for name, body in changed.items()}
    text = "".join(f"{name}: {body}\r\n" for name, body in fields.items() if body is not None)
    return f"{text}\r\nHello\r\n".encode()


def lint(data: bytes, *options: str, status: int = 0, **environ: str) -> Result:
    result = CliRunner().invoke(
        main, ["headers", "lint", "-", *options], input=data, env=environ or None
    )
    assert result.exit_code == status, result.output
    return result


def found(result: Result) -> set[str]:
    return {finding["rule"] for finding in json.loads(result.stdout)["findings"]}


def test_a_good_mail_has_no_fault_and_says_what_was_not_looked_at() -> None:
    result = lint(mail(), "--json")
    assert json.loads(result.stdout)["faults"] == 0
    assert found(result) == {"signature", "not-asked"}


def test_a_fault_is_named_with_its_source_and_ends_with_status_1(tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(mail(List_Unsubscribe_Post=None))
    result = CliRunner().invoke(main, ["headers", "lint", str(path)])
    assert result.exit_code == 1
    assert result.output.splitlines()[1].startswith("fault")
    assert "RFC 8058, 3.1" in result.output


def test_advice_is_no_fault() -> None:
    result = lint(mail(List_Id=None))
    assert result.output.splitlines()[1].startswith("advice")


def test_a_mail_to_be_signed_is_linted_without_its_signature() -> None:
    draft = mail(DKIM_Signature=None)
    assert "not-signed" in found(lint(draft, "--json", status=1))
    assert found(lint(draft, "--json", "--unsigned")) == {"not-asked"}


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "This is no mail"),
        (b"\x00\x01\x02" * 1000, "This is no mail"),
        (b"\x89PNG\r\n\x1a\n", "This is no mail"),
        (b"name,email\nJo,jo@example.com\n", "This is no mail"),
        (b"\0" * 3_000_000, "does not end within a MiB"),
        (b"Subject: x\r\n" * 100_000, "does not end within a MiB"),
    ],
    ids=["empty", "binary", "picture", "list", "large", "long header"],
)
def test_what_is_no_mail_is_one_clear_line(data: bytes, hint: str) -> None:
    refused = lint(data, status=1)
    assert refused.stderr.startswith("error: ")
    assert hint in refused.stderr
    assert "jo@example.com" not in refused.output


def test_of_a_large_mail_only_the_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.eml"
    path.write_bytes(mail())
    with path.open("r+b") as file:
        file.truncate(100 * 1024 * 1024)
    result = CliRunner().invoke(main, ["headers", "lint", str(path), "--json"])
    assert (result.exit_code, found(result)) == (0, {"signature", "not-asked"})


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["headers", "lint", str(tmp_path / "no.eml")])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


@contextmanager
def answering(status: int) -> Iterator[tuple[str, list[str]]]:
    """A link on loopback that answers so, and what it was asked."""
    asked: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Door)) as port:
        yield f"http://127.0.0.1:{port}/u/x~y?a=b", asked


@pytest.mark.parametrize(
    ("status", "rule"), [(200, set()), (302, {"redirects"}), (404, {"refused"})]
)
def test_a_link_is_asked_once_by_head_and_never_followed(status: int, rule: set[str]) -> None:
    with answering(status) as (url, asked):
        told = found(lint(mail(url), "--json", "--ask", status=1))
    assert told - {"http", "no-https", "post-without-https", "signature"} == rule
    assert asked == ["HEAD /u/x~y?a=b"]


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/u/x", "https://[::1", "https://127.0.0.1:x/"])
def test_a_link_that_cannot_be_asked_is_said_not_to_be_checked(url: str) -> None:
    assert "no-answer" in found(lint(mail(url), "--json", "--ask"))


def test_a_link_is_ours_if_our_keys_have_signed_it(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    links = Links(keyfiles.load(Settings(data_dir=tmp_path)))
    token = links.mint(Claim(1, "email", Address.parse(Kind.EMAIL, "jo@example.com")))
    where = ("--ours", "--data-dir", str(tmp_path), "--json")
    assert "not-ours" not in found(lint(mail(f"https://a.example/u/{token}"), *where))
    for other in (f"{token}x", token[1:], "", "%00"):
        assert "not-ours" in found(lint(mail(f"https://a.example/u/{other}"), *where, status=1))


# What we call a fault beside what an independent client says of the same mail.
_THEIRS = {
    "missing": "missing-list-unsubscribe",
    "missing-post": "missing-post",
    "no-https": "no-https",
    "post-without-https": "no-https",
    "no-brackets": "invalid-list-unsubscribe",
    "post-value": "invalid-post",
    "bad-mailto": "invalid-mailto",
    "not-signed": "missing-dkim",
    "not-covered": "dkim-not-covering",
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"List_Unsubscribe": None, "List_Unsubscribe_Post": None},
        {"List_Unsubscribe_Post": None},
        {"List_Unsubscribe": "<mailto:u@acme.example>"},
        {"List_Unsubscribe": f"<{LINK}>, <mailto:?subject=x>"},
        {"List_Unsubscribe": LINK},
        {"List_Unsubscribe_Post": "List-Unsubscribe=Two-Clicks"},
        {"DKIM_Signature": None},
        {"DKIM_Signature": "v=1; h=from:list-unsubscribe; b=x"},
    ],
    ids=str,
)
def test_an_independent_client_objects_to_the_same(changed: dict[str, str | None]) -> None:
    data = mail(**changed)
    read = rules.parse(data[: rules.header_end(data)])
    ours = {finding.rule for finding in rules.findings(read)}
    given = [
        [body.decode().strip() for body in read.bodies(name)]
        for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "DKIM-Signature")
    ]
    theirs = listunsub.audit(given[0], given[1], dkim_signatures=given[2])
    expected = {_THEIRS[rule] for rule in ours & _THEIRS.keys()}
    assert {problem.code for problem in theirs} - {"unusable-https"} == expected
