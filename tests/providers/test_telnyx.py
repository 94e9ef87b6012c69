"""Telnyx's dialect: what its events say, and what they leave unsaid."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from optout_service.core.errors import Malformed
from optout_service.core.keyword import Intent
from optout_service.providers import messaging, telnyx
from optout_service.providers.inbound import Delivery, Inbound, Meaning, Status
from optout_service.runtime import Runtime
from tests import payloads
from tests.cast import ANA
from tests.providers.playing import events, suppressed
from tests.providers.security import Telnyx
from tests.providers.test_security import Hook
from tests.stage import Cast

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SENT_AT = datetime(2026, 11, 20, 18, 10, 2, 574000, tzinfo=UTC)


def event(name: str, **changes: Any) -> dict[str, Any]:
    """A recorded event; ``changes`` replace parts of its payload."""
    made: dict[str, Any] = json.loads(payloads.load(f"telnyx/{name}.json"))
    made["data"]["payload"] |= changes
    return made


def received(**changes: Any) -> Inbound:
    told = telnyx.parse(event("message_received", **changes), NOW)
    assert isinstance(told, Inbound)
    return told


def finalized(**changes: Any) -> Status:
    told = telnyx.parse(event("message_finalized", **changes), NOW)
    assert isinstance(told, Status)
    return told


@pytest.fixture
def hook(rt: Runtime, cast: Cast) -> Hook:
    return Hook(rt, cast, Telnyx())


def test_a_persons_message() -> None:
    profile = Telnyx.accounts[0]
    assert received() == Inbound(
        provider="telnyx",
        account=profile,
        message_id="7ee4241c-f127-47e5-9c34-3aac291f8058",
        channel="sms",
        person=ANA.phone,
        to=Telnyx.sender,
        service=profile,
        text="Please stop texting me",
        occurred_at=SENT_AT,
        answerable=False,
    )


@pytest.mark.parametrize(
    ("said", "matched"),
    [
        ("STOP", Intent.OPT_OUT),
        ("opt_out", Intent.OPT_OUT),
        ("START", Intent.OPT_IN),
        ("opt_in", Intent.OPT_IN),
        ("HELP", Intent.HELP),
        ("NEW", None),
        ("", None),
        (None, None),
        (["STOP"], None),
    ],
)
def test_what_telnyx_has_answered_it_says(said: Any, matched: Intent | None) -> None:
    assert received(autoresponse_type=said).matched is matched


@pytest.mark.parametrize(
    ("given", "channel"),
    [("SMS", "sms"), ("MMS", "sms"), ("RCS", "rcs"), ("whatsapp", "whatsapp"), ("Fax", "fax")],
)
def test_the_channel(given: str, channel: str) -> None:
    assert received(type=given).channel == channel


def test_an_agent_stands_where_there_is_no_number() -> None:
    assert received(to=[{"agent_id": "acme_agent"}]).to == "acme_agent"


@pytest.mark.parametrize("given", [None, "", "yesterday", 17, "2031-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_none(given: Any) -> None:
    assert received(received_at=given).occurred_at is None


@pytest.mark.parametrize(
    "changes",
    [{"id": ""}, {"id": None}, {"id": "x" * 201}, {"id": "a\x00b"}, {"from": {}}, {"from": []}],
)
def test_a_message_without_an_id_or_a_person_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        received(**changes)


def test_half_a_character_is_no_reason_to_lose_a_message() -> None:
    assert received(text="stop \ud83d").text == "stop ?"


@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        (["40300"], Meaning.BLOCKED),
        (["40005", "40300"], Meaning.BLOCKED),
        (["40001"], Meaning.UNREACHABLE),
        (["40002"], Meaning.ALERT),
        (["40005"], Meaning.NOTHING),
        ([], Meaning.NOTHING),
    ],
)
def test_the_end_of_one_of_ours(codes: list[str], meaning: Meaning) -> None:
    assert finalized(errors=[{"code": code} for code in codes]).meaning is meaning


def test_a_report_has_a_key_of_codes_and_words_alone() -> None:
    assert finalized().key.message_id == f"{finalized().message_id}/delivery_failed/40300"
    odd = finalized(errors=[{"code": ANA.phone}], to=[{"status": "to +1415"}])
    assert odd.key.message_id == f"{odd.message_id}//"


def test_a_message_to_a_group_does_not_say_who_blocked_it() -> None:
    to = [{"phone_number": ANA.phone}, {"phone_number": "+14155552672"}]
    assert telnyx.parse(event("message_finalized", to=to), NOW) is None


@pytest.mark.parametrize(
    "strange",
    [{}, {"data": []}, {"data": {"event_type": "message.sent"}}, {"data": {"event_type": 1}}],
)
def test_other_events_concern_nobody(strange: Any) -> None:
    told: Delivery = telnyx.parse(strange, NOW)
    assert told is None


def test_an_event_that_concerns_nobody_is_taken_and_not_stored(hook: Hook) -> None:
    body = json.dumps(event("message_received")).replace("message.received", "message.sent")
    assert hook.signed(body.encode()).post(hook.client).status_code == 200
    assert events(hook.rt) == 0


def test_a_block_of_telnyxs_is_recorded(hook: Hook, cast: Cast) -> None:
    body = payloads.load("telnyx/message_finalized.json")
    for _ in range(2):
        assert hook.signed(body).post(hook.client).status_code == 200
    assert suppressed(hook.rt, cast.acme)
    assert events(hook.rt) == 1


@pytest.mark.parametrize("said", ["STOP", "please stop texting me", "HELP", "START"])
def test_nothing_is_said_back_nor_kept_as_if_it_had_been(hook: Hook, cast: Cast, said: str) -> None:
    assert hook.post(said).data == b""
    again = received(id="m-1", text=said)
    assert messaging.receive(hook.rt, again, (cast.acme,)) is None
