"""Erasing a recipient through the API, as an agent who was asked to does."""

from typing import Any

import pytest

from tests.api.asking import MAIL, WORDS, Asker, sha256_of
from tests.cast import BO

ERASE = "/v1/recipients/erase"
ONE: dict[str, Any] = {"channel": "email", "address": MAIL, "reason": "T-17"}
LOOKUP = {"channel": "email", "address": MAIL}


@pytest.mark.parametrize("address", [MAIL, sha256_of(MAIL)])
def test_an_agent_erases_a_recipient_who_stays_suppressed(ask: Asker, address: str) -> None:
    ask.opt_out(**WORDS)
    answer = ask.post(ERASE, ONE | {"address": address}, by="agent")
    assert answer.status_code == 200
    assert answer.json["erased"] == {"addresses": 1, "events": 1, "reviews": 0, "answers": 0}
    assert {part["what"]: part["count"] for part in answer.json["kept"]} == {
        "suppressions": 1,
        "events": 1,
    }
    assert ask.suppressed()
    found = ask.post("/v1/recipients/lookup", LOOKUP, by="agent").json
    assert [event["evidence"] for event in found["events"]] == [{}]
    assert ask.get("/v1/events", by="admin").json["events"][0]["address"] is None


def test_a_dry_run_erases_nothing(ask: Asker) -> None:
    ask.opt_out(**WORDS)
    answer = ask.post(ERASE, ONE | {"dry_run": True}, by="agent")
    assert (answer.json["dry_run"], answer.json["erased"]["events"]) == (True, 1)
    found = ask.post("/v1/recipients/lookup", LOOKUP, by="agent").json
    assert found["events"][0]["evidence"] == WORDS


def test_whom_the_tenant_does_not_know_it_has_nothing_of(ask: Asker) -> None:
    ask.opt_out(by="platform", tenant="bolt", **WORDS)
    answer = ask.post(ERASE, ONE, by="agent")
    assert (answer.status_code, answer.json["kept"]) == (200, [])
    assert not any(answer.json["erased"].values())
    there = ask.post(ERASE, ONE | {"dry_run": True}, by="bolt-admin").json
    assert there["erased"]["events"] == 1


@pytest.mark.parametrize("reason", [None, "", " ", f"asked by {MAIL}"])
def test_without_a_reason_or_with_the_address_in_it_nothing_is_erased(
    ask: Asker, reason: str | None
) -> None:
    ask.opt_out(**WORDS)
    body = {name: value for name, value in ONE.items() if name != "reason"}
    answer = ask.post(ERASE, body | ({} if reason is None else {"reason": reason}), by="agent")
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-request")
    assert answer.json["field"] == "reason"
    assert MAIL not in answer.text
    found = ask.post("/v1/recipients/lookup", LOOKUP, by="agent").json
    assert found["events"][0]["evidence"] == WORDS


def test_an_erasure_touches_nobody_else(ask: Asker) -> None:
    for address in (MAIL, BO.email):
        ask.opt_out(address, **WORDS)
    ask.post(ERASE, ONE, by="admin")
    found = ask.post("/v1/recipients/lookup", LOOKUP | {"address": BO.email}, by="agent").json
    assert found["events"][0]["evidence"] == WORDS
