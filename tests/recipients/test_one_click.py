"""RFC 8058 to the letter, and what real clients send beside it."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim, Links
from optout_service.runtime import Runtime
from optout_service.store import feed
from optout_service.store.tables import event
from tests.cast import ANA
from tests.recipients.test_page import break_the_store
from tests.stage import Cast
from tests.store.acts import act

MAIL = Address.parse(Kind.EMAIL, ANA.email)
NEWSLETTER = Scope("email", "newsletter", "marketing")
FORM = "application/x-www-form-urlencoded"
PAIR = b"List-Unsubscribe=One-Click"
# RFC 8058, section 8.3, as it is printed: its delimiter lines lack two hyphens (erratum 6347).
PRINTED = (
    b"---FormBoundaryjWmhtjORrn\r\n"
    b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
    b"---FormBoundaryjWmhtjORrn--"
)
CORRECTED = PRINTED.replace(b"---FormBoundary", b"-----FormBoundary")
# Erratum and all that a mail client's HTTP library adds: a type for the part, another part, words
# before and behind.
ELABORATE = (
    b"This is a message in several parts.\r\n"
    b"-----FormBoundaryjWmhtjORrn\r\n"
    b'Content-Disposition: form-data; name="source"\r\n\r\nmail\r\n'
    b"-----FormBoundaryjWmhtjORrn\r\n"
    b'content-disposition: form-data; name="List-Unsubscribe"\r\n'
    b"Content-Type: text/plain; charset=UTF-8\r\n\r\nOne-Click\r\n"
    b"-----FormBoundaryjWmhtjORrn--\r\nbehind"
)
BOUNDARY = "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn"
QUOTED = 'Multipart/Form-Data; Boundary="---FormBoundaryjWmhtjORrn"; charset=UTF-8'

# What mail clients send: name, content type, body, query, the form that goes into the evidence.
CLIENTS = [
    ("Gmail's 26 bytes", FORM, PAIR, "", "form"),
    ("a charset beside it", f"{FORM}; charset=UTF-8", PAIR, "", "form"),
    ("lower case", FORM, b"list-unsubscribe=one-click", "", "form"),
    ("with a line break", FORM, PAIR + b"\r\n", "", "form"),
    ("another field beside it", FORM, PAIR + b"&utm=1", "", "form"),
    ("multipart as corrected", BOUNDARY, CORRECTED + b"\r\n", "", "multipart"),
    ("multipart without the last CRLF", BOUNDARY, CORRECTED, "", "multipart"),
    ("multipart with all that may be in it", BOUNDARY, ELABORATE, "", "multipart"),
    ("multipart with its boundary in quotes", QUOTED, CORRECTED, "", "multipart"),
    ("multipart as printed", BOUNDARY, PRINTED, "", "raw"),
    ("multipart that names no boundary", "multipart/form-data", CORRECTED, "", "raw"),
    ("the type in capitals", FORM.upper(), PAIR, "", "form"),
    ("percent-encoded", FORM, b"List%2DUnsubscribe=One%2DClick", "", "form"),
    ("no content type", None, PAIR, "", "raw"),
    ("a wrong content type", "text/plain", PAIR, "", "raw"),
    ("an empty body", FORM, b"", "", "empty"),
    ("nothing at all", None, b"", "", "empty"),
    ("white space", FORM, b"\r\n", "", "empty"),
    ("a bare POST to a tracked link", None, b"", "?utm_source=mail", "empty"),
    ("the pair in the query", None, b"", "?List-Unsubscribe=One-Click", "query"),
    ("in the query of an empty form", FORM, b"", "?a=b&List-Unsubscribe=One-Click", "query"),
]


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter', 'm-42'))}"


def click(client: FlaskClient, link: str) -> TestResponse:
    return client.post(link, data=PAIR, content_type=FORM)


def events(rt: Runtime) -> int:
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(event)).scalar_one()


@pytest.mark.parametrize(
    ("content_type", "body", "query", "form"),
    [client[1:] for client in CLIENTS],
    ids=[client[0] for client in CLIENTS],
)
def test_one_click_unsubscribes_whoever_sends_it(
    rt: Runtime,
    cast: Cast,
    client: FlaskClient,
    link: str,
    content_type: str | None,
    body: bytes,
    query: str,
    form: str,
) -> None:
    answer = client.post(f"{link}{query}", data=body, content_type=content_type)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert rt.check(cast.acme, MAIL, NEWSLETTER).matches[0].source is Source.ONE_CLICK
    with rt.reading() as connection:
        (told,) = feed.history(connection, cast.acme, MAIL, rt.keys)
    assert told.evidence["body_form"] == form
    assert told.evidence["message"] == "m-42"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"List-Unsubscribe=Two-Clicks"),
        (FORM, b"a=b"),
        (FORM, b"action=everything"),
        (FORM, b"action="),
        ("application/json", b"{}"),
        ("text/plain", b"hello"),
        (BOUNDARY, b"junk"),
        ("multipart/form-data", b"junk"),
        (None, b"\x00\xff"),
    ],
)
def test_what_says_nothing_of_the_kind_shows_the_page_and_writes_nothing(
    rt: Runtime, client: FlaskClient, link: str, content_type: str | None, body: bytes
) -> None:
    answer = client.post(link, data=body, content_type=content_type)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Stop these messages?" in answer.text
    assert events(rt) == 0


def test_it_leaves_the_topic_of_the_message_and_no_more(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    click(client, link)
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed
    assert not rt.check(cast.acme, MAIL, Scope("email", "offers", "marketing")).suppressed
    assert not rt.check(cast.acme, MAIL, Scope("email", "newsletter", "transactional")).suppressed
    assert not rt.check(cast.bolt, MAIL, Scope("email", "*", "marketing")).suppressed


def test_a_link_about_all_topics_leaves_all_marketing(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    click(client, f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL))}")
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed
    assert not rt.check(cast.acme, MAIL, Scope("email", "*", "transactional")).suppressed


def test_the_answer_is_the_same_for_who_has_left_already(
    rt: Runtime, client: FlaskClient, link: str
) -> None:
    first, second = click(client, link), click(client, link)
    assert first.data == second.data
    assert first.status == second.status
    assert events(rt) == 2


def test_the_answer_is_the_same_for_who_was_stopped_through_another_door(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    fresh = click(client, link)
    everywhere = Scope("*", "*", "*")
    with rt.writing() as connection:
        evidence = act(cast.acme, address=MAIL, scope=everywhere, reason=Reason.LEGAL)
        rt.record(connection, evidence)
    told = click(client, link)
    assert (told.status, told.data) == (fresh.status, fresh.data)


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "OPTIONS"])
def test_nobody_is_ever_redirected_and_no_cookie_is_set(
    client: FlaskClient, link: str, method: str
) -> None:
    body = {"data": PAIR, "content_type": FORM} if method == "POST" else {}
    for base in ("http://localhost", "https://elsewhere.example"):
        for ending in ("", "/", "?a=b", "/?a=b", "//", "%2F"):
            answer = client.open(f"{link}{ending}", method=method, base_url=base, **body)
            assert answer.status_code in (200, 204)
            assert not {"Location", "Set-Cookie"} & set(answer.headers.keys())


@pytest.mark.parametrize("content_type", [FORM, None], ids=["ahead of Flask", "by Flask"])
def test_unknown_tokens_are_answered_alike_and_none_makes_the_store_work(
    rt: Runtime, client: FlaskClient, link: str, content_type: str | None
) -> None:
    token = link.removeprefix("/u/")
    other = Links(KeyRing(b"p" * 32, (b"e" * 32,), (b"x" * 32,)))
    unknown = [
        other.mint(Claim(1, "email", MAIL)),
        other.mint(Claim(4711, "email", MAIL)),
        f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}",
        token.replace("~", "~A"),
        "B" + token[1:],
        token.partition("~")[0],
        "A" * len(token),
        "A" * 3000,
        "x",
    ]
    break_the_store(rt)
    answers = [client.post(f"/u/{text}", data=PAIR, content_type=content_type) for text in unknown]
    assert {answer.status_code for answer in answers} == {404}
    # What is left of their own link stands in the form by which they can ask, and nothing else.
    own = re.compile(rb'name="link" value="[^"]*"')
    assert len({own.sub(b"", answer.data) for answer in answers}) == 1
    apart = {"X-Request-Id": "", "Content-Length": ""}
    headers = [{**answer.headers, **apart} for answer in answers]
    assert headers == [headers[0]] * len(headers)
    assert click(client, link).status_code == 503, "a genuine one needs it"


def test_cookies_origin_and_referrer_are_nobodys_business(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    client.post(
        link,
        data=PAIR,
        content_type=FORM,
        headers={
            "Cookie": "session=x",
            "Origin": "https://evil.example",
            "Referer": "https://evil.example/",
            "Authorization": "Basic eDp5",
        },
    )
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


def test_leaving_coming_back_and_clicking_the_old_link_again_unsubscribes_again(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    click(client, link)
    with rt.writing() as connection:
        rt.record(connection, act(cast.acme, Action.OPT_IN, address=MAIL, scope=NEWSLETTER))
    assert not rt.check(cast.acme, MAIL, NEWSLETTER).suppressed
    click(client, link)
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


@pytest.mark.parametrize("behind", [".", ",", ")", ">", "'", ").", "!"])
def test_what_stands_behind_a_link_in_the_text_does_no_harm(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, behind: str
) -> None:
    assert click(client, f"{link}{behind}").status_code == 200
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_asks_not_to_be_tracked_leaves_no_traces(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, header: str
) -> None:
    client.post(link, data=PAIR, content_type=FORM, headers={header: "1", "User-Agent": "M/1"})
    click(client, link)
    with rt.reading() as connection:
        quiet, ordinary = feed.history(connection, cast.acme, MAIL, rt.keys)
    assert not {"ip", "user_agent"} & set(quiet.evidence)
    assert ordinary.evidence["ip"] == "127.0.0.1"
