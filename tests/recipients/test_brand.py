"""The page wears what the tenant has set, and stays as plain and as strict as it was."""

import base64
import re
from dataclasses import replace
from hashlib import sha256

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from optout_service.core import logo
from optout_service.core.address import Address
from optout_service.core.language import LANGUAGES
from optout_service.core.looks import Looks
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store.tables import brand
from tests import pictures
from tests.cast import ANA
from tests.recipients.dress import DRESSED, dress
from tests.recipients.pages import Page
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
PHONE = Address.parse(Kind.PHONE, ANA.phone)


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


def styles(text: str) -> list[str]:
    return re.findall(r"<style>(.*?)</style>", text, re.DOTALL)


def test_without_looks_of_its_own_a_page_has_one_style_and_loads_nothing(
    client: FlaskClient, link: str
) -> None:
    answer = client.get(link)
    assert len(styles(answer.text)) == 1
    assert "img-src" not in answer.headers["Content-Security-Policy"]
    assert "img" not in Page(answer.text).tags


def test_a_brands_colours_are_a_second_style_that_the_policy_names(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    dress(rt, cast.acme)
    answer = client.get(link)
    own = styles(answer.text)[1]
    assert own.startswith(":root{--act:#a3182a;--on-act:#ffffff;--word:#a3182a}@media")
    digests = [base64.b64encode(sha256(s.encode()).digest()).decode() for s in styles(answer.text)]
    policy = answer.headers["Content-Security-Policy"]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}' 'sha256-{digests[1]}'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert " style=" not in answer.text


def test_the_logo_is_in_the_page_and_says_the_brands_name(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    dress(rt, cast.acme)
    text = client.get(link).text
    (picture,) = Page(text).attributes["img"]
    source = f"data:image/png;base64,{base64.b64encode(pictures.png()).decode()}"
    assert picture == {"src": source, "width": "24", "height": "12", "alt": "Acme Shop"}
    assert '<bdi aria-hidden="true">Acme Shop</bdi>' in text


@pytest.mark.parametrize("action", ["topic", "return", "all"])
def test_the_pages_after_a_tap_wear_it_too(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, action: str
) -> None:
    dress(rt, cast.acme)
    client.post(link, data={"action": "topic"})
    answer = client.post(link, data={"action": action})
    assert len(styles(answer.text)) == 2
    assert "img" in Page(answer.text).tags


@pytest.mark.parametrize(
    "url", ["https://acme.example/help?a=b&c=d", "mailto:help@acme.example", "tel:+14155550100"]
)
def test_a_tap_on_the_contact_leads_where_the_brand_says(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, url: str
) -> None:
    dress(rt, cast.acme, Looks(contact_url=url))
    page = Page(client.get(link).text)
    (leading,) = [a for a in page.attributes["a"] if "hreflang" not in a]
    assert leading == {"href": url, "rel": "noreferrer"}
    assert "help@acme.example" in page.words


@pytest.mark.parametrize(
    ("query", "of_link", "accepted", "code"),
    [
        ("", "", "", "de"),
        ("", "", "sv, tlh", "de"),
        ("", "", "fr", "fr"),
        ("", "es", "fr", "es"),
        ("?lang=ja", "es", "fr", "ja"),
    ],
)
def test_a_brands_language_is_for_readers_of_whom_nothing_else_is_known(
    rt: Runtime,
    cast: Cast,
    client: FlaskClient,
    query: str,
    of_link: str,
    accepted: str,
    code: str,
) -> None:
    dress(rt, cast.acme)
    token = rt.links.mint(Claim(cast.acme, "email", MAIL, "newsletter", language=of_link))
    answer = client.get(f"/u/{token}{query}", headers={"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == code


@pytest.mark.parametrize("dialect", ["sqlite"])  # the store weighs nothing
@pytest.mark.parametrize("code", LANGUAGES)
def test_under_the_largest_logo_every_page_weighs_less_than_20_kb(
    rt: Runtime, cast: Cast, client: FlaskClient, code: str
) -> None:
    dress(rt, cast.acme, replace(DRESSED, logo=logo.parse(pictures.padded_png(logo.MAX_BYTES))))
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'sms', PHONE, 'newsletter'))}?lang={code}"
    stop = ["topic:newsletter", "channel:voice"]
    answers = [client.get(link), client.post(link, data={"action": "choose", "stop": stop})]
    answers += [client.post(link, data={"action": "return"}), client.get(link)]
    for answer in answers:
        assert "img" in Page(answer.text).tags
        assert len(answer.data) < 20_000


@pytest.mark.parametrize(
    "damage",
    [
        {"colour": "#ffd400"},
        {"colour": "red;}x{"},
        {"logo": b"<svg onload='alert(1)'/>"},
        {"language": "tlh"},
        {"contact_url": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_what_stands_in_the_database_and_would_be_refused_today_is_left_out(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, damage: dict[str, object]
) -> None:
    dress(rt, cast.acme)
    with rt.writing() as connection:
        connection.execute(update(brand).where(brand.c.tenant == cast.acme).values(damage))
    answer = client.get(link)
    assert answer.status_code == 200
    assert "alert" not in answer.text
    page = Page(answer.text)
    assert "Acme Shop" in page.words
    assert page.actions == ["topic", "all", "return", "choose"]
