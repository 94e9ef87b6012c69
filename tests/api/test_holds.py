"""Legal holds through the API, by those who answer for the tenant."""

from typing import Any

import pytest

from optout_service.runtime import Runtime
from tests.api.asking import MAIL, WORDS, Asker, sha256_of
from tests.stage import Cast

ONE: dict[str, Any] = {"channel": "email", "address": MAIL, "reason": "case 7"}
ERASE = {"channel": "email", "address": MAIL, "reason": "letter 8"}


def place(ask: Asker, **changes: Any) -> Any:
    return ask.post("/v1/holds", ONE | changes, by="admin")


def end(ask: Asker, number: int = 1, *, by: str = "admin") -> Any:
    return ask.send("POST", f"/v1/holds/{number}/end", by=by)


def test_while_one_stands_nothing_is_erased_and_after_it_is(ask: Asker) -> None:
    ask.opt_out(**WORDS)
    made = place(ask)
    assert (made.status_code, made.json["hold"], made.json["ended_at"]) == (201, 1, None)
    refused = ask.post("/v1/recipients/erase", ERASE, by="agent")
    assert (refused.status_code, refused.json["kind"]) == (409, "conflict")
    ended = end(ask)
    assert (ended.status_code, ended.json["hold"]) == (200, 1)
    assert ask.post("/v1/recipients/erase", ERASE, by="agent").status_code == 200


def test_it_says_who_placed_and_ended_it_and_of_whom_it_is(ask: Asker) -> None:
    ask.opt_out()
    made = place(ask).json
    assert (made["address"], made["reason"]) == (MAIL, "case 7")
    assert made["placed_by"].startswith("key:")
    ended = end(ask).json
    assert ended["ended_by"] == made["placed_by"]
    assert ask.get("/v1/holds", by="admin").json == {"items": [ended], "next": None}


def test_one_that_stands_is_not_placed_twice(ask: Asker) -> None:
    place(ask)
    again = place(ask, address=sha256_of(MAIL))
    assert (again.status_code, again.json["kind"]) == (409, "conflict")
    assert len(ask.get("/v1/holds", by="admin").json["items"]) == 1


def test_ending_it_again_changes_nothing(ask: Asker) -> None:
    place(ask)
    first = end(ask).json
    assert end(ask).json == first


@pytest.mark.parametrize("number", [2, 2**31, 10**30])
def test_what_is_not_there_or_anothers_is_not_found(ask: Asker, number: int) -> None:
    place(ask)
    for by, which in (("admin", number), ("bolt-admin", 1)):
        answer = end(ask, which, by=by)
        assert (answer.status_code, answer.json["kind"]) == (404, "not-found")
    assert ask.get("/v1/holds", by="admin").json["items"][0]["ended_at"] is None
    assert ask.get("/v1/holds", by="bolt-admin").json["items"] == []


def test_pages_of_one_give_each_once(ask: Asker) -> None:
    for number in range(3):
        place(ask, address=f"p{number}@example.com")
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        found = ask.get("/v1/holds", by="admin", query=query).json
        seen += [one["hold"] for one in found["items"]]
        cursor = found["next"]
    assert (seen, cursor) == ([1, 2, 3], None)


@pytest.mark.parametrize("reason", ["", " ", f"it is {MAIL}"])
def test_a_reason_is_needed_and_names_nobody(ask: Asker, reason: str) -> None:
    refused = place(ask, reason=reason)
    assert (refused.status_code, refused.json["kind"]) == (422, "invalid-request")
    assert MAIL not in refused.text
    assert ask.get("/v1/holds", by="admin").json["items"] == []


def test_it_is_a_line_in_the_log_without_the_address(
    rt: Runtime, cast: Cast, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "optout.audit"):
        place(ask)
        end(ask)
    assert [line.message for line in caplog.records if line.name == "optout.audit"] == [
        "legal hold placed",
        "legal hold ended",
    ]
    assert MAIL not in caplog.text
