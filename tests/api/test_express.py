"""The check ahead of Flask says what Flask would say, and leaves to Flask all that is unusual."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request_started
from werkzeug.test import TestResponse

from optout_service.runtime import Runtime
from optout_service.store import keys
from tests.api.asking import MAIL, Asker

PLAIN = {"channel": "email", "address": MAIL}


@pytest.fixture
def by_flask(app: Flask, ask: Asker) -> Iterator[list[str]]:
    """The paths that Flask was asked for, after the key of ``sender`` has been seen once."""
    ask.check()
    asked: list[str] = []

    def note(*_: Any, **__: Any) -> None:
        asked.append("asked")

    with request_started.connected_to(note, app):
        yield asked


def seen(answer: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    """All that a caller sees of an answer, but the request's id."""
    headers = {name: text for name, text in answer.headers if name != "X-Request-Id"}
    return answer.status_code, answer.data, headers


def test_a_plain_check_by_a_known_key_is_answered_without_flask(
    ask: Asker, by_flask: list[str]
) -> None:
    ask.opt_out()
    by_flask.clear()
    assert ask.suppressed()
    assert by_flask == []


def test_both_ways_give_the_same_answer_to_the_byte(ask: Asker, by_flask: list[str]) -> None:
    ask.opt_out(topic="newsletter")
    by_flask.clear()
    express = ask.post("/v1/check", PLAIN, by="sender")
    assert by_flask == []
    flask = ask.post("/v1/check", PLAIN, by="sender", Optout_Tenant="acme")
    assert by_flask == ["asked"]
    assert seen(express) == seen(flask)


def test_both_ways_give_a_clearance_of_the_same_words(ask: Asker, by_flask: list[str]) -> None:
    asked = PLAIN | {"clearance": True}
    express = ask.post("/v1/check", asked, by="sender").json
    assert by_flask == []
    flask = ask.post("/v1/check", asked, by="sender", Optout_Tenant="acme").json
    assert express.keys() == flask.keys()
    times = {"issued_at", "valid_until"}
    words = [
        ask.post("/v1/clearances/verify", {"clearance": answer["clearance"]}, by="sender").json
        for answer in (express, flask)
    ]
    assert [{n: v for n, v in one.items() if n not in times} for one in words] == [
        {n: v for n, v in words[0].items() if n not in times}
    ] * 2
    assert words[0]["valid"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"channel": "email", "address": "nobody"}, 422),
        ({"channel": "pigeon", "address": MAIL}, 422),
        ({"channel": "email", "address": MAIL, "topic": "no-such-topic"}, 422),
        ({"channel": "email", "address": MAIL, "colour": "red"}, 422),
        ({"channel": "email"}, 422),
        ([], 422),
    ],
)
def test_flask_words_a_refusal_and_sees_the_body_whole(
    ask: Asker, by_flask: list[str], body: Any, status: int
) -> None:
    known = ask.post("/v1/check", body, by="sender")
    named = ask.post("/v1/check", body, by="sender", Optout_Tenant="acme")
    assert by_flask == ["asked", "asked"]
    assert known.status_code == status
    assert known.json is not None
    assert named.json is not None
    assert known.json | {"request_id": ""} == named.json | {"request_id": ""}


def test_a_body_that_is_no_json_is_refused_as_malformed(ask: Asker, by_flask: list[str]) -> None:
    answer = ask.client.post(
        "/v1/check",
        data=b"{",
        headers=ask.headers("sender", {}) | {"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json["kind"]) == (400, "malformed")  # type: ignore[index]


def test_a_key_revoked_a_moment_ago_gets_no_answer(
    rt: Runtime, ask: Asker, by_flask: list[str]
) -> None:
    with rt.writing() as connection:
        found = keys.find(connection, ask.keys["sender"], rt.keys)
        assert found is not None
        keys.revoke(connection, found.tenant, found.id, at=rt.now())
    answer = ask.post("/v1/check", PLAIN, by="sender")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_fault_nobody_foresaw_is_a_500_that_says_nothing(
    ask: Asker, by_flask: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(MAIL)

    monkeypatch.setattr(Runtime, "check", broken)
    answer = ask.post("/v1/check", PLAIN, by="sender")
    assert (answer.status_code, answer.json["kind"]) == (500, "internal")
    assert MAIL not in answer.text


@pytest.mark.parametrize("role", ["agent", "auditor"])
def test_a_known_key_whose_role_may_not_check_is_refused(
    ask: Asker, by_flask: list[str], role: str
) -> None:
    for _ in range(2):
        assert ask.post("/v1/check", PLAIN, by=role).status_code == 403


def test_no_key_is_no_answer(ask: Asker, by_flask: list[str]) -> None:
    assert ask.post("/v1/check", PLAIN, by=None).status_code == 401
    assert ask.client.get("/v1/check").status_code == 405
