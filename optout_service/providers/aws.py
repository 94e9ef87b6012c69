"""The dialect of AWS End User Messaging: its messages and events, which come by Amazon SNS.

Two proofs are asked for, since SNS signs for everybody's topics alike: the signature says that SNS
published it to a topic; the password in the subscription's URL says for which tenant it comes.

Sources: AWS, "Two-way SMS message payload"; "Event types for SMS, MMS, and voice"; "Opt-out
keywords"; "Fanout Amazon SNS notifications to HTTPS endpoints".
"""

import hmac
import logging
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from optout_service.core import times
from optout_service.core.errors import BadSignature, Malformed, Stale, Unauthenticated
from optout_service.core.keyword import Intent
from optout_service.core.scope import Channel
from optout_service.providers import jsonbody, sns
from optout_service.providers.dialect import Dialect, Request, Unproven
from optout_service.providers.inbound import (
    MAX_KEY,
    Answers,
    Delivery,
    Errand,
    Inbound,
    Meaning,
    Status,
)
from optout_service.providers.sns_host import SnsHost

PROVIDER: Final = "aws"
MEDIA_TYPES: Final = frozenset({"application/json", "text/plain"})
"""SNS says text/plain unless its delivery policy says otherwise; JSON it is in any case."""

ANSWERS: Final = Answers("text/plain; charset=utf-8", "", None)

_TRIES_FOR: Final = timedelta(hours=1)
"""SNS's own delivery policy allows no more; what is older comes from somebody else."""

# AWS matches a text that begins with one of these, and has then put the phone on its list.
_STOP_WORDS: Final = frozenset(
    ["ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"]
)
_MEANINGS: Final = {
    "BLOCKED": Meaning.BLOCKED,
    "CARRIER_BLOCKED": Meaning.ALERT,
    "SPAM": Meaning.ALERT,
    "INVALID": Meaning.UNREACHABLE,
    "UNREACHABLE": Meaning.UNREACHABLE,
}
_EVENT: Final = re.compile(r"(TEXT|MEDIA|RCS)_([A-Z_]{1,40})", re.ASCII)
_TOKEN: Final = re.compile(r"[0-9a-zA-Z]{1,1024}", re.ASCII)

_log = logging.getLogger(__name__)


def read(request: Request, host: SnsHost) -> Unproven[Delivery]:
    """A message of SNS. Raises Malformed, TooLarge; Unauthenticated where there is no password."""
    given = request.headers.get("Authorization")
    if given is None:
        # SNS gives the password only to who has asked for it by a 401.
        raise Unauthenticated("Give the password of the subscription.")
    envelope = sns.parse(request.body)
    return Unproven(
        envelope.topic,
        partial(signer, envelope, _password(given), request.at, host),
        partial(parse, envelope, request.at, host),
    )


def hook(host: Callable[[], SnsHost]) -> Dialect[Delivery]:
    """The hook to which a topic is subscribed; ``host``: Amazon's side, when one comes."""
    return Dialect(PROVIDER, MEDIA_TYPES, ANSWERS, lambda request: read(request, host()))


def signer(
    envelope: sns.Envelope, given: bytes, now: datetime, host: SnsHost, passwords: Sequence[str]
) -> int:
    """The place of the password that came with an envelope, whose signature is SNS's.

    Raises BadSignature; Stale for one that SNS would not send any more; ProviderUnavailable.
    """
    held = [hmac.compare_digest(one.encode(), given) for one in passwords]
    if True not in held:
        raise BadSignature("The password of this subscription is not valid for its topic.")
    # Only now, since it may have to be fetched.
    sns.verify(envelope, host.key(envelope, now))
    published = times.guess(envelope.timestamp, now)
    if published is None or now - published > _TRIES_FOR + times.CLOCKS_DIFFER:
        raise Stale("This message was published too long ago, or is not yet: is our clock right?")
    return held.index(True)


def parse(envelope: sns.Envelope, now: datetime, host: SnsHost) -> Delivery:
    """What an envelope tells. Raises Malformed when it lacks what none lacks."""
    match envelope.type:
        case sns.Type.SUBSCRIPTION:
            return _subscription(envelope, host)
        case sns.Type.END:
            return Errand(partial(_note, "a subscription has ended", envelope.topic, logging.ERROR))
        case sns.Type.NOTIFICATION:
            return _notification(envelope, now)


def _subscription(envelope: sns.Envelope, host: SnsHost) -> Errand:
    token = jsonbody.name(envelope.fields, "Token")
    if not _TOKEN.fullmatch(token):
        raise Malformed("A confirmation has a token.")

    def run() -> None:
        host.confirm(envelope.topic, token)
        _note("a subscription was confirmed", envelope.topic, logging.INFO)

    return Errand(run)


def _notification(envelope: sns.Envelope, now: datetime) -> Delivery:
    try:
        told = jsonbody.parse(envelope.message.encode())
    except Malformed:
        # Whoever may publish to the topic may publish anything; that is no message of a person.
        return None
    if "originationNumber" in told:
        return _inbound(envelope, told, now)
    return _status(envelope, told, now) if "eventType" in told else None


def _inbound(envelope: sns.Envelope, told: Any, now: datetime) -> Inbound:
    person = jsonbody.name(told, "originationNumber")
    if not person:
        raise Malformed("An inbound message says who it is from.")
    to = jsonbody.name(told, "destinationNumber")
    keyword = jsonbody.text(told, "messageKeyword").strip().upper()
    return Inbound(
        provider=PROVIDER,
        account=envelope.topic,
        message_id=_message_id(jsonbody.name(told, "inboundMessageId") or envelope.message_id),
        # The payload does not name its channel; the id of an agent does.
        channel=Channel.RCS if to.startswith("rcs") else Channel.SMS,
        person=person,
        to=to,
        service="",
        text=jsonbody.text(told, "messageBody"),
        # What another keyword does is set by who made it: START need be no opt-in.
        matched=Intent.OPT_OUT if keyword in _STOP_WORDS else None,
        occurred_at=times.guess(envelope.timestamp, now),
        answerable=False,
    )


def _status(envelope: sns.Envelope, told: Any, now: datetime) -> Status | None:
    found = _EVENT.fullmatch(jsonbody.text(told, "eventType"))
    if found is None:
        return None
    kind, state = found.groups()
    return Status(
        provider=PROVIDER,
        account=envelope.topic,
        message_id=_message_id(jsonbody.name(told, "messageId") or envelope.message_id),
        channel=Channel.RCS if kind == "RCS" else Channel.SMS,
        person=jsonbody.name(told, "destinationPhoneNumber"),
        sender=jsonbody.name(told, "originationPhoneNumber"),
        service="",
        state=state.lower(),
        code="",
        meaning=_MEANINGS.get(state, Meaning.NOTHING),
        occurred_at=times.guess(envelope.timestamp, now),
    )


def _password(authorization: str) -> bytes:
    """The password of HTTP's Basic scheme (RFC 7617), whatever the user is called; or nothing."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        both = b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (NotBase64, ValueError):
        return b""
    return both.partition(b":")[2]


def _message_id(found: str) -> str:
    if not 0 < len(found) <= MAX_KEY:
        raise Malformed("A message has an id.")
    return found


def _note(line: str, topic: str, level: int) -> None:
    _log.log(level, line, extra={"provider": PROVIDER, "account": topic})
