"""Everybody reads the page in their language, and can change it without script or cookie."""

from datetime import UTC, datetime

import pytest
from flask import Request
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from optout_service.core.address import Address
from optout_service.core.language import LANGUAGES
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.recipients import languages
from optout_service.runtime import Runtime
from tests.cast import ANA
from tests.recipients.pages import Page
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)


def link_of(rt: Runtime, cast: Cast, language: str = "") -> str:
    claim = Claim(cast.acme, "email", MAIL, "newsletter", language=language)
    return f"/u/{rt.links.mint(claim)}"


@pytest.mark.parametrize(
    ("chosen", "of_link", "accepted", "code"),
    [
        ("fr", "de", "es", "fr"),
        ("", "de", "es", "de"),
        ("tlh", "xx", "es", "es"),
        ("", "", "", "en"),
        ("", "", "sv, nl;q=0.5, fr;q=0.8", "fr"),
        ("", "", "zh-TW", "zh"),
        ("", "", "iw-IL", "he"),
        ("", "pt_BR", "", "pt"),
        ("", "", "*", "en"),
        ("", "", ";;q=x,,-", "en"),
        ("../../etc", "%(x)s", "", "en"),
    ],
)
def test_the_first_wish_that_can_be_met_is_met(
    chosen: str, of_link: str, accepted: str, code: str
) -> None:
    builder = EnvironBuilder(query_string={"lang": chosen}, headers={"Accept-Language": accepted})
    assert languages.choose(Request(builder.get_environ()), of_link).code == code


@pytest.mark.parametrize("dialect", ["sqlite"])  # the store has no language
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_page_is_whole_in_every_language_and_keeps_it(
    rt: Runtime, cast: Cast, client: FlaskClient, code: str
) -> None:
    link = f"{link_of(rt, cast)}?lang={code}"
    stop = ["topic:newsletter", "topic:offers"]
    answers = [client.get(link), client.post(link, data={"action": "choose"})]
    answers += [client.post(link, data={"action": "choose", "stop": stop}), client.get(link)]
    answers += [client.post(link, data={"action": "return"}), client.get(f"/u/x?lang={code}")]
    answers += [client.put(link)]
    request = f"/u/-/request?lang={code}"
    answers += [client.post(request), client.post(request, data={"address": "jo@example.com"})]
    direction = "rtl" if code in ("ar", "he") else "ltr"
    for answer in answers:
        page = Page(answer.text)
        assert page.attributes["html"] == [{"lang": code, "dir": direction}]
        assert answer.headers["Content-Language"] == code
        assert page.tags.count("h1") == 1
        assert "%(" not in page.words
        assert len(answer.data) < 20_000
        assert {form["action"] for form in page.attributes.get("form", [])} <= {"", request}
        here = [a for a in page.attributes["a"] if a.get("aria-current")]
        assert [a["href"] for a in here] == [f"?lang={code}"]


def test_a_refusal_too_is_in_the_language_of_the_link_without_a_store(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    link = link_of(rt, cast, "de")
    with rt.writing() as connection:
        connection.execute(text("ALTER TABLE tenant RENAME TO away"))
    refused = [client.get(link), client.post(link, data={"action": "topic"}), client.put(link)]
    assert [answer.status_code for answer in refused] == [503, 503, 405]
    assert {answer.headers["Content-Language"] for answer in refused} == {"de"}
    assert client.put(f"{link}?lang=fr").headers["Content-Language"] == "fr"


def test_names_are_kept_apart_from_the_text_around_them(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    shown = client.get(link_of(rt, cast, "ar")).text
    assert "«<bdi>Newsletter</bdi>»" in shown
    assert f"<bdi>{MAIL.masked}</bdi>" in shown
    assert "\N{FIRST STRONG ISOLATE}Acme Shop\N{POP DIRECTIONAL ISOLATE}" in Page(shown).words


def test_a_day_is_written_as_the_language_writes_it() -> None:
    moment = datetime(2026, 11, 24, 23, tzinfo=UTC)
    written = {code: languages.get(code).date(moment) for code in ("en", "de", "ja", "pt")}
    assert written == {
        "en": "November 24, 2026",
        "de": "24. November 2026",
        "ja": "2026年11月24日",
        "pt": "24 de novembro de 2026",
    }
