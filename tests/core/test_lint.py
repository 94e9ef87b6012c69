"""What a mailbox provider would object to in the header of a mail, each by the rule it breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import headers, lint
from optout_service.core.errors import Malformed
from optout_service.core.lint import FINDINGS, Level

LINK = "https://optout.example.com/u/AQAAAAE~x"
FIELD = f"List-Unsubscribe: <{LINK}>"
POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
SIGNED = "DKIM-Signature: v=1; h=From:List-Unsubscribe:List-Unsubscribe-Post; b=x"
LIST_ID = "List-Id: <news.acme.example>"
GOOD = (FIELD, POST, SIGNED, LIST_ID)


def rules(*lines: str, end: str = "\r\n", signed: bool = True) -> set[str]:
    text = "".join(f"{line}{end}" for line in ("From: shop@acme.example", *lines, "", "Hello"))
    data = text.encode()
    mail = lint.parse(data[: lint.header_end(data)])
    return {finding.rule for finding in lint.findings(mail, signed=signed)} - {"signature"}


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_there_is_nothing_to_object_to_in_a_good_mail(end: str) -> None:
    assert rules(*GOOD, end=end) == set()


@pytest.mark.parametrize("mailto", [None, "unsubscribe@example.com"])
def test_what_we_put_into_a_mail_is_good(mailto: str | None) -> None:
    made = headers.headers(LINK, mailto)
    assert rules(*(f"{name}: {value}" for name, value in made.items()), SIGNED, LIST_ID) == set()


@pytest.mark.parametrize(
    "line",
    [
        f"list-unsubscribe:<{LINK}>",
        f"LIST-UNSUBSCRIBE:   <{LINK}>  ",
        f"List-Unsubscribe: <{LINK}> , <mailto:u@acme.example?subject=x>",
        f"List-Unsubscribe: <{LINK.replace('https', 'HTTPS')}>",
        f"List-Unsubscribe: <{LINK}>,",
    ],
)
def test_what_is_only_written_otherwise_is_good_too(line: str) -> None:
    assert rules(line, POST, SIGNED, LIST_ID) == set()


def field(value: str) -> tuple[str, ...]:
    return (f"List-Unsubscribe: {value}", POST, SIGNED, LIST_ID)


def post(value: str) -> tuple[str, ...]:
    return (FIELD, f"List-Unsubscribe-Post: {value}", SIGNED, LIST_ID)


def signature(value: str) -> tuple[str, ...]:
    return (FIELD, POST, f"DKIM-Signature: {value}", LIST_ID)


MAILTO = "<mailto:u@acme.example>"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((SIGNED, LIST_ID), {"missing", "missing-post"}),
        ((POST, SIGNED, LIST_ID), {"missing", "post-without-https"}),
        ((FIELD, SIGNED, LIST_ID), {"missing-post"}),
        ((FIELD, *GOOD), {"twice"}),
        ((POST, *GOOD), {"twice"}),
        (field(f"<{LINK}>,\r\n {MAILTO}"), {"folded"}),
        (field(f"\r\n <{LINK}>"), {"folded"}),
        (field(f"<{LINK[:20]}\r\n {LINK[20:]}>"), {"folded", "space-in-brackets"}),
        (post("\r\n\tList-Unsubscribe=One-Click"), {"folded"}),
        (field("=?utf-8?q?=3Chttps=3A//optout=2Eexample=2Ecom/u/x=3E?="), {"encoded"}),
        (field("=?UTF-8?B?PGh0dHBz?=\r\n =?UTF-8?B?Oi8vPg==?="), {"encoded", "folded"}),
        (post("=?utf-8?q?List-Unsubscribe=3DOne-Click?="), {"encoded", "post-value"}),
        (field(f"<{LINK}é>"), {"not-ascii"}),
        (field(f"<{LINK}{'x' * 998}>"), {"too-long"}),
        (field(f"<{LINK.ljust(978, 'x')}>"), set()),
        (field(f"<{LINK.ljust(979, 'x')}>"), {"too-long"}),
        (field(LINK), {"no-brackets", "post-without-https"}),
        (field(f"<{LINK}"), {"no-brackets", "post-without-https"}),
        (field(f"<{LINK}>, mailto:u@acme.example"), {"no-brackets"}),
        (field(f"< {LINK} >"), {"space-in-brackets"}),
        (field(f"<{LINK}> or {MAILTO}"), {"text-beside"}),
        (field(f"<{LINK}> {MAILTO}"), {"text-beside"}),
        (field(f"<{LINK}>, <mailto:?subject=x>"), {"bad-mailto"}),
        (field(MAILTO), {"post-without-https"}),
        ((f"List-Unsubscribe: {MAILTO}", SIGNED, LIST_ID), {"missing-post", "no-https"}),
        (field(f"<{LINK.replace('https', 'http')}>"), {"http", "post-without-https"}),
        (field(f"<{LINK}>, <http://acme.example/u>"), {"http"}),
        (field(f"<{LINK}>, <{LINK}>"), {"several-https"}),
        (field(f"{MAILTO}, <{LINK}>"), {"mailto-first"}),
        (field("<>"), {"post-without-https"}),
        (field(""), {"post-without-https"}),
        (post("list-unsubscribe=one-click"), {"post-value"}),
        (post("List-Unsubscribe = One-Click"), {"post-value"}),
        (post("One-Click"), {"post-value"}),
        (post(""), {"post-value"}),
        ((FIELD, POST, LIST_ID), {"not-signed"}),
        (signature("v=1; h=from:list-unsubscribe; b=x"), {"not-covered"}),
        (signature("v=1; b=x"), {"not-covered"}),
        (signature("v=1; h=from : list-unsubscribe :\r\n\tlist-unsubscribe-post; b=x"), set()),
        ((*GOOD, "DKIM-Signature: v=1; h=from; b=y"), set()),
        ((FIELD, POST, SIGNED), {"no-list-id"}),
    ],
)
def test_each_fault_is_found_by_its_rule_and_nothing_else_is(
    lines: tuple[str, ...], expected: set[str]
) -> None:
    assert rules(*lines) == expected


def test_a_mail_that_is_still_to_be_signed_needs_no_signature() -> None:
    assert rules(FIELD, POST, LIST_ID, signed=False) == set()


def test_whether_a_signature_holds_is_said_not_to_have_been_looked_at() -> None:
    mail = lint.parse("\r\n".join(GOOD).encode())
    (finding,) = lint.findings(mail)
    assert (finding.rule, finding.level) == ("signature", Level.UNCHECKED)


@pytest.mark.parametrize(
    ("status", "rule"),
    [(200, []), (204, []), (301, ["redirects"]), (308, ["redirects"]), (404, ["refused"])],
)
def test_what_the_link_answers_is_judged(status: int, rule: list[str]) -> None:
    assert [finding.rule for finding in lint.of_answer(status)] == rule


@pytest.mark.parametrize(
    ("lines", "link"),
    [
        (field(f"{MAILTO}, <http://a.example/>, <{LINK}>, <https://b.example/>"), LINK),
        (field(f"<{LINK[:20]} {LINK[20:]}>"), LINK),
        (field("<http://a.example/>"), "http://a.example/"),
        (field(MAILTO), None),
        ((POST,), None),
    ],
)
def test_the_link_is_what_a_click_would_be_posted_to(
    lines: tuple[str, ...], link: str | None
) -> None:
    assert lint.parse("\r\n".join(lines).encode()).link == link


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"hello",
        b"hello\r\nFrom: a@b.example\r\n",
        b" From: a@b.example\r\n",
        b"From: a@b.example\r\nnonsense\r\n",
        b"\x7fELF\x02\x01\x01\x00\x00",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"From \r\n",
        b": x\r\n",
    ],
)
def test_what_is_no_mail_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        lint.parse(data[: lint.header_end(data)])


def test_the_line_that_begins_a_mail_in_a_mailbox_file_is_passed_over() -> None:
    mail = lint.parse(b"From shop@acme.example Tue Nov 24 12:00:00 2026\n" + FIELD.encode())
    assert mail.link == LINK


def test_the_header_ends_at_the_first_empty_line() -> None:
    assert lint.header_end(b"A: b\r\n\r\nbody\r\n\r\n") == 8
    assert lint.header_end(b"A: b\n\nbody") == 6
    assert lint.header_end(b"\r\nbody") == 2
    assert lint.header_end(b"A: b\r\nC: d") is None


def test_every_finding_names_its_source_and_what_to_do() -> None:
    for rule, finding in FINDINGS.items():
        assert finding.rule == rule
        assert finding.source.startswith("RFC ")
        assert finding.detail.endswith(".")


@given(st.binary(max_size=300))
def test_whatever_comes_is_judged_or_refused(body: bytes) -> None:
    data = b"From: a@b.example\nList-Unsubscribe:" + body
    try:
        mail = lint.parse(data[: lint.header_end(data)])
    except Malformed:
        return
    assert mail.link is None or mail.link.lower().startswith(("https:", "http:"))
    assert {finding.rule for finding in lint.findings(mail)} <= FINDINGS.keys()
