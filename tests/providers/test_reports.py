"""What became of our messages: what a provider blocks is stopped, and everything else is left."""

import hashlib
import itertools
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from optout_service.core.evidence import Reason, Source
from optout_service.core.policy import Suppression
from optout_service.core.scope import Scope
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from optout_service.store import suppressions
from optout_service.store.senders import SenderKind
from tests import stage
from tests.cast import ANA
from tests.providers.playing import (
    PHONE,
    SILENCE,
    Person,
    Post,
    events,
    fields,
    register,
    share_account,
    suppressed,
)
from tests.stage import Cast


def standing(rt: Runtime, tenant: int) -> list[Suppression]:
    with rt.reading() as connection:
        return suppressions.standing(connection, tenant, rt.keys.digest(PHONE), rt.keys)


def report(post: Post, code: str, **changes: str) -> TestResponse:
    return post("status_undelivered", hook="status", ErrorCode=code, **changes)


@pytest.mark.parametrize("code", ["21610", "30004"])
def test_what_the_provider_blocks_is_stopped_as_by_a_stop(
    rt: Runtime, cast: Cast, post: Post, code: str
) -> None:
    answer = report(post, code)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, SILENCE, "text/xml")
    (row,) = standing(rt, cast.acme)
    assert (row.scope, row.reason, row.source) == (
        Scope("*", "*", "*"),
        Reason.BLOCKED,
        Source.PROVIDER,
    )


def test_who_blocked_a_sender_in_one_program_is_stopped_on_that_channel(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    report(post, "63014", To=f"whatsapp:{ANA.phone}", From="whatsapp:+15005550006")
    (row,) = standing(rt, cast.acme)
    assert (row.scope, row.reason) == (Scope("whatsapp", "*", "*"), Reason.BLOCKED)


LEFT_ALONE_CODES = (
    *("21211", "21614", "21635", "30003", "30005", "30006"),
    *("30007", "57012", "23001", "23002", "23004", "80901"),
    *("30610", "30640", "63024", "63033"),
    *("", "99999", "abc", "2161", "21610 ", "1" * 300),
)


def test_any_other_code_is_answered_and_not_stored(rt: Runtime, post: Post) -> None:
    for number, code in enumerate(LEFT_ALONE_CODES):
        answer = report(post, code, MessageSid=f"SM{number}")
        assert (answer.status_code, answer.text) == (200, SILENCE), code
    assert events(rt) == 0


def test_a_message_that_arrives_is_nobodys_opt_out(rt: Runtime, post: Post) -> None:
    for state in ("queued", "sent", "delivered", "read"):
        assert post("status_delivered", hook="status", MessageStatus=state).status_code == 200
    assert events(rt) == 0


def test_reports_that_come_twice_and_out_of_order_count_once(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    for state, _ in itertools.product(("failed", "undelivered"), range(2)):
        report(post, "21610", MessageStatus=state)
        post("status_delivered", hook="status", MessageStatus="sent")
    assert events(rt) == 2, "one for each of the two reports"
    assert len(standing(rt, cast.acme)) == 1


def test_a_start_from_the_phone_lifts_the_providers_block(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    report(post, "21610")
    post("start_long_code")
    assert not suppressed(rt, cast.acme)
    report(post, "21610")
    assert not suppressed(rt, cast.acme), "the same report again is of the block that was lifted"


def test_a_report_takes_no_persons_words_away(rt: Runtime, cast: Cast, post: Post) -> None:
    post("stop_long_code")
    report(post, "21610")
    (row,) = standing(rt, cast.acme)
    assert (row.reason, row.source) == (Reason.OPTED_OUT, Source.TEXT)


def test_a_report_about_an_unknown_sender_stops_all_of_the_account(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    share_account(rt, cast.bolt)
    report(post, "21610", From="ACMESHOP", MessagingServiceSid="")
    assert suppressed(rt, cast.acme)
    assert suppressed(rt, cast.bolt)


def test_a_report_is_of_the_service_where_the_number_is_not_registered(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    share_account(rt, cast.bolt)
    service = "MG00000000000000000000000000000002"
    register(rt, cast.acme, service, SenderKind.MESSAGING_SERVICE)
    report(post, "21610", From="ACMESHOP", MessagingServiceSid=service)
    assert suppressed(rt, cast.acme)
    assert not suppressed(rt, cast.bolt)


def test_a_report_about_no_phone_is_answered_and_not_stored(rt: Runtime, post: Post) -> None:
    for person in ("", "22000", "whatsapp:US.123", "+"):
        assert report(post, "21610", To=person).status_code == 200
    assert events(rt) == 0


def test_a_report_that_names_no_message_is_refused(rt: Runtime, post: Post) -> None:
    assert report(post, "21610", MessageSid="", SmsSid="").status_code == 400
    assert report(post, "21610", AccountSid="").status_code == 403
    assert events(rt) == 0


MESSAGE = {
    "messageSid": fields("status_undelivered")["MessageSid"],
    "timestamp": "2026-11-24T12:00:00.123Z",
    "accountSid": stage.ACCOUNT,
    "eventName": "com.twilio.messaging.message.undelivered",
    "from": stage.LONG_CODE,
    "to": ANA.phone,
    "messageStatus": "UNDELIVERED",
    "errorCode": 21610,
}
REASSIGNED = {
    "event_id": "1c70ebe141c2f106",
    "timestamp": "2026-09-21T00:00:00Z",
    "account_sid": stage.ACCOUNT,
    "from_number": stage.LONG_CODE,
    "to_number": ANA.phone,
    "is_reassigned": True,
}
UNDELIVERED = "com.twilio.messaging.message.undelivered"
DETECTED = "com.twilio.messaging.reassigned-number.detected"


def stream(client: FlaskClient, body: Any, *, account: str = stage.ACCOUNT) -> TestResponse:
    """Post to the sink as Event Streams does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    query = f"?AccountSid={account}&bodySHA256={hashlib.sha256(raw).hexdigest()}"
    target = f"/hooks/twilio/events{query}"
    signature = twilio.sign(stage.TOKEN, f"{stage.PUBLIC_URL}{target}", {})
    return client.post(
        target,
        data=raw,
        content_type="application/json",
        headers={"X-Twilio-Signature": signature},
        environ_overrides={"RAW_URI": target},
    )


def an_event(kind: str, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "type": kind, "id": "EZ1", "data": data | changes}


def test_a_reassigned_number_is_stopped_and_its_new_owner_may_start(
    client: FlaskClient, rt: Runtime, cast: Cast
) -> None:
    for _ in range(2):
        assert stream(client, [an_event(DETECTED, REASSIGNED)]).status_code == 200
    (row,) = standing(rt, cast.acme)
    assert (row.reason, row.source) == (Reason.REASSIGNED, Source.PROVIDER)
    assert events(rt) == 1
    Person(rt, cast.acme).says("START")
    assert not suppressed(rt, cast.acme)


def test_an_event_and_a_status_callback_of_one_message_count_once(
    client: FlaskClient, rt: Runtime, cast: Cast, post: Post
) -> None:
    assert stream(client, [an_event(UNDELIVERED, MESSAGE)]).status_code == 200
    report(post, "21610")
    assert suppressed(rt, cast.acme)
    assert events(rt) == 1


LEFT_ALONE = [
    [],
    [{}],
    [{"type": UNDELIVERED}],
    [{"type": UNDELIVERED, "data": "x"}],
    [an_event("com.twilio.error-logs.error.logged", {"error_code": "21610"})],
    [an_event(UNDELIVERED, MESSAGE, errorCode=30003)],
    [an_event(UNDELIVERED, MESSAGE, accountSid="AC00000000000000000000000000000009")],
    [an_event(UNDELIVERED, {})],
    [an_event(DETECTED, REASSIGNED, is_reassigned=False)],
    [an_event(DETECTED, REASSIGNED, is_reassigned="true")],
    [an_event(DETECTED, REASSIGNED, event_id="")],
    [an_event(DETECTED, REASSIGNED, to_number=None)],
]


def test_any_other_event_is_answered_and_not_stored(client: FlaskClient, rt: Runtime) -> None:
    for body in LEFT_ALONE:
        assert stream(client, body).status_code == 200, body
        assert events(rt) == 0, body


def test_one_event_of_another_shape_keeps_no_other_out(
    client: FlaskClient, rt: Runtime, cast: Cast
) -> None:
    stream(client, [an_event(UNDELIVERED, {}), an_event(UNDELIVERED, MESSAGE, timestamp="soon")])
    assert suppressed(rt, cast.acme)


def test_what_is_no_list_of_events_is_refused(client: FlaskClient) -> None:
    for body in (b"", b"[", b"\xff", {}, [1]):
        assert stream(client, body).status_code == 400, body


def test_a_stream_for_an_account_that_is_not_known_is_refused(
    client: FlaskClient, rt: Runtime
) -> None:
    other = "AC00000000000000000000000000000009"
    assert stream(client, [an_event(UNDELIVERED, MESSAGE)], account=other).status_code == 403
    assert events(rt) == 0
