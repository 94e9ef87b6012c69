"""The two header fields: https first, one line, nothing that a client would trip over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.errors import InvalidAddress, InvalidRequest, OptOutError
from optout_service.core.headers import headers, mailto_url

URL = "https://optout.example.com/u/AQAAAAE~x-Y_z"
BOX = "unsubscribe@example.com"


def test_a_link_makes_the_two_fields() -> None:
    assert headers(URL) == {
        "List-Unsubscribe": f"<{URL}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_a_mailbox_stands_behind_the_link_with_the_token_as_subject() -> None:
    assert headers(URL, BOX)["List-Unsubscribe"] == f"<{URL}>, <mailto:{BOX}?subject=AQAAAAE~x-Y_z>"


def test_no_mailbox_is_no_mailto() -> None:
    assert headers(URL, "") == headers(URL)


@pytest.mark.parametrize(
    "url",
    [
        "http://optout.example.com/u/x",
        "ftp://optout.example.com/u/x",
        "mailto:unsubscribe@example.com",
        "//optout.example.com/u/x",
        "optout.example.com/u/x",
        "https:///u/x",
        "https://[::1/u/x",
        "",
        "https://optout.example.com/u/x y",
        "https://optout.example.com/u/x\r\nBcc: all@example.com",
        "https://optout.example.com/u/x\n",
        "https://optout.example.com/u/x\t",
        "https://optout.example.com/u/a,b",
        "https://optout.example.com/u/x>,<https://evil.example",
        "https://optout.example.com/u/é",
        "https://optout.example.com/u/x\x00",
    ],
)
def test_what_no_client_would_post_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        headers(url)
    assert refused.value.extra["field"] == "url"
    assert "/u/" not in refused.value.detail


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_plain_http_is_for_this_machine_alone(host: str) -> None:
    assert headers(f"http://{host}/u/x")["List-Unsubscribe"] == f"<http://{host}/u/x>"


def test_a_line_has_998_octets_and_not_one_more() -> None:
    most = 998 - len("List-Unsubscribe: <>")
    url = URL.ljust(most, "x")
    assert len(f"List-Unsubscribe: {headers(url)['List-Unsubscribe']}") == 998
    with pytest.raises(InvalidRequest) as refused:
        headers(f"{url}x")
    assert refused.value.extra["field"] == "message"


def test_a_mailto_that_would_make_the_line_too_long_is_left_out() -> None:
    url = URL.ljust(600, "x")
    assert headers(url, BOX) == headers(url)


@pytest.mark.parametrize(
    ("mailbox", "url"),
    [
        (BOX, "mailto:unsubscribe@example.com?subject=t~1"),
        ("stop+it@example.com", "mailto:stop+it@example.com?subject=t~1"),
        ("a&b=c?d@example.com", "mailto:a%26b%3Dc%3Fd@example.com?subject=t~1"),
        ('"a, b"@example.com', "mailto:%22a%2C%20b%22@example.com?subject=t~1"),
        ("ü@bücher.example", "mailto:%C3%BC@xn--bcher-kva.example?subject=t~1"),
    ],
)
def test_a_mailbox_is_escaped_as_rfc_6068_has_it(mailbox: str, url: str) -> None:
    assert mailto_url(mailbox, "t~1") == url


def test_a_subject_is_escaped_too() -> None:
    url = mailto_url(BOX, "stop #1 & more, please\r\n")
    assert url == f"mailto:{BOX}?subject=stop%20%231%20%26%20more%2C%20please%0D%0A"


@pytest.mark.parametrize("mailbox", ["nobody", "a@b.c, d@e.f", "Jo <jo@example.com>"])
def test_what_is_no_mailbox_is_refused(mailbox: str) -> None:
    with pytest.raises(InvalidAddress):
        headers(URL, mailbox)


def test_a_hash_is_no_mailbox() -> None:
    with pytest.raises(InvalidRequest):
        headers(URL, "sha256:" + "0" * 64)


@given(st.text(max_size=80), st.none() | st.text(max_size=40) | st.emails())
def test_whatever_comes_is_one_plain_line_or_refused(tail: str, mailbox: str | None) -> None:
    try:
        made = headers(f"https://optout.example.com/u/{tail}", mailbox)
    except OptOutError:
        return
    value = made["List-Unsubscribe"]
    assert value.isascii()
    assert value.isprintable()
    assert value.count("<") == value.count(">") == value.count(",") + 1
