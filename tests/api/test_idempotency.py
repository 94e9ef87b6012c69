"""A request that is sent again repeats its answer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from optout_service.runtime import Runtime
from optout_service.store.tables import event
from tests.api.asking import MAIL, WORDS, Asker
from tests.cast import BO

OUT = "/v1/opt-outs"
BODY: dict[str, Any] = {"channel": "email", "address": MAIL, **WORDS}


def events_in(rt: Runtime) -> int:
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(event)).scalar_one()


@pytest.mark.parametrize("path", [OUT, "/v1/opt-ins"])
def test_the_same_request_gets_the_same_answer_and_is_done_once(
    rt: Runtime, ask: Asker, path: str
) -> None:
    if path != OUT:
        ask.opt_out()
    before = events_in(rt)
    first = ask.post(path, BODY, Idempotency_Key="k-1")
    again = ask.post(path, BODY, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content_type == "application/json"
    assert events_in(rt) == before + 1


def test_the_same_request_many_times_at_once_is_done_once(
    rt: Runtime, app: Flask, api_keys: dict[str, str]
) -> None:
    def send(_: int) -> tuple[int, bytes]:
        answer = Asker(app.test_client(), api_keys).post(OUT, BODY, Idempotency_Key="k-1")
        return answer.status_code, answer.data

    with ThreadPoolExecutor(6) as threads:
        answers = set(threads.map(send, range(12)))
    assert len(answers) == 1
    assert events_in(rt) == 1


def test_without_the_header_each_request_is_an_act_of_its_own(rt: Runtime, ask: Asker) -> None:
    ask.post(OUT, BODY)
    ask.post(OUT, BODY)
    assert events_in(rt) == 2


def test_an_answer_is_repeated_even_after_the_state_has_changed(ask: Asker) -> None:
    first = ask.post(OUT, BODY, Idempotency_Key="k-1")
    ask.opt_in()
    again = ask.post(OUT, BODY, Idempotency_Key="k-1")
    assert again.data == first.data
    assert not ask.suppressed()


@pytest.mark.parametrize(
    ("path", "body"),
    [(OUT, BODY | {"address": BO.email}), ("/v1/opt-ins", BODY)],
    ids=["another body", "another path"],
)
def test_a_key_used_for_another_request_is_refused(
    rt: Runtime, ask: Asker, path: str, body: dict[str, str]
) -> None:
    ask.post(OUT, BODY, Idempotency_Key="k-1")
    other = ask.post(path, body, Idempotency_Key="k-1")
    assert (other.status_code, other.json["kind"]) == (422, "idempotency-mismatch")
    assert events_in(rt) == 1


def test_two_callers_keys_do_not_meet(rt: Runtime, ask: Asker) -> None:
    for by in ("integration", "admin", "bolt-admin"):
        answer = ask.post(OUT, BODY, by=by, Idempotency_Key="k-1")
        assert "Idempotent-Replayed" not in answer.headers
    assert events_in(rt) == 3


def test_a_platform_keys_requests_for_two_tenants_do_not_meet(rt: Runtime, ask: Asker) -> None:
    for tenant in ("acme", "bolt"):
        ask.post(OUT, BODY, by="platform", Idempotency_Key="k-1", Optout_Tenant=tenant)
    assert (ask.suppressed(by="sender"), ask.suppressed(by="bolt-sender")) == (
        True,
        True,
    )


def test_a_refusal_is_not_kept(ask: Asker) -> None:
    ask.opt_out(by="platform")
    refused = ask.post("/v1/opt-ins", BODY, by="admin", Idempotency_Key="k-1")
    assert refused.status_code == 409
    assert ask.opt_in(by="platform").status_code == 201
    later = ask.post("/v1/opt-ins", BODY, by="admin", Idempotency_Key="k-1")
    assert (later.status_code, "Idempotent-Replayed" in later.headers) == (200, False)


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "h\u00e9"])
def test_a_key_that_is_none_is_refused(rt: Runtime, ask: Asker, key: str) -> None:
    answer = ask.post(OUT, BODY, Idempotency_Key=key)
    assert (answer.status_code, answer.json["field"]) == (422, "Idempotency-Key")
    assert events_in(rt) == 0


def test_the_longest_key_is_taken(ask: Asker) -> None:
    assert ask.post(OUT, BODY, Idempotency_Key="x" * 255).status_code == 201
