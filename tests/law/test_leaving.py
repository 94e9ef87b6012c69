"""What it takes to leave: the link, one page, nothing else; and nobody else hears of it."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from optout_service.core.scope import Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from tests.api.asking import Asker
from tests.cast import ANA
from tests.recipients.pages import Page
from tests.stage import Cast
from tests.store.acts import MAIL, MARKETING, NEWSLETTER


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


def test_the_page_asks_for_nothing_that_the_link_does_not_hold(
    client: FlaskClient, link: str
) -> None:
    page = Page(client.get(link).text)
    fields = {field.get("type") for field in page.attributes["input"]}
    assert fields <= {"hidden", "checkbox"}, "no address, no name, no password, no payment"
    assert not {"textarea", "select"} & set(page.tags)
    assert not any("required" in field for field in page.attributes["input"])


@pytest.mark.parametrize(("action", "scope"), [("topic", NEWSLETTER), ("all", MARKETING)])
def test_one_page_and_one_tap_are_all_of_it(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, action: str, scope: Scope
) -> None:
    page = Page(client.get(link).text)
    assert action in page.actions
    assert not rt.check(cast.acme, MAIL, scope).suppressed
    client.post(link, data={"action": action})
    assert rt.check(cast.acme, MAIL, scope).suppressed


def test_whoever_has_only_the_link_and_knows_no_brand_and_no_topic_leaves_all(
    rt: Runtime, cast: Cast, app: Flask
) -> None:
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL))}"
    stranger = app.test_client(use_cookies=False)
    assert stranger.post(link).status_code == 200
    assert rt.check(cast.acme, MAIL, MARKETING).suppressed


def test_no_page_asks_who_has_left_to_come_back(client: FlaskClient, link: str) -> None:
    """ICO v. Flybe: an invitation to return is marketing. The way back is a small button, last."""
    page = Page(client.post(link, data={"action": "all"}).text)
    assert page.actions == ["undo"]
    assert not re.search("sorry|miss you|are you sure|come back|change your mind", page.words, re.I)


def test_that_somebody_left_is_told_to_no_other_tenant(
    client: FlaskClient, cast: Cast, link: str
) -> None:
    client.post(link)
    ask = Asker(client, cast.keys)
    assert ask.suppressed(topic="newsletter")
    for path in ("/v1/events", "/v1/suppressions", "/v1/suppressions/export"):
        of_bolt = ask.get(path, by="bolt-admin")
        assert of_bolt.status_code == 200
        assert ANA.email not in of_bolt.text
        assert "newsletter" not in of_bolt.text
    assert not ask.suppressed(by="bolt-sender", topic="news")


def test_who_left_goes_out_as_hashes_unless_a_role_that_may_asks_for_more(
    client: FlaskClient, cast: Cast, link: str
) -> None:
    client.post(link)
    ask = Asker(client, cast.keys)
    for role in ("integration", "admin", "auditor"):
        told = ask.get("/v1/suppressions/export", by=role)
        assert (told.status_code, ANA.email in told.text) == (200, False)
    assert ask.get("/v1/suppressions/export", by="sender").status_code == 403
