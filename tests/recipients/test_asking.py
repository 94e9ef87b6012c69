"""Who has only a damaged link asks for a person to see to it, and stops nobody's messages by it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.errors import StoreUnavailable
from optout_service.core.evidence import Source
from optout_service.core.review import ReviewState, Why
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import reviews, suppressions
from optout_service.store.db import Database
from optout_service.store.reviews import Review
from tests import stage
from tests.cast import ANA, BO
from tests.recipients.pages import Page
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
PATH = "/u/-/request"
ClientWith = Callable[..., FlaskClient]


@pytest.fixture
def left(rt: Runtime, cast: Cast) -> str:
    """What is left of a link of Acme's: it ends too early."""
    return rt.links.mint(Claim(cast.acme, "email", MAIL, "newsletter"))[:-10]


@pytest.fixture
def client_with(database_url: str, cast: Cast) -> Iterator[ClientWith]:
    """Makes somebody at the doors of the same service, set otherwise."""
    with ExitStack() as kept:

        def made(**knobs: object) -> FlaskClient:
            rt = Runtime.build(stage.settings_for(database_url, **knobs), stage.KEYS)
            kept.callback(rt.close)
            return create_app(rt).test_client()

        yield made


def ask(client: FlaskClient, **fields: str) -> TestResponse:
    return client.post(PATH, data={"address": ANA.email} | fields)


def queue(rt: Runtime, tenant: int) -> list[Review]:
    with rt.reading() as connection:
        found, _ = reviews.page(
            connection,
            tenant,
            state=ReviewState.ALL,
            at=rt.now(),
            after=0,
            limit=100,
            keys=rt.keys,
        )
    return found


def form_of(page: Page) -> dict[str, Any]:
    """The fields of the page's one form, as a browser sends them untouched."""
    (form,) = page.attributes["form"]
    assert (form["method"], form["action"]) == ("post", f"{PATH}?lang=en")
    fields = [*page.attributes["input"], *page.attributes["textarea"]]
    return {str(field["name"]): field.get("value") or "" for field in fields}


def test_a_damaged_link_has_a_form_that_leads_to_the_brands_own_queue(
    rt: Runtime, cast: Cast, client: FlaskClient, left: str
) -> None:
    fields = form_of(Page(client.get(f"/u/{left}").text))
    assert fields == {"link": left, "address": "", "text": ""}
    answer = ask(client, **fields | {"address": f" {ANA.email} ", "text": "Acme, I think"})
    assert answer.status_code == 200
    assert "We have your request" in Page(answer.text).words
    (review,) = queue(rt, cast.acme)
    assert (review.why, review.source, review.channel) == (Why.DAMAGED_LINK, Source.PAGE, "*")
    assert review.address == MAIL
    assert review.private == {"address": ANA.email, "text": "Acme, I think", "link": left}
    assert queue(rt, 0) == []


def test_it_stops_nothing_and_holds_nothing(
    rt: Runtime, cast: Cast, client: FlaskClient, left: str
) -> None:
    ask(client, link=left, address=BO.email)
    (review,) = queue(rt, cast.acme)
    assert review.hold_event is None
    with rt.reading() as connection:
        bo = rt.keys.digest(Address.parse(Kind.EMAIL, BO.email))
        assert suppressions.standing(connection, cast.acme, bo, rt.keys) == []
        assert connection.execute(text("SELECT count(*) FROM event")).scalar_one() == 0


@pytest.mark.parametrize(
    "link", ["", "x", ANA.email, "AQAAAA", "AQD_____" * 9, "AQAAAAA" * 9, "ü" * 400, "%%%&#;<>"]
)
def test_what_names_no_tenant_goes_to_the_platform(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    assert ask(client, link=link).status_code == 200
    assert len(queue(rt, 0)) == 1
    assert queue(rt, cast.acme) == queue(rt, cast.bolt) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (ANA.phone, ANA.phone),
        ("+1 (415) 555-2671", ANA.phone),
        ("0171 23456", None),
        ("jo at example dot com", None),
        ("a@b@c", None),
        (f"sha256:{'0' * 64}", None),
        ("\x00\ud7ff\u202e", None),
    ],
)
def test_an_address_that_cannot_be_read_is_left_to_the_person_who_reads(
    rt: Runtime, client: FlaskClient, written: str, read: str | None
) -> None:
    assert ask(client, address=written).status_code == 200
    (review,) = queue(rt, 0)
    assert (review.address and review.address.value) == read
    assert review.private["address"] == written


@pytest.mark.parametrize("written", ["", "  ", "\r\n\t"])
def test_a_form_without_an_address_asks_for_it_and_keeps_what_is_left_of_the_link(
    rt: Runtime, cast: Cast, client: FlaskClient, left: str, written: str
) -> None:
    answer = ask(client, link=left, address=written)
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "Please write your email address" in page.words
    assert form_of(page)["link"] == left
    assert queue(rt, cast.acme) == []


def test_long_texts_are_cut_and_kept(rt: Runtime, client: FlaskClient) -> None:
    link = f"AQAAAAA{'c' * 9000}"
    assert ask(client, address="a" * 9000, text="b" * 9000, link=link).status_code == 200
    (review,) = queue(rt, 0)
    assert {name: len(said) for name, said in review.private.items()} == {
        "address": 320,
        "text": 1000,
        "link": 400,
    }


def test_there_are_only_so_many_in_a_minute_and_then_the_other_ways(
    rt: Runtime, client_with: ClientWith
) -> None:
    client = client_with(link_requests_per_minute=1, workers=1)
    assert ask(client).status_code == 200
    refused = ask(client)
    assert refused.status_code == 429
    page = Page(refused.text)
    assert "this was not sent" in page.words
    assert "postmaster@optout.example.com" in page.words
    assert "form" not in page.tags
    assert len(queue(rt, 0)) == 1


def test_with_no_requests_allowed_there_is_no_form(rt: Runtime, client_with: ClientWith) -> None:
    client = client_with(link_requests_per_minute=0)
    assert "form" not in Page(client.get("/u/x").text).tags
    assert ask(client).status_code == 429
    assert queue(rt, 0) == []


def test_a_request_that_could_not_be_stored_is_said_to_be_so_and_can_be_sent_again(
    app: Flask, client: FlaskClient, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailable("The store is away.")

    monkeypatch.setattr(Database, "writing", gone)
    answer = ask(client, link=left, text="who?")
    assert answer.status_code == 503
    page = Page(answer.text)
    assert "nothing was changed yet" in page.words
    assert form_of(page)["link"] == left
    assert ANA.email not in answer.text


def test_the_language_switcher_leads_to_the_form_again(client: FlaskClient) -> None:
    answer = client.get(f"{PATH}?lang=fr")
    assert (answer.status_code, answer.headers["Content-Language"]) == (200, "fr")
    assert "form" in Page(answer.text).tags


def test_under_a_path_of_its_own_the_form_leads_to_the_service(client_with: ClientWith) -> None:
    client = client_with(public_url="https://acme.example/leave")
    (form,) = Page(client.get("/u/x").text).attributes["form"]
    assert form["action"] == f"/leave{PATH}?lang=en"
