"""Mail that is posted to us: its proof, and the message in what was posted.

Mail servers and providers can show a shared secret, in a header of ours or as the password of HTTP
Basic; who can sign gives an HMAC-SHA256 over time and body, which holds for a day.
"""

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
from flask import Response, request

from optout_service.core import times
from optout_service.core.errors import BadSignature, Malformed, UnsupportedMediaType
from optout_service.core.mail.told import Envelope
from optout_service.knobs import Secret
from optout_service.mailroom.receiving import receive
from optout_service.web import Proof, runtime

SECRET: Final = "Optout-Mail-Secret"
TIMESTAMP: Final = "Optout-Timestamp"
"""Seconds since 1970, as they are signed: ``<timestamp>.<body>``."""
SIGNATURE: Final = "Optout-Signature"
SENDER: Final = "Optout-Sender"
"""The return path, beside a bare message; empty for the null one."""
RECIPIENT: Final = "Optout-Recipient"
"""For whom it came, beside a bare message; may come again."""

MESSAGE: Final = "message/rfc822"
FIELDS: Final = ("email", "body-mime")
"""In which field of a form mail providers post a raw message."""

_FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was posted by who may, as it came, and what was told beside it."""

    raw: bytes
    envelope: Envelope


def inbound(posted: Posted) -> Response:
    """``POST /hooks/mail/inbound``: record what a message asks for or reports."""
    done = receive(runtime(), posted.raw, posted.envelope)
    return Response(f"{done}\n", content_type="text/plain; charset=utf-8")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a body: HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


def _proven() -> Posted:
    body = request.get_data()
    secrets = runtime().settings.mail_secrets
    if not any(_shows(secret) or _signed_with(secret, body) for secret in secrets):
        # An alert: with a wrong secret every request by mail is lost, and nobody else notices.
        _log.warning("a hook was refused", extra={"provider": "mail", "secrets": len(secrets)})
        raise BadSignature("This is not proven to come from our mail server.")
    if request.mimetype == MESSAGE:
        return Posted(body, _envelope_in_headers())
    if request.mimetype in _FORMS:
        return Posted(_field(), _envelope_in_form())
    raise UnsupportedMediaType(f"Mail is posted as {MESSAGE}, or in a form's field: email.")


def _shows(secret: Secret) -> bool:
    basic = request.authorization
    shown = [request.headers.get(SECRET, ""), (basic.password or "") if basic else ""]
    return any(hmac.compare_digest(text.encode(), secret.reveal().encode()) for text in shown)


def _signed_with(secret: Secret, body: bytes) -> bool:
    timestamp, signature = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    age = abs(runtime().now().timestamp() - int(timestamp))
    expected = sign(secret.reveal(), timestamp, body)
    return age <= times.CLOCKS_DIFFER.total_seconds() and hmac.compare_digest(
        signature.encode(), expected.encode()
    )


def _field() -> bytes:
    for name in FIELDS:
        if (file := request.files.get(name)) is not None:
            return bytes(file.read())
        if text := request.form.get(name):
            return text.encode()
    raise Malformed(f"This form has no raw message: give it in a field, one of {FIELDS}.")


def _envelope_in_headers() -> Envelope:
    return Envelope(request.headers.get(SENDER), tuple(request.headers.getlist(RECIPIENT)))


class _Told(msgspec.Struct):
    to: Sequence[str] = ()
    sender: str | None = msgspec.field(name="from", default=None)


def _envelope_in_form() -> Envelope:
    """Providers name it ``envelope`` (JSON), or ``sender`` and ``recipient``."""
    try:
        told = msgspec.json.decode(request.form.get("envelope", ""), type=_Told)
    except msgspec.MsgspecError:
        recipients = request.form.get("recipient", "").split(",")
        return Envelope(request.form.get("sender"), tuple(filter(None, map(str.strip, recipients))))
    return Envelope(told.sender, tuple(told.to))


INBOUND: Final = Proof("the mail server's secret", _proven)
