"""A key that asks too often is told when to come back. A recipient or a provider never is."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from tests.api.asking import MAIL, Asker
from tests.stage import Cast

PLAIN = {"channel": "email", "address": MAIL}
BATCH = {"channel": "email", "addresses": [MAIL]}
AskWith = Callable[..., Asker]


def check(ask: Asker, by: str = "sender", **headers: str) -> TestResponse:
    return ask.post("/v1/check", PLAIN, by=by, **headers)


def assert_refused(answer: TestResponse) -> None:
    assert answer.json is not None
    assert (answer.status_code, answer.json["kind"]) == (429, "too-many-requests")
    assert int(answer.headers["Retry-After"]) == answer.json["retry_after"] >= 1


# The share of one process in sixty: a request a minute.
@pytest.mark.parametrize("headers", [{}, {"Optout_Tenant": "acme"}], ids=["express", "flask"])
def test_a_key_over_its_limit_is_told_when_to_come_back(
    ask_with: AskWith, headers: dict[str, str]
) -> None:
    ask = ask_with(rate_per_second=1, workers=60)
    first, *others = [check(ask, **headers) for _ in range(3)]
    assert (first.status_code, first.headers["RateLimit"]) == (200, '"requests";r=0;t=60')
    for answer in others:
        assert_refused(answer)
        assert answer.headers["RateLimit"].startswith('"requests";r=0;t=')


def test_every_answer_says_what_is_left(ask_with: AskWith) -> None:
    ask = ask_with(rate_per_second=1000, workers=4)
    for left in (249, 248):
        answer = check(ask)
        assert answer.headers["RateLimit-Policy"] == '"requests";q=1000;w=1'
        said = re.fullmatch(r'"requests";r=(\d+);t=1', answer.headers["RateLimit"])
        assert said is not None
        assert left <= int(said[1]) <= 249


def test_a_batch_has_a_limit_of_its_own(ask_with: AskWith) -> None:
    ask = ask_with(heavy_rate_per_minute=1, workers=1)
    first = ask.post("/v1/check/batch", BATCH, by="sender")
    assert (first.status_code, first.headers["RateLimit"]) == (200, '"heavy";r=0;t=60')
    assert_refused(ask.post("/v1/check/batch", BATCH, by="sender"))
    assert_refused(ask.post("/v1/links/batch", {"links": [PLAIN]}, by="sender"))
    assert check(ask).status_code == 200


def test_one_keys_limit_is_not_anothers(ask_with: AskWith) -> None:
    ask = ask_with(heavy_rate_per_minute=1, workers=1)
    for by in ("sender", "integration", "bolt-sender"):
        assert ask.post("/v1/check/batch", BATCH, by=by).status_code == 200


def test_what_is_refused_for_the_limit_is_not_answered_and_not_written(ask_with: AskWith) -> None:
    ask = ask_with(rate_per_second=1, workers=60)
    assert ask.post("/v1/opt-outs", PLAIN).status_code == 201
    assert_refused(ask.post("/v1/opt-outs", PLAIN | {"address": "another@example.com"}))
    assert not ask.suppressed("another@example.com")


def test_without_a_limit_nothing_is_said_of_one(ask: Asker) -> None:
    assert "RateLimit" not in check(ask).headers


def test_neither_recipients_nor_providers_nor_probes_are_ever_limited(
    ask_with: AskWith, rt: Runtime, cast: Cast
) -> None:
    ask = ask_with(rate_per_second=1, heavy_rate_per_minute=1, workers=60)
    check(ask)
    assert_refused(check(ask))
    address = Address.parse(Kind.EMAIL, MAIL)
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'email', address, 'newsletter'))}"
    doors: list[tuple[str, str, Any, int]] = [
        ("GET", link, None, 200),
        ("POST", link, {"List-Unsubscribe": "One-Click"}, 200),
        ("POST", "/hooks/twilio/messages", {"Body": "STOP"}, 403),
        ("GET", "/healthz", None, 200),
        ("GET", "/readyz", None, 200),
    ]
    for method, path, form, status in doors:
        for _ in range(5):
            answer = ask.client.open(path, method=method, data=form)
            assert answer.status_code == status
            assert "RateLimit" not in answer.headers


def test_whoever_shows_no_key_uses_nobodys_limit_up(ask_with: AskWith) -> None:
    ask = ask_with(heavy_rate_per_minute=1, workers=1)
    for by in (None, "agent"):
        for _ in range(3):
            assert ask.post("/v1/check/batch", BATCH, by=by).status_code in (401, 403)
    assert ask.post("/v1/check/batch", BATCH, by="sender").status_code == 200
