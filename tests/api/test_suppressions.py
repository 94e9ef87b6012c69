"""What stands, a page at a time."""

import base64
from typing import Any

import pytest

from tests.api.asking import MAIL, PHONE, Asker, sha256_of

PATH = "/v1/suppressions"


def listed(ask: Asker, by: str = "integration", **query: Any) -> list[dict[str, Any]]:
    answer = ask.get(PATH, by=by, query=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_a_suppression_is_listed_as_it_was_recorded(ask: Asker) -> None:
    made = ask.opt_out(topic="offers", reason="complaint")
    answer = ask.get(PATH)
    assert answer.json == {"items": [made["suppression"]], "next": None}


@pytest.mark.parametrize("by", ["integration", "admin"])
def test_addresses_are_in_clear_for_roles_that_may_see_them(ask: Asker, by: str) -> None:
    ask.opt_out()
    assert [item["address"] for item in listed(ask, by)] == [MAIL]


def test_addresses_are_masked_for_an_auditor(ask: Asker) -> None:
    ask.opt_out()
    ask.opt_out(PHONE)
    answer = ask.get(PATH, by="auditor")
    assert len(answer.json["items"]) == 2
    assert all(item["address"] for item in answer.json["items"])
    assert MAIL not in answer.text
    assert PHONE not in answer.text


def test_an_address_known_only_by_its_hash_is_shown_as_that(ask: Asker) -> None:
    ask.opt_out(sha256_of(MAIL), channel="email")
    assert [item["address"] for item in listed(ask)] == [sha256_of(MAIL)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_the_pages_together_are_the_whole_list_once(ask: Asker, limit: int) -> None:
    ask.opt_out(PHONE, channel="*")
    ask.opt_in(PHONE, channel="sms")  # pins three rows of one event
    for n in range(4):
        ask.opt_out(f"r{n}@example.com")
    pages, cursor = [], None
    while True:
        query = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        answer = ask.get(PATH, query=query).json
        pages.append(answer["items"])
        if (cursor := answer["next"]) is None:
            break
    assert all(len(page) == limit for page in pages[:-1])
    rows = [(r["address"], r["scope"]["channel"]) for page in pages for r in page]
    assert len(rows) == 7
    assert set(rows) == {
        *((PHONE, channel) for channel in ("whatsapp", "rcs", "voice")),
        *((f"r{n}@example.com", "email") for n in range(4)),
    }


def test_what_was_lifted_is_not_listed(ask: Asker) -> None:
    ask.opt_out()
    ask.opt_in()
    assert listed(ask) == []


def test_filters_are_exact(ask: Asker) -> None:
    ask.opt_out("a@example.com")
    ask.opt_out("b@example.com", topic="offers", reason="complaint")
    ask.opt_out(PHONE, channel="*")
    expected: list[tuple[dict[str, str], set[str]]] = [
        ({"channel": "email"}, {"a@example.com", "b@example.com"}),
        ({"channel": "*"}, {PHONE}),
        ({"channel": "sms"}, set()),
        ({"topic": "offers"}, {"b@example.com"}),
        ({"topic": "*"}, {"a@example.com", PHONE}),
        ({"reason": "complaint"}, {"b@example.com"}),
        ({"channel": "email", "reason": "opted_out"}, {"a@example.com"}),
    ]
    for query, found in expected:
        assert {item["address"] for item in listed(ask, **query)} == found, query


def test_since_leaves_out_what_stood_before(ask: Asker) -> None:
    ask.opt_out("a@example.com")
    later = ask.opt_out("b@example.com")["suppression"]["since"]
    assert [item["address"] for item in listed(ask, since=later)] == ["b@example.com"]


def test_a_tenant_sees_its_own_and_not_the_platforms(ask: Asker) -> None:
    ask.opt_out("acme@example.com")
    ask.opt_out("bolt@example.com", by="bolt-admin")
    ask.opt_out("all@example.com", by="platform")
    seen = {by: [item["address"] for item in listed(ask, by)] for by in ("admin", "bolt-admin")}
    assert seen == {"admin": ["acme@example.com"], "bolt-admin": ["bolt@example.com"]}
    assert [item["address"] for item in listed(ask, "platform")] == ["all@example.com"]


def test_one_tenants_cursor_shows_another_nothing_of_it(ask: Asker) -> None:
    for n in range(2):
        ask.opt_out(f"r{n}@example.com")
    cursor = ask.get(PATH, query={"limit": 1}).json["next"]
    assert listed(ask, "bolt-admin", cursor=cursor) == []


def test_a_query_that_does_not_fit_is_refused(ask: Asker) -> None:
    refused: list[dict[str, Any]] = [
        {"channel": "fax"},
        {"channel": ""},
        {"topic": "no-such"},
        {"topic": ""},
        {"reason": "bored"},
        {"since": "yesterday"},
        {"since": "1700000000"},
        {"since": "2026-01-01T00:00:00"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "ten"},
        {"limit": "1e2"},
        {"limit": ["1", "2"]},
        {"cursor": "x" * 501},
        {"page": "2"},
    ]
    for query in refused:
        assert ask.get(PATH, query=query).status_code == 422, query


def test_a_cursor_that_none_of_our_pages_gave_is_refused(ask: Asker) -> None:
    for text in (
        "x",
        "",
        "99999999999999999999 00 email * *",
        "-1 00 email * *",
        "1 zz email * *",
        "1 00 email a\0b *",
        "1 00 fax * *",
        "1 00 email *",
    ):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        answer = ask.get(PATH, query={"cursor": cursor})
        assert (answer.status_code, answer.json["kind"]) == (400, "malformed"), text
    assert ask.get(PATH, query={"cursor": "\u00fc"}).status_code == 400
