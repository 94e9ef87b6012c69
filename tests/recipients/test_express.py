"""The one click ahead of Flask does what Flask would do, and leaves it all that is unusual."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request_started
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from optout_service.core.address import Address
from optout_service.core.errors import StoreUnavailable
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import feed
from tests.cast import ANA
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
FORM = "application/x-www-form-urlencoded"
PAIR = b"List-Unsubscribe=One-Click"


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter', 'm-42'))}"


@pytest.fixture
def by_flask(app: Flask) -> Iterator[list[str]]:
    """A word for each request that Flask was asked for."""
    asked: list[str] = []

    def note(*_: Any, **__: Any) -> None:
        asked.append("asked")

    with request_started.connected_to(note, app):
        yield asked


def seen(answer: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    """All that a mail client sees of an answer, but the request's id."""
    headers = {name: text for name, text in answer.headers if name != "X-Request-Id"}
    return answer.status_code, answer.data, headers


def evidence(rt: Runtime, cast: Cast) -> list[dict[str, str]]:
    """The private evidence of Ana's acts, in order."""
    with rt.reading() as connection:
        return [row.evidence for row in feed.history(connection, cast.acme, MAIL, rt.keys)]


def test_both_ways_answer_alike_to_the_byte_and_write_the_same_evidence(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, by_flask: list[str]
) -> None:
    express = client.post(link, data=PAIR, content_type=FORM)
    assert by_flask == []
    flask = client.post(link, data=PAIR, content_type=f"{FORM}; charset=utf-8")
    assert by_flask == ["asked"]
    assert seen(express) == seen(flask)
    first, second = evidence(rt, cast)
    assert first == second
    assert first["body_form"] == "form"


@pytest.mark.parametrize(
    ("body", "content_type", "query"),
    [
        (PAIR, "text/plain", ""),
        (b"", FORM, ""),
        (PAIR, FORM, "?a=b"),
        (b"list-unsubscribe=one-click", FORM, ""),
        (b"action=topic&aaaaaaaaaaaaaa", FORM, ""),
    ],
)
def test_what_is_unusual_goes_to_flask_with_its_body_whole(
    rt: Runtime,
    cast: Cast,
    client: FlaskClient,
    link: str,
    by_flask: list[str],
    body: bytes,
    content_type: str,
    query: str,
) -> None:
    assert client.post(link + query, data=body, content_type=content_type).status_code == 200
    assert by_flask == ["asked"]
    assert len(evidence(rt, cast)) == 1


def test_a_link_that_is_none_gets_the_page_with_another_way_out(
    client: FlaskClient, by_flask: list[str]
) -> None:
    answer = client.post("/u/nonsense", data=PAIR, content_type=FORM)
    assert by_flask == ["asked"]
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_what_could_not_be_stored_is_said_to_be_so_and_tried_once(
    client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def full(*_: Any) -> None:
        tries.append("tried")
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(Runtime, "record", full)
    answer = client.post(link, data=PAIR, content_type=FORM)
    assert (answer.status_code, answer.mimetype) == (503, "text/plain")
    assert "Not recorded" in answer.text
    assert tries == ["tried"]
