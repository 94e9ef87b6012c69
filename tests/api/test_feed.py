"""The ledger as callers follow it."""

from hashlib import sha256
from typing import Any

import pytest

from tests.api.asking import MAIL, PHONE, Asker, sha256_of

PATH = "/v1/events"


def events(ask: Asker, by: str = "integration", **query: Any) -> Any:
    answer = ask.get(PATH, by=by, query=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_event_is_told_as_it_was_recorded(ask: Asker) -> None:
    ask.opt_out(topic="offers", reason="complaint", occurred_at="2026-01-31T12:00:00Z")
    (event,) = events(ask)["events"]
    assert event.pop("recorded_at").endswith("Z")
    assert len(bytes.fromhex(event.pop("hash"))) == sha256().digest_size
    assert event.pop("actor").startswith("key:")
    assert event == {
        "event": 1,
        "action": "opt_out",
        "changed": True,
        "scope": {
            "tenant": "acme",
            "channel": "email",
            "topic": "offers",
            "purpose": "marketing",
        },
        "reason": "complaint",
        "source": "api",
        "address": MAIL,
        "occurred_at": "2026-01-31T12:00:00Z",
    }


def test_what_changed_nothing_is_told_too(ask: Asker) -> None:
    ask.opt_out()
    ask.opt_out()
    ask.opt_in()
    told = [(e["action"], e["changed"]) for e in events(ask)["events"]]
    assert told == [("opt_out", True), ("opt_out", False), ("opt_in", True)]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1000])
def test_whoever_follows_the_feed_misses_nothing(ask: Asker, limit: int) -> None:
    seen, after = [], 0
    for burst in range(3):
        for n in range(2):
            ask.opt_out(f"r{burst}-{n}@example.com")
        ask.opt_out("elsewhere@example.com", by="bolt-admin")
        while (page := events(ask, after=after, limit=limit))["events"]:
            seen += [event["event"] for event in page["events"]]
            after = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6]


def test_an_empty_page_says_to_read_on_where_one_stands(ask: Asker) -> None:
    assert events(ask, after=7) == {"events": [], "next": 7}


@pytest.mark.parametrize("by", ["integration", "admin"])
def test_addresses_are_in_clear_for_roles_that_may_see_them(ask: Asker, by: str) -> None:
    ask.opt_out()
    assert events(ask, by)["events"][0]["address"] == MAIL


def test_addresses_are_masked_for_an_auditor(ask: Asker) -> None:
    ask.opt_out()
    ask.opt_out(PHONE)
    answer = ask.get(PATH, by="auditor")
    assert [bool(event["address"]) for event in answer.json["events"]] == [True, True]
    assert MAIL not in answer.text
    assert PHONE not in answer.text


def test_an_address_known_only_by_its_hash_is_shown_as_that(ask: Asker) -> None:
    ask.opt_out(sha256_of(MAIL), channel="email")
    assert events(ask)["events"][0]["address"] == sha256_of(MAIL)


def test_the_private_evidence_is_not_in_the_feed(ask: Asker) -> None:
    ask.opt_out(statement="a very private word", reference="T-77")
    text = ask.get(PATH, by="admin").text
    assert "a very private word" not in text
    assert "T-77" not in text


def test_each_tenant_has_a_ledger_of_its_own(ask: Asker) -> None:
    ask.opt_out("acme@example.com")
    ask.opt_out("bolt@example.com", by="bolt-admin")
    ask.opt_out("all@example.com", by="platform")
    for by, address in (
        ("admin", "acme@example.com"),
        ("bolt-admin", "bolt@example.com"),
        ("platform", "all@example.com"),
    ):
        told = events(ask, by)["events"]
        assert [(e["event"], e["address"]) for e in told] == [(1, address)]


def test_a_query_that_does_not_fit_is_refused(ask: Asker) -> None:
    refused: list[dict[str, Any]] = [
        {"after": "-1"},
        {"after": ""},
        {"after": "x"},
        {"after": "1e2"},
        {"after": "9223372036854775808"},
        {"after": "9" * 5000},
        {"after": ["1", "2"]},
        {"limit": "0"},
        {"limit": "1001"},
        {"since": "2026-01-01T00:00:00Z"},
    ]
    for query in refused:
        answer = ask.get(PATH, query=query)
        assert (answer.status_code, answer.json["kind"]) == (422, "invalid-request"), query


def test_the_largest_number_is_past_every_event(ask: Asker) -> None:
    ask.opt_out()
    assert events(ask, after=2**63 - 1)["events"] == []
