"""Twilio's dialect: its signature, its parameters, its TwiML. No rules, no Flask, no store.

Sources: Twilio, "Webhooks security"; "Messaging webhooks, request parameters"; "Advanced Opt-Out";
"TwiML for Programmable Messaging".
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol, overload
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from optout_service.core.errors import BadSignature, Malformed
from optout_service.core.scope import Channel

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_CHANNELS: Final = {"": Channel.SMS, "whatsapp": Channel.WHATSAPP, "rcs": Channel.RCS}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LEGACY: Final = {"!": "%21", "'": "%27", "(": "%28", ")": "%29", "*": "%2A"}


class Parameters(Protocol):
    """Form fields that may repeat, as Werkzeug's MultiDict has them."""

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str) -> str: ...
    def getlist(self, key: str, /) -> list[str]: ...
    def __iter__(self) -> Iterator[str]: ...


class Headers(Protocol):
    """Header fields by name, in any case."""

    def get(self, key: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Inbound:
    """One inbound message.

    ``person`` is who wrote it, without the channel's prefix: usually E.164, but a short code, a
    name, or a WhatsApp business-scoped id can come too.
    """

    account: str
    message_id: str
    channel: str
    person: str
    to: str
    messaging_service: str
    text: str
    opt_out_type: str


def signed_url(public_url: str, raw_target: str) -> str:
    """The URL that Twilio signed: our public base, then path and query as they came on the wire.

    ``raw_target``: the undecoded request target, in origin or absolute form (RFC 9112, 3.2).
    """
    if not raw_target.startswith("/"):
        parts = urlsplit(raw_target)
        raw_target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return f"{public_url}{raw_target}"


def verify(
    url: str,
    parameters: Parameters,
    body: bytes,
    headers: Headers,
    tokens: Sequence[str],
) -> int:
    """The place, in ``tokens``, of the one that signed this request.

    ``url``: by ``signed_url``. ``parameters``: the form's fields, blank and repeated ones too; none
    for a body of another type, which is proven by ``bodySHA256`` in the query. Tried are HMAC-SHA1
    and, where the settings header says so, HMAC-SHA256. Raises BadSignature for all else.
    """
    given = headers.get(SIGNATURE_HEADER)
    if not given or not _body_is_proven(url, parameters, body):
        raise BadSignature("This request carries no signature of its account.")
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS_HEADER) or "")
    for place, token in enumerate(tokens):
        for candidate in _spellings(url):
            if hmac.compare_digest(
                _signature(token, candidate, parameters, algorithm), given.encode()
            ):
                return place
    raise BadSignature("The signature of this request is not valid for its account.")


def parse_inbound(parameters: Parameters) -> Inbound:
    """An inbound message. Unknown parameters are left alone: new ones may come any day.

    Raises Malformed when it lacks what no message lacks: AccountSid, MessageSid, From.
    """
    account = parameters.get("AccountSid", "")
    message_id = next(
        filter(
            None,
            (parameters.get(k) for k in ("MessageSid", "SmsMessageSid", "SmsSid")),
        ),
        "",
    )
    channel, person = _without_prefix(parameters.get("From", ""))
    if not account or not message_id or not person:
        raise Malformed("An inbound message has AccountSid, MessageSid and From.")
    return Inbound(
        account=account,
        message_id=message_id,
        channel=channel,
        person=person,
        to=_without_prefix(parameters.get("To", ""))[1],
        messaging_service=parameters.get("MessagingServiceSid", ""),
        text=parameters.get("Body", ""),
        opt_out_type=parameters.get("OptOutType", "").strip().upper(),
    )


def reply(text: str | None) -> str:
    """TwiML that sends ``text`` back, or says nothing: an empty ``<Response/>``, never plain text,
    which Twilio would send out as a message."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    if not text:
        return f"{head}<Response/>"
    return f"{head}<Response><Message>{escape(_NOT_XML.sub('', text))}</Message></Response>"


def sign(token: str, url: str, parameters: Mapping[str, str]) -> str:
    """What Twilio would put into X-Twilio-Signature: for the demo, which plays Twilio's part."""
    signature: str = RequestValidator(token).compute_signature(url, parameters)
    return signature


def _body_is_proven(url: str, parameters: Parameters, body: bytes) -> bool:
    claimed = parse_qs(urlsplit(url).query).get("bodySHA256")
    if claimed is None:
        # A form's fields are in the signature; any other body would be in nothing.
        return bool(list(parameters)) or not body
    return hmac.compare_digest(sha256(body).hexdigest(), claimed[0].lower())


def _signature(token: str, url: str, parameters: Parameters, algorithm: str) -> bytes:
    validator: Any = RequestValidator(token)
    try:
        signature: str = validator.compute_signature(url, parameters, algorithm)
    except ValueError:
        raise BadSignature("This signature is of an algorithm that is not known here.") from None
    return signature.encode()


def _spellings(url: str) -> Iterator[str]:
    """The ways Twilio may have written the URL: with and without a port, old percent-encoding.

    The library looks for the port at the first colon, which breaks user:pass@host and IPv6.
    """
    yield url
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    bare = re.sub(r":\d*$", "", host)
    for netloc in (bare, f"{bare}:{_DEFAULT_PORTS.get(parts.scheme, '443')}"):
        if netloc != host:
            yield parts._replace(netloc=f"{credentials}{at}{netloc}").geturl()
    legacy = "".join(_LEGACY.get(character, character) for character in parts.query)
    if legacy != parts.query:
        yield parts._replace(query=legacy).geturl()


def _without_prefix(address: str) -> tuple[str, str]:
    """The channel of an address and the rest: ``whatsapp:+1415...``, ``rcs:...``, or a bare one."""
    prefix, colon, rest = address.strip().partition(":")
    if not colon:
        return Channel.SMS, prefix
    return _CHANNELS.get(prefix.lower(), prefix.lower()), rest
