"""The checkboxes: nothing is ticked beforehand, and an odd form stops nothing."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store.tables import event
from tests.cast import ANA
from tests.recipients.pages import Page
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
PHONE = Address.parse(Kind.PHONE, ANA.phone)


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


@pytest.fixture
def phone_link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'sms', PHONE))}"


def boxes(page: Page) -> list[str | None]:
    return [i["value"] for i in page.attributes["input"] if i["type"] == "checkbox"]


def test_every_topic_has_a_box_and_none_is_ticked(client: FlaskClient, link: str) -> None:
    page = Page(client.get(link).text)
    assert boxes(page) == ["topic:events", "topic:newsletter", "topic:offers"]
    assert not any("checked" in field for field in page.attributes["input"])


def test_what_is_ticked_is_stopped_and_named_and_has_no_box_any_more(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    ticked = {"action": "choose", "stop": ["topic:events", "topic:offers", "topic:offers"]}
    done = Page(client.post(link, data=ticked).text)
    assert "Events" in done.words
    assert "Offers" in done.words
    assert "acme-1, acme-2" in done.words
    for topic, stopped in (("events", True), ("offers", True), ("newsletter", False)):
        verdict = rt.check(cast.acme, MAIL, Scope("email", topic, "marketing"))
        assert verdict.suppressed is stopped
    page = Page(client.get(link).text)
    assert boxes(page) == ["topic:newsletter"]
    assert "already stopped" in page.words


def test_a_phone_has_its_channels_too(
    rt: Runtime, cast: Cast, client: FlaskClient, phone_link: str
) -> None:
    assert boxes(Page(client.get(phone_link).text))[-4:] == [
        "channel:sms",
        "channel:whatsapp",
        "channel:rcs",
        "channel:voice",
    ]
    client.post(phone_link, data={"action": "choose", "stop": ["topic:offers", "channel:voice"]})
    done = client.post(phone_link, data={"action": "choose", "stop": "channel:voice"})
    assert "Phone calls" in Page(done.text).words
    assert rt.check(cast.acme, PHONE, Scope("voice", "newsletter", "marketing")).suppressed
    assert not rt.check(cast.acme, PHONE, Scope("sms", "newsletter", "marketing")).suppressed


@pytest.mark.parametrize(
    "stop",
    [
        [],
        [""],
        ["*"],
        ["topic:*"],
        ["topic:-"],
        ["topic:nothing"],
        ["channel:sms"],
        ["topic:offers", "topic:nothing"],
        ["topic:offers\r\nSet-Cookie: x"],
        [f"topic:{n}" for n in range(20_000)],
    ],
    ids=lambda stop: f"{len(stop)} {stop[:1]}"[:30],
)
def test_an_empty_or_odd_form_shows_the_page_again_and_writes_nothing(
    rt: Runtime, client: FlaskClient, link: str, stop: list[str]
) -> None:
    answer = client.post(link, data={"action": "choose", "stop": stop})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert "nothing was changed" in page.words
    assert "open" in page.attributes["details"][0], "where they were choosing"
    with rt.reading() as connection:
        assert connection.execute(select(func.count()).select_from(event)).scalar_one() == 0


def test_too_many_parts_are_refused_in_words(client: FlaskClient, link: str) -> None:
    many = {"action": "choose", "stop": [f"topic:{n}" for n in range(2000)]}
    answer = client.post(link, data=many, content_type="multipart/form-data")
    assert answer.status_code == 413
    assert "Nothing was changed" in Page(answer.text).words
