"""Twilio's Event Streams: a JSON list of CloudEvents, signed over the hash of its bytes.

Read are the ends of messages, which come here as they come to a status callback, and the detection
of reassigned numbers. Sources: Twilio, "Event types: outbound message", "Event types: compliance
toolkit"; CloudEvents 1.0.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from optout_service.core.errors import Malformed
from optout_service.providers import twilio
from optout_service.providers.dialect import Dialect, Request, Unproven
from optout_service.providers.inbound import Meaning, Status

_ENDS: Final = ("com.twilio.messaging.message.failed", "com.twilio.messaging.message.undelivered")
_REASSIGNED: Final = "com.twilio.messaging.reassigned-number.detected"


def _read(request: Request) -> Unproven[list[Status]]:
    # The body is a list of JSON: the account is named in the signed URL.
    account = request.query.get("AccountSid", "")
    return Unproven(account, twilio.signer_of(request), partial(parse, request.body, account))


HOOK: Final = Dialect(twilio.PROVIDER, None, twilio.ANSWERS, _read)


def parse(body: bytes, account: str) -> list[Status]:
    """What a delivery says of ``account``, for which it was proven. Other events are left alone.

    Raises Malformed for what is no JSON list of events.
    """
    try:
        events = json.loads(body)
    except ValueError:
        raise Malformed("The body is not JSON in UTF-8.") from None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise Malformed("The body is not a list of events.")
    found = (_status(event) for event in events)
    return [status for status in found if status is not None and status.account == account]


def _status(event: Mapping[str, Any]) -> Status | None:
    data = event.get("data")
    if not isinstance(data, dict):
        return None
    kind = event.get("type")
    try:
        if kind in _ENDS:
            return _end_of_message(data)
    except Malformed:
        # One event of another shape must not keep the others out.
        return None
    return _reassigned(data) if kind == _REASSIGNED else None


def _end_of_message(data: Mapping[str, Any]) -> Status:
    """The same report as a status callback's, under the same key: whichever comes first counts."""
    fields = {
        "AccountSid": data.get("accountSid"),
        "MessageSid": data.get("messageSid"),
        "MessagingServiceSid": data.get("messagingServiceSid"),
        "MessageStatus": data.get("messageStatus"),
        "ErrorCode": data.get("errorCode"),
        "From": data.get("from"),
        "To": data.get("to"),
    }
    given = {name: str(value) for name, value in fields.items() if value is not None}
    return twilio.parse_status(given, occurred_at=_time(data.get("timestamp")))


def _reassigned(data: Mapping[str, Any]) -> Status | None:
    if data.get("is_reassigned") is not True or not data.get("event_id"):
        return None
    channel, person = twilio.without_prefix(str(data.get("to_number", "")))
    return Status(
        provider=twilio.PROVIDER,
        account=str(data.get("account_sid", "")),
        message_id=str(data["event_id"]),
        channel=channel,
        person=person,
        sender=twilio.without_prefix(str(data.get("from_number", "")))[1],
        service="",
        state="reassigned",
        code="",
        meaning=Meaning.REASSIGNED,
        occurred_at=_time(data.get("timestamp")),
    )


def _time(given: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo else None
