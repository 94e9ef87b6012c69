"""A check's signed answer, and what it proves later."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.asking import MAIL, PHONE, Asker, sha256_of
from tests.cast import BO

VERIFY = "/v1/clearances/verify"


def cleared(ask: Asker, *, by: str = "sender", **more: Any) -> str:
    text: str = ask.check(by=by, clearance=True, **more)["clearance"]
    return text


def verified(ask: Asker, clearance: str, *, by: str = "auditor", **more: Any) -> Any:
    answer = ask.post(VERIFY, {"clearance": clearance, **more}, by=by)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_clearance_says_what_was_asked_and_what_was_known(ask: Asker) -> None:
    ask.opt_out(BO.email)
    answer = ask.check(topic="newsletter", clearance=True)
    told = verified(ask, answer["clearance"])
    issued, until = (datetime.fromisoformat(told.pop(n)) for n in ("issued_at", "valid_until"))
    assert until - issued == timedelta(seconds=900)
    assert datetime.fromisoformat(answer["clearance_valid_until"]) == until
    assert told == {
        "valid": True,
        "expired": False,
        "tenant": "acme",
        "channel": "email",
        "topic": "newsletter",
        "purpose": "marketing",
        "as_of": 1,
        "suppressed_now": False,
    }


def test_a_suppressed_answer_carries_none(ask: Asker) -> None:
    ask.opt_out()
    assert set(ask.check(clearance=True)) == {"suppressed", "address", "matches", "as_of"}


def test_nobody_gets_one_unasked(ask: Asker) -> None:
    assert set(ask.check()) == set(ask.check(clearance=False))
    assert "clearance" not in ask.check()


def test_no_address_is_in_one(ask: Asker) -> None:
    text = cleared(ask)
    assert text == text.strip()
    assert MAIL not in text
    assert sha256_of(MAIL)[7:] not in text


def test_a_clearance_is_still_true_of_its_time_after_an_opt_out(ask: Asker) -> None:
    text = cleared(ask)
    ask.opt_out()
    told = verified(ask, text)
    assert (told["valid"], told["suppressed_now"], told["as_of"]) == (True, True, 0)


def test_the_platforms_suppression_is_seen_too(ask: Asker) -> None:
    text = cleared(ask)
    ask.opt_out(by="platform")
    assert verified(ask, text)["suppressed_now"]


@pytest.mark.parametrize(
    ("message", "valid"),
    [
        ({"address": MAIL}, True),
        ({"address": MAIL.upper()}, True),
        ({"address": sha256_of(MAIL)}, True),
        ({"address": BO.email}, False),
        ({"channel": "email", "topic": "newsletter", "purpose": "marketing"}, True),
        ({"topic": "offers"}, False),
        ({"purpose": "transactional"}, False),
        ({"channel": "sms"}, False),
        ({"address": MAIL, "topic": "offers"}, False),
    ],
    ids=str,
)
def test_it_is_held_against_the_message_it_was_used_for(
    ask: Asker, message: dict[str, str], valid: bool
) -> None:
    told = verified(ask, cleared(ask, topic="newsletter"), **message)
    assert told["valid"] is valid
    assert ("matches_address" in told) is ("address" in message)
    assert ("matches_scope" in told) is bool(message.keys() - {"address"})


def test_an_expired_one_still_proves_what_was_known(
    ask: Asker, ask_with: Callable[..., Asker]
) -> None:
    text = cleared(ask_with(clearance_seconds=0))
    told = verified(ask, text, address=MAIL)
    assert (told["valid"], told["expired"], told["matches_address"]) == (False, True, True)


def test_what_is_none_of_the_tenants_is_refused_alike(ask: Asker) -> None:
    text = cleared(ask)
    others = cleared(ask, by="bolt-sender")
    seen = set()
    for wrong in (others, f"{text}A", text[:-1], "", "nonsense", "x" * 5000):
        answer = ask.post(VERIFY, {"clearance": wrong}, by="auditor")
        seen.add((answer.status_code, answer.json["kind"], answer.json["detail"]))
    assert {(status, kind) for status, kind, _ in seen} == {(422, "bad-clearance")}
    assert len(seen) == 1


def test_a_platform_key_verifies_for_the_tenant_it_names(ask: Asker) -> None:
    body = {"clearance": cleared(ask)}
    assert ask.post(VERIFY, body, by="platform").status_code == 422
    assert ask.post(VERIFY, body, by="platform", Optout_Tenant="acme").status_code == 200


def test_a_clearance_for_a_phone_is_held_against_a_phone(ask: Asker) -> None:
    text = cleared(ask, address=PHONE)
    assert verified(ask, text, address=PHONE)["matches_address"]
    answer = ask.post(VERIFY, {"clearance": text, "address": MAIL}, by="auditor")
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-address")
