"""Telnyx's dialect: its signature and its events. No rules, no Flask, no store.

Sources: Telnyx, "Webhook signing"; "Inbound message" and "Message status" callbacks; "Messaging
error codes"; "Advanced opt-in/out management".
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from optout_service.core import times
from optout_service.core.errors import BadSignature, Malformed, Stale
from optout_service.core.keyword import Intent
from optout_service.core.scope import Channel
from optout_service.providers import jsonbody
from optout_service.providers.dialect import Dialect, Request, Unproven
from optout_service.providers.inbound import (
    MAX_KEY,
    Answers,
    Delivery,
    Inbound,
    Meaning,
    Status,
)

PROVIDER: Final = "telnyx"
SIGNATURE: Final = "telnyx-signature-ed25519"
TIMESTAMP: Final = "telnyx-timestamp"
ANSWERS: Final = Answers("text/plain; charset=utf-8", "", None)
"""An empty 200: a text is sent by Telnyx's API alone, and that we do not call."""

_CHANNELS: Final = {
    "SMS": Channel.SMS,
    "MMS": Channel.SMS,
    "RCS": Channel.RCS,
    "WHATSAPP": Channel.WHATSAPP,
}
# Where it says so, Telnyx has set or lifted its block and has answered.
_BY_AUTORESPONSE: Final = {
    "STOP": Intent.OPT_OUT,
    "OPT_OUT": Intent.OPT_OUT,
    "START": Intent.OPT_IN,
    "OPT_IN": Intent.OPT_IN,
    "HELP": Intent.HELP,
}
_MEANINGS: Final = {
    "40300": Meaning.BLOCKED,  # blocked due to STOP message
    "40001": Meaning.UNREACHABLE,  # a landline, or not routable
    "40008": Meaning.UNREACHABLE,
    "40012": Meaning.UNREACHABLE,  # an invalid number
    "40002": Meaning.ALERT,  # blocked as spam
    "40003": Meaning.ALERT,
    "40015": Meaning.ALERT,
}
_UNIX: Final = re.compile(r"[0-9]{1,11}", re.ASCII)
_CODE: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_WORD: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)


def signer(request: Request, keys: Sequence[str]) -> int:
    """The place of the public key under which this request is signed.

    ``keys``: base64, newest first. Raises BadSignature; Stale where the signature holds and is
    more than a day old, or so far ahead (``times.CLOCKS_DIFFER``).
    """
    written = request.headers.get(TIMESTAMP) or ""
    signature = _bytes(request.headers.get(SIGNATURE) or "")
    signed = b"|".join((written.encode("latin-1", "replace"), request.body))
    for place, key in enumerate(keys):
        if _holds(key, signature, signed):
            if not _is_fresh(written, request.at):
                raise Stale("This request was signed too long ago. Send it with a new signature.")
            return place
    raise BadSignature("The signature of this request is not valid for its account.")


def parse(event: Mapping[str, Any], now: datetime) -> Delivery:
    """What an event tells: a person's message, the end of one of ours, or nothing of concern.

    Raises Malformed when it lacks what none lacks.
    """
    kind = jsonbody.text(event, "data", "event_type")
    payload = jsonbody.at(event, "data", "payload")
    if kind == "message.received":
        return _inbound(payload, now)
    if kind == "message.finalized":
        return _status(payload, now)
    return None


def _inbound(payload: Any, now: datetime) -> Inbound:
    person = jsonbody.name(payload, "from", "phone_number")
    if not person:
        raise Malformed("An inbound message says who it is from.")
    return Inbound(
        provider=PROVIDER,
        account=_account(payload),
        message_id=_message_id(payload),
        channel=_channel(payload),
        person=person,
        to=jsonbody.first(payload, ("to", 0, "phone_number"), ("to", 0, "agent_id")),
        service=_account(payload),
        text=jsonbody.text(payload, "text"),
        matched=_BY_AUTORESPONSE.get(jsonbody.text(payload, "autoresponse_type").upper()),
        occurred_at=times.guess(jsonbody.text(payload, "received_at"), now),
        answerable=False,
    )


def _status(payload: Any, now: datetime) -> Status | None:
    recipients = _listed(jsonbody.at(payload, "to"))
    if len(recipients) != 1:
        # A message to a group has one list of errors: it does not say whose they are.
        return None
    code = _code(jsonbody.at(payload, "errors"))
    state = jsonbody.text(recipients, 0, "status")
    return Status(
        provider=PROVIDER,
        account=_account(payload),
        message_id=_message_id(payload),
        channel=_channel(payload),
        person=jsonbody.name(recipients, 0, "phone_number"),
        sender=jsonbody.first(payload, ("from", "phone_number"), ("from", "agent_id")),
        service=_account(payload),
        # Both become part of a key that is kept in clear: only what is a code or a word gets there.
        state=state if _WORD.fullmatch(state) else "",
        code=code,
        meaning=_MEANINGS.get(code, Meaning.NOTHING),
        occurred_at=times.guess(jsonbody.text(payload, "completed_at"), now),
    )


def _read(request: Request) -> Unproven[Delivery]:
    event = jsonbody.parse(request.body)
    account = _account(jsonbody.at(event, "data", "payload"))
    return Unproven(account, partial(signer, request), partial(parse, event, request.at))


HOOK: Final = Dialect(PROVIDER, frozenset({"application/json"}), ANSWERS, _read)


def _account(payload: Any) -> str:
    """An account is a messaging profile: Telnyx's blocks are of a profile, too."""
    return jsonbody.name(payload, "messaging_profile_id")


def _message_id(payload: Any) -> str:
    found = jsonbody.name(payload, "id")
    if not 0 < len(found) <= MAX_KEY:
        raise Malformed("A message has an id.")
    return found


def _channel(payload: Any) -> str:
    given = jsonbody.text(payload, "type")
    word = given.lower()
    return _CHANNELS.get(given.upper(), word if _WORD.fullmatch(word) else Channel.SMS)


def _code(errors: Any) -> str:
    """The error that says most about the recipient, of those that a message met."""
    found = [jsonbody.text(error, "code") for error in _listed(errors)]
    codes = [code for code in found if _CODE.fullmatch(code)]
    return next((code for code in _MEANINGS if code in codes), codes[0] if codes else "")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _holds(key: str, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key)).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_fresh(written: str, now: datetime) -> bool:
    if not _UNIX.fullmatch(written):
        return False
    return abs(now.timestamp() - int(written)) <= times.CLOCKS_DIFFER.total_seconds()


def _bytes(base64: str) -> bytes:
    try:
        return b64decode(base64, validate=True)
    except (NotBase64, ValueError):
        return b""
