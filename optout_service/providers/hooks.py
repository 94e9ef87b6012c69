"""The proof at the provider's door: Twilio's signature over the public URL and the whole body."""

import logging
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from flask import request

from optout_service.core.errors import BadSignature, Malformed, TooLarge
from optout_service.providers import twilio, twilio_events, twiml
from optout_service.providers.inbound import Hook, Status, Told
from optout_service.store import senders
from optout_service.store.senders import Account
from optout_service.web import Proof, runtime

MOST_FIELDS: Final = 1000
"""Twilio sends some forty; each one costs time before anything is proven."""

_log = logging.getLogger(__name__)


def _signed_by_twilio(parse: Callable[[twilio.Parameters], Told]) -> Proof:
    """The proof of one of Twilio's hooks; the view gets what ``parse`` makes of its fields."""

    def check() -> Hook[Told]:
        body = _whole_body()
        tenants = _proven_by_twilio(request.form.get("AccountSid", ""), body)
        return Hook(tenants, parse(request.form), twilio.ANSWERS)

    return Proof("Twilio's signature", check)


def _streamed_by_twilio() -> Hook[Sequence[Status]]:
    """The proof of Event Streams. Its body is JSON: the account is named in the signed URL."""
    account, body = request.args.get("AccountSid", ""), _whole_body()
    tenants = _proven_by_twilio(account, body)
    return Hook(tenants, twilio_events.parse(body, account), twilio.ANSWERS)


def _whole_body() -> bytes:
    """The body, read before it is taken apart: bodySHA256 speaks of these very bytes.

    Raises TooLarge for one of too many fields, Malformed for a form that is not UTF-8.
    """
    body = request.get_data()
    if request.mimetype == "application/x-www-form-urlencoded":
        if body.count(b"&") >= MOST_FIELDS:
            raise TooLarge(f"A hook has at most {MOST_FIELDS} fields.")
        try:
            unquote_to_bytes(body).decode()
        except UnicodeDecodeError:
            raise Malformed("The fields of this hook are not UTF-8.") from None
    return body


def _proven_by_twilio(account: str, body: bytes) -> tuple[int, ...]:
    """The tenants for whom this request is signed.

    Raises BadSignature for whatever is not proven, and reads nothing else of it.
    """
    rt = runtime()
    with rt.reading() as connection:
        known = senders.accounts(connection, twilio.PROVIDER, account, keys=rt.keys)
    tenants = tuple(row.tenant for row in known if _is_signed_with_one_of(row, body))
    if not tenants:
        # An alert: with a wrong URL or token every STOP is lost, and nobody else notices.
        _log.warning(
            "a hook was refused",
            extra={"provider": twilio.PROVIDER, "account_known": bool(known)},
        )
        raise BadSignature("The signature of this request is not valid for its account.")
    return tenants


def _is_signed_with_one_of(known: Account, body: bytes) -> bool:
    try:
        place = twilio.verify(
            twilio.signed_url(runtime().settings.public_url, _raw_target()),
            request.form,
            body,
            request.headers,
            known.tokens,
        )
    except BadSignature:
        return False
    if place > 0:
        # Twilio signs with the primary token alone: the newest we have is not the primary yet, or
        # an old one is in other hands.
        _log.warning(
            "a hook was signed with an old token",
            extra={"provider": known.provider, "account": known.account},
        )
    return True


def _raw_target() -> str:
    """The request target as it came over the wire: the decoded path would not match (%27, %7E).

    gunicorn keeps it as RAW_URI, other servers as REQUEST_URI.
    """
    target: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    return target or request.full_path.removesuffix("?")


TWILIO_MESSAGE: Final = _signed_by_twilio(twilio.parse_inbound)
TWILIO_STATUS: Final = _signed_by_twilio(twilio.parse_status)
TWILIO_EVENTS: Final = Proof("Twilio's signature", _streamed_by_twilio)
TWILIO_CALL: Final = _signed_by_twilio(twiml.parse_call)

NOBODY: Final = Proof("none: knows nobody and stores nothing", lambda: None)
