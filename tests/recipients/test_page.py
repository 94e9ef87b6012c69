"""The page for people: it asks, it says what was done, and nobody is blamed."""

import base64
import re
from hashlib import sha256
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from optout_service.core.address import Address
from optout_service.core.evidence import Source
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store.tables import metadata
from tests.cast import ANA
from tests.recipients.pages import Page
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
PHONE = Address.parse(Kind.PHONE, ANA.phone)
NEWSLETTER = Scope("email", "newsletter", "marketing")


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


def everything(rt: Runtime) -> dict[str, int]:
    with rt.reading() as connection:
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
        heads = connection.execute(text("SELECT seq, head FROM tenant ORDER BY id")).all()
    return counts | {f"head {n}": hash(tuple(row)) for n, row in enumerate(heads)}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_at_a_link_changes_nothing(
    rt: Runtime, client: FlaskClient, link: str, method: str
) -> None:
    before = everything(rt)
    for _ in range(3):
        answer = client.open(link, method=method, headers={"User-Agent": "LinkScanner"})
        assert answer.status_code in (200, 204)
        assert "Set-Cookie" not in answer.headers
    assert everything(rt) == before


def test_the_page_asks_and_names_the_brand_and_the_masked_address(
    client: FlaskClient, link: str
) -> None:
    page = Page(client.get(link).text)
    assert "Acme Shop" in page.words
    assert MAIL.masked in page.words
    assert ANA.email not in page.words
    assert page.actions == ["topic", "all", "return", "choose"]
    assert "Unsubscribe from “Newsletter”" in page.words
    assert "help@acme.example" in page.words


def test_its_button_stops_the_topic_and_says_what_may_still_come(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    page = Page(client.post(link, data={"action": "topic"}).text)
    assert rt.check(cast.acme, MAIL, NEWSLETTER).matches[0].source is Source.PAGE
    assert not rt.check(cast.acme, MAIL, Scope("email", "offers", "marketing")).suppressed
    assert "You are unsubscribed" in page.words
    assert "receipts" in page.words
    assert "acme-1" in page.words
    assert page.actions == ["all", "undo"]


def test_its_second_button_stops_everything(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    page = Page(client.post(link, data={"action": "all"}).text)
    for topic in ("newsletter", "offers", "*"):
        assert rt.check(cast.acme, MAIL, Scope("email", topic, "marketing")).suppressed
    assert not rt.check(cast.acme, MAIL, Scope("email", "*", "transactional")).suppressed
    assert page.actions == ["undo"]


def test_everything_of_a_phone_is_every_channel_of_it(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'sms', PHONE))}"
    client.post(link, data={"action": "topic"})
    assert not rt.check(cast.acme, PHONE, Scope("voice", "*", "marketing")).suppressed
    client.post(link, data={"action": "all"})
    assert rt.check(cast.acme, PHONE, Scope("voice", "*", "marketing")).suppressed


def test_what_stands_already_is_shown_as_such(client: FlaskClient, link: str) -> None:
    client.post(link, data={"action": "topic"})
    page = Page(client.get(link).text)
    assert "You are unsubscribed" in page.words
    assert page.actions == ["all", "return", "choose", "return"]
    client.post(link, data={"action": "all"})
    page = Page(client.get(link).text)
    assert "All marketing messages" in page.words
    assert page.actions == ["return"]


@pytest.mark.parametrize("action", ["ask", "topic", "all", "damaged"])
def test_every_page_is_small_plain_and_loads_nothing(
    client: FlaskClient, link: str, action: str
) -> None:
    if action in ("ask", "damaged"):
        answer = client.get(link if action == "ask" else link[:-1])
    else:
        answer = client.post(link, data={"action": action})
    page = Page(answer.text)
    assert page.tags.count("h1") == 1
    assert page.attributes["html"] == [{"lang": "en", "dir": "ltr"}]
    assert page.tags.count("title") == 1
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert len(answer.data) < 20_000
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_style_is_the_one_that_the_policy_names(client: FlaskClient, link: str) -> None:
    answer = client.get(link)
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def test_a_brands_name_is_text_and_never_markup(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    with rt.writing() as connection:
        connection.execute(text("UPDATE tenant SET name = '<b>Acme</b>' WHERE slug = 'acme'"))
    assert "&lt;b&gt;Acme&lt;/b&gt;" in client.get(link).text


def damaged(link: str) -> list[str]:
    token = link.removeprefix("/u/")
    tokens = ["", "x", "%00", "A" * 3000, token[:-1], token[1:], token[:40], token.swapcase()]
    return [f"/u/{damage}" for damage in (*tokens, f"{token[:40]}/{token[41:]}", token[::-1], "-")]


def without_what_is_left(page: str) -> str:
    """A page without the one field that repeats what is left of the reader's link."""
    return re.sub(r'name="link" value="[^"]*"', "", page)


def test_a_damaged_link_leads_to_another_way_out(client: FlaskClient, link: str) -> None:
    answers = [
        client.open(path, method=method, data=b"List-Unsubscribe=One-Click")
        for path in damaged(link)
        for method in ("GET", "POST")
    ]
    assert {answer.status_code for answer in answers} == {404}
    said = {without_what_is_left(answer.text) for answer in answers}
    assert len(said) == 1, "which fault it is, is not told"
    page = Page(answers[0].text)
    assert "Unsubscribe" in page.words
    assert "postmaster@optout.example.com" in page.words


def test_a_mangled_link_is_opened_and_acts_as_if_it_were_whole(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    token = link.removeprefix("/u/")
    for text_ in (f"<{token}>.", f"{token[:50]}\r\n> {token[50:]}", f"/{token}/", quote(token) * 2):
        mangled = f"/u/{quote(text_, safe='/')}"
        assert client.get(mangled).status_code == 200, text_
        assert client.post(mangled, data={"action": "nothing"}).status_code == 200, text_
    assert not rt.check(cast.acme, MAIL, NEWSLETTER).suppressed
    client.post(mangled, data=b"List-Unsubscribe=One-Click", content_type="text/plain")
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


def test_a_link_to_a_tenant_that_is_gone_is_a_damaged_one(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    link = f"/u/{rt.links.mint(Claim(4711, 'email', MAIL))}"
    damaged_page = without_what_is_left(client.get("/u/x").text)
    assert without_what_is_left(client.get(link).text) == damaged_page
    assert without_what_is_left(client.post(link).text) == damaged_page


def test_another_method_is_refused(rt: Runtime, client: FlaskClient, link: str) -> None:
    before = everything(rt)
    for method in ("PUT", "DELETE", "PATCH"):
        refused = client.open(link, method=method)
        assert refused.status_code == 405
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert everything(rt) == before


def break_the_store(rt: Runtime) -> None:
    """As a migration gone wrong would: nothing can be read or written any more."""
    with rt.writing() as connection:
        connection.execute(text("ALTER TABLE tenant RENAME TO away"))


def mend_the_store(rt: Runtime) -> None:
    with rt.writing() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO tenant"))


def test_when_the_store_is_away_nobody_is_told_that_it_worked(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    break_the_store(rt)
    one_click = client.post(link)
    assert (one_click.status_code, one_click.mimetype) == (503, "text/plain")
    assert "Not recorded" in one_click.text
    button = client.post(link, data={"action": "topic"})
    assert button.status_code == 503
    page = Page(button.text)
    assert "not recorded" in page.words
    assert page.actions == ["topic"]
    assert client.get(link).status_code == 503
    assert int(one_click.headers["Retry-After"]) > 0
    mend_the_store(rt)
    assert client.post(link).status_code == 200, "and it is back by itself"
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


def test_we_say_that_we_honour_global_privacy_control(client: FlaskClient) -> None:
    answer = client.get("/.well-known/gpc.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json() == {"gpc": True, "lastUpdate": "2026-11-24"}
