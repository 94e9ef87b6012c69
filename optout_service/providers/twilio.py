"""Twilio's dialect: its signature, its parameters, its TwiML. No rules, no Flask, no store.

Sources: Twilio, "Webhooks security"; "Messaging webhooks, request parameters"; "Advanced Opt-Out";
"TwiML for Programmable Messaging".
"""

import hmac
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from optout_service.core.errors import BadSignature, Malformed
from optout_service.core.keyword import Intent
from optout_service.core.scope import Channel
from optout_service.providers.dialect import (
    Dialect,
    Fields,
    Headers,
    Parameters,
    Request,
    Unproven,
)
from optout_service.providers.inbound import MAX_KEY, Answers, Inbound, Meaning, Status, Told

PROVIDER: Final = "twilio"

_BY_OPT_OUT_TYPE: Final = {
    "STOP": Intent.OPT_OUT,
    "START": Intent.OPT_IN,
    "HELP": Intent.HELP,
}
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_CHANNELS: Final = {"": Channel.SMS, "whatsapp": Channel.WHATSAPP, "rcs": Channel.RCS}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODE = re.compile(r"\d{1,6}", re.ASCII)
_WORD = re.compile(r"[a-z_-]{1,32}", re.ASCII)
_DIGITS = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_LEGACY: Final = {"!": "%21", "'": "%27", "(": "%28", ")": "%29", "*": "%2A"}


def verify(
    url: str,
    parameters: Parameters,
    body: bytes,
    headers: Headers,
    tokens: Sequence[str],
) -> int:
    """The place, in ``tokens``, of the one that signed this request.

    ``url``: by ``dialect.signed_url``. ``parameters``: the form's fields, blank and repeated ones
    too; none for a body of another type, which is proven by ``bodySHA256`` in the query. Tried are
    HMAC-SHA1 and, where the settings header says so, HMAC-SHA256. Raises BadSignature for all else.
    """
    if not _body_is_proven(url, parameters, body):
        raise BadSignature("This request carries no signature of its account.")
    if (place := signer(url, parameters, headers, tokens)) is None:
        raise BadSignature("The signature of this request is not valid for its account.")
    return place


def signer(url: str, parameters: Parameters, headers: Headers, tokens: Sequence[str]) -> int | None:
    """The place of the token that signed this URL and these fields; None: none of them did.

    It says nothing of a body that is no form. Raises BadSignature for an unknown algorithm.
    """
    given = headers.get(SIGNATURE_HEADER) or ""
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS_HEADER) or "")
    for place, token in enumerate(tokens):
        for candidate in _spellings(url):
            if hmac.compare_digest(
                _signature(token, candidate, parameters, algorithm), given.encode()
            ):
                return place
    return None


def parse_inbound(parameters: Parameters) -> Inbound:
    """An inbound message. Unknown parameters are left alone: new ones may come any day.

    Raises Malformed when it lacks what no message lacks: AccountSid, MessageSid, From.
    """
    account = parameters.get("AccountSid", "")
    message_id = _first(parameters, "MessageSid", "SmsMessageSid", "SmsSid")
    channel, person = without_prefix(parameters.get("From", ""))
    if channel == Channel.WHATSAPP and not person.startswith("+"):
        # An id of the business's own (US.1234...). WaId, if it is there, is the phone behind it.
        person = _phone_of(parameters.get("WaId", "")) or person
    if not account or not person or not 0 < len(message_id) <= MAX_KEY:
        raise Malformed("An inbound message has AccountSid, MessageSid and From.")
    return Inbound(
        provider=PROVIDER,
        account=account,
        message_id=message_id,
        channel=channel,
        person=person,
        to=without_prefix(parameters.get("To", ""))[1],
        service=parameters.get("MessagingServiceSid", ""),
        text=parameters.get("Body", ""),
        matched=_BY_OPT_OUT_TYPE.get(parameters.get("OptOutType", "").strip().upper()),
    )


def parse_status(parameters: Fields, *, occurred_at: datetime | None = None) -> Status:
    """What became of a message. Raises Malformed when it lacks AccountSid or MessageSid."""
    account = parameters.get("AccountSid", "")
    message_id = _first(parameters, "MessageSid", "SmsSid")
    if not account or not 0 < len(message_id) <= MAX_KEY:
        raise Malformed("A status has AccountSid and MessageSid.")
    channel, person = without_prefix(parameters.get("To", ""))
    # Both become part of a key that is kept in clear: only what is a code or a word gets there.
    code = _only(_CODE, parameters.get("ErrorCode", ""))
    state = _only(_WORD, _first(parameters, "MessageStatus", "SmsStatus").lower())
    return Status(
        provider=PROVIDER,
        account=account,
        message_id=message_id,
        channel=channel,
        person=person,
        sender=without_prefix(parameters.get("From", ""))[1],
        service=parameters.get("MessagingServiceSid", ""),
        state=state,
        code=code,
        meaning=_meanings().get(code, Meaning.NOTHING),
        occurred_at=occurred_at,
    )


def reply(text: str) -> str:
    """TwiML that sends ``text`` back."""
    return f"{XML}<Response><Message>{escaped(text)}</Message></Response>"


def escaped(text: str) -> str:
    """A text as TwiML can hold it: without the characters that XML does not know."""
    return escape(_NOT_XML.sub("", text))


XML: Final = '<?xml version="1.0" encoding="UTF-8"?>'
"""How every document begins."""

MEDIA_TYPE: Final = "text/xml; charset=utf-8"
ANSWERS: Final = Answers(MEDIA_TYPE, f"{XML}<Response/>", reply)
"""Silence is an empty ``<Response/>``, never plain text, which Twilio would send out."""


def form_hook(parse: Callable[[Parameters], Told]) -> Dialect[Told]:
    """A hook whose body is a form; what it tells is what ``parse`` makes of its fields."""

    def read(request: Request) -> Unproven[Told]:
        account = request.form.get("AccountSid", "")
        return Unproven(account, signer_of(request), partial(parse, request.form))

    return Dialect(PROVIDER, None, ANSWERS, read)


def signer_of(request: Request) -> Callable[[Sequence[str]], int]:
    """``verify`` of a request, waiting for the tokens."""
    return partial(verify, request.url, request.form, request.body, request.headers)


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


def _first(parameters: Fields, *names: str) -> str:
    return next(filter(None, (parameters.get(name, "") for name in names)), "")


def _phone_of(whatsapp_id: str) -> str:
    return f"+{whatsapp_id}" if _DIGITS.fullmatch(whatsapp_id) else ""


def _only(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


@cache
def _meanings() -> dict[str, Meaning]:
    """What each error code says, from ``twilio_codes.toml``."""
    data = tomllib.loads(files(__package__).joinpath("twilio_codes.toml").read_text("utf-8"))
    return {code: Meaning(name) for name, table in data.items() for code in table["codes"]}


def without_prefix(address: str) -> tuple[str, str]:
    """The channel of an address and the rest: ``whatsapp:+1415...``, ``rcs:...``, or a bare one."""
    prefix, colon, rest = address.strip().partition(":")
    if not colon:
        return Channel.SMS, prefix
    return _CHANNELS.get(prefix.lower(), prefix.lower()), rest
