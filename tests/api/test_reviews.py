"""The queue through the API: who sees what, and what a decision does."""

from collections.abc import Callable
from typing import Any

import pytest

from optout_service.core.evidence import Authority, Source
from optout_service.core.review import Why
from optout_service.core.scope import Scope
from optout_service.runtime import Runtime
from optout_service.store import reviews
from tests.api.asking import PHONE, Asker
from tests.cast import ANA
from tests.stage import Cast
from tests.store.acts import PHONE as ADDRESS
from tests.store.acts import SAID, act, doubt

PATH = "/v1/reviews"
NO = {"decision": "not_opt_out", "reason": "She wants fewer peppers."}
YES = {"decision": "opt_out", "reason": "Plain enough."}
Hold = Callable[..., int]


@pytest.fixture
def hold(rt: Runtime, cast: Cast) -> Hold:
    """What a door does with a doubtful text; ``changes`` are those of the doubt."""

    def text(tenant: int | None = None, **changes: Any) -> int:
        owner = cast.acme if tenant is None else tenant
        with rt.writing() as connection:
            held = act(
                owner,
                address=ADDRESS,
                scope=Scope("*", "*", "marketing"),
                source=Source.TEXT,
                authority=Authority.RECIPIENT_PHONE,
            )
            event = rt.record(connection, held).event
            given = doubt(owner, **({"hold_event": event} | changes))
            return reviews.open_review(connection, given, at=rt.now(), keys=rt.keys).number

    return text


def decide(ask: Asker, number: int, body: Any, by: str = "agent") -> Any:
    return ask.post(f"{PATH}/{number}/decision", body, by=by)


def listed(ask: Asker, by: str = "agent", **query: Any) -> list[int]:
    answer = ask.get(PATH, by=by, query=query)
    assert answer.status_code == 200, answer.text
    return [item["review"] for item in answer.json["items"]]


def test_a_review_is_told_with_all_that_it_takes_to_decide(ask: Asker, hold: Hold) -> None:
    hold()
    told = ask.get(f"{PATH}/1", by="agent").json
    assert told["received_at"].endswith("Z")
    assert told.pop("due_at") > told.pop("received_at")
    assert told == {
        "review": 1,
        "why": "doubtful",
        "rule": "review:en:no",
        "channel": "sms",
        "topic": "*",
        "source": "text",
        "address": PHONE,
        "said": SAID,
        "overdue": False,
        "hold_event": 1,
        "decided": None,
    }
    assert ask.get(PATH, by="agent").json["items"] == [ask.get(f"{PATH}/1", by="agent").json]


def test_an_auditor_sees_neither_the_address_nor_the_words(ask: Asker, hold: Hold) -> None:
    hold()
    decide(ask, 1, NO)
    for path in (f"{PATH}?state=all", f"{PATH}/1"):
        answer = ask.client.get(path, headers=ask.headers("auditor", {}))
        for word in (ANA.phone, "pizza", SAID["to"], "peppers"):
            assert word not in answer.text
    told = ask.get(f"{PATH}/1", by="auditor").json
    assert (told["said"], told["decided"]["reason"]) == (None, None)
    assert told["address"] == "+1••••••••71"
    assert told["decided"]["changed"] is True


def test_deciding_that_it_was_no_opt_out_lets_marketing_go_on(ask: Asker, hold: Hold) -> None:
    hold()
    assert ask.suppressed(PHONE)
    assert not ask.suppressed(PHONE, purpose="transactional")
    made = decide(ask, 1, NO | {"reference": "T-1"})
    assert made.status_code == 200
    told = made.json["decided"]
    assert told.pop("decided_at").endswith("Z")
    assert told.pop("decided_by").startswith("key:")
    assert told == {
        "decision": "not_opt_out",
        "event": 2,
        "changed": True,
        "reason": NO["reason"],
        "reference": "T-1",
    }
    assert not ask.suppressed(PHONE)
    assert listed(ask) == []
    assert listed(ask, state="decided") == [1]


def test_it_lifts_nothing_if_the_person_opted_out_since(ask: Asker, hold: Hold) -> None:
    hold()
    ask.opt_out(PHONE)
    made = decide(ask, 1, NO).json["decided"]
    assert (made["event"], made["changed"]) == (3, False)
    assert ask.suppressed(PHONE)


def test_deciding_that_it_was_one_stops_transactional_texts_too(ask: Asker, hold: Hold) -> None:
    hold()
    assert decide(ask, 1, YES).json["decided"]["changed"] is True
    assert ask.suppressed(PHONE, purpose="transactional")
    assert ask.suppressed(PHONE, channel="voice")


def test_deciding_twice_alike_is_answered_alike_and_otherwise_refused(
    ask: Asker, hold: Hold
) -> None:
    hold()
    first = decide(ask, 1, NO)
    again = decide(ask, 1, NO | {"reason": "as I said"}, by="admin")
    assert (again.status_code, again.json) == (200, first.json)
    other = decide(ask, 1, YES)
    assert (other.status_code, other.json["kind"]) == (409, "conflict")
    assert other.json["decision"] == "not_opt_out"
    assert not ask.suppressed(PHONE)


def test_when_the_lifts_of_the_day_are_used_up_it_stays_open(
    ask_with: Callable[..., Asker], hold: Hold
) -> None:
    ask = ask_with(lift_cap=0)
    hold()
    answer = decide(ask, 1, NO)
    assert (answer.status_code, answer.json["kind"]) == (429, "lift-cap")
    assert listed(ask) == [1]
    assert decide(ask, 1, YES).status_code == 200, "stopping is never capped"


def test_another_tenants_review_does_not_exist(ask: Asker, hold: Hold) -> None:
    hold()
    assert listed(ask, by="bolt-admin", state="all") == []
    for number in (1, 2, 2**63, 10**30):
        shown = ask.get(f"{PATH}/{number}", by="bolt-admin")
        decided = decide(ask, number, NO, by="bolt-admin")
        for answer in (shown, decided):
            assert (answer.status_code, answer.json["kind"]) == (404, "not-found"), number
    assert ask.suppressed(PHONE)


def test_what_names_no_tenant_is_the_platforms(ask: Asker, hold: Hold) -> None:
    hold(0, address=None, why=Why.DAMAGED_LINK, hold_event=None)
    assert listed(ask, by="platform") == [1]
    assert listed(ask, by="admin") == []
    assert ask.get(f"{PATH}/1", by="platform").json["address"] is None


def test_whoever_decides_for_a_review_that_names_nobody_gives_the_address(
    ask: Asker, hold: Hold
) -> None:
    hold(address=None, hold_event=None)
    without = decide(ask, 1, YES)
    assert (without.status_code, without.json["field"]) == (422, "address")
    wrong = decide(ask, 1, YES | {"address": "a@b@c"})
    assert (wrong.status_code, wrong.json["kind"]) == (422, "invalid-address")
    assert decide(ask, 1, YES | {"address": PHONE}).json["address"] == PHONE


def test_the_pages_together_are_the_whole_queue_once(ask: Asker, hold: Hold) -> None:
    for _ in range(3):
        hold()
    for limit in (1, 2, 3):
        seen: list[int] = []
        cursor: int | None = 0
        while cursor is not None:
            page = ask.get(PATH, by="admin", query={"limit": limit, "cursor": cursor}).json
            seen += [item["review"] for item in page["items"]]
            cursor = page["next"]
        assert seen == [1, 2, 3], limit


def test_a_decision_that_does_not_fit_decides_nothing(ask: Asker, hold: Hold) -> None:
    hold()
    refused: list[tuple[str | None, dict[str, Any]]] = [
        ("decision", {"reason": "x"}),
        ("decision", NO | {"decision": "maybe"}),
        ("reason", {"decision": "opt_out"}),
        ("reason", NO | {"reason": " "}),
        ("reason", NO | {"reason": "x" * 2001}),
        ("reference", NO | {"reference": ""}),
        ("address", YES | {"address": 7}),
        (None, NO | {"by": "me"}),
    ]
    for field, body in refused:
        answer = decide(ask, 1, body)
        assert (answer.status_code, answer.json.get("field")) == (422, field), body
    assert listed(ask) == [1]


def test_an_address_in_the_wrong_place_is_not_repeated(ask: Asker, hold: Hold) -> None:
    hold(address=None, hold_event=None)
    for change in ({"decision": ANA.email}, {ANA.email: 1}, {"address": f"{ANA.email} at home"}):
        answer = decide(ask, 1, YES | change)
        assert answer.status_code == 422, change
        assert "canary" not in answer.text


def test_a_query_that_does_not_fit_is_refused(ask: Asker) -> None:
    for query in ({"state": "lost"}, {"cursor": "x"}, {"limit": "0"}, {"page": "2"}):
        assert ask.get(PATH, by="agent", query=query).status_code == 422, query
