"""Twilio's own log of an account's messages, read through its client: for after an outage.

What came in, and what could not be delivered, each in the words in which a hook would have told it.
Source: Twilio, "Messages resource, read multiple Message resources". The log has no OptOutType: a
keyword that only the account's Advanced Opt-Out knows is not seen in it.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from werkzeug.datastructures import MultiDict

from optout_service.core.errors import InvalidRequest, Malformed, ProviderUnavailable
from optout_service.providers import twilio
from optout_service.providers.inbound import Inbound, Status

API: Final = "https://api.twilio.com"
_PAGE: Final = 1000
"""The most that Twilio gives at once."""
_TIMEOUT_SECONDS: Final = 30
_WAITS: Final = (1, 2, 4, 8)
"""Seconds before each further try, where Twilio does not say how long to wait."""
_LONGEST_WAIT: Final = 60
_REFUSED: Final = frozenset({401, 403})
_BUSY: Final = frozenset({429, 500, 502, 503, 504})

_log = logging.getLogger(__name__)

Pause = Callable[[float], object]


def messages(
    account: str, token: str, since: datetime, *, api: str = API, pause: Pause
) -> Iterator[Inbound | Status]:
    """All messages of an account that were sent at ``since`` or later, in Twilio's order.

    ``pause`` waits for so many seconds between tries. Raises InvalidRequest when the token is not
    accepted, ProviderUnavailable when Twilio does not answer to the end.
    """
    # An environment of our own: else TWILIO_REGION would send the token somewhere else.
    client = Client(account, token, http_client=_Patient(api, pause), environment={"-": "-"})
    # By whole days: that is what Twilio's filter is documented to take.
    day = datetime.combine(since.astimezone(UTC), time.min, UTC)
    try:
        for record in client.messages.stream(date_sent_after=day, page_size=_PAGE):
            told = as_told(account, record)
            if told is not None and told.occurred_at is not None and told.occurred_at >= since:
                yield told
    except (TwilioException, OSError, ValueError) as fault:
        # Not the fault itself: its text can name the URL of a page.
        _log.warning("twilio's log could not be read", extra={"fault": type(fault).__name__})
        raise ProviderUnavailable(
            "Twilio's log could not be read to its end, so nothing was recorded. Run it again: "
            "what is recorded already is not recorded twice."
        ) from None


def require_api(api: str) -> str:
    """The URL of Twilio's API, or of a stand-in on this machine. Raises InvalidRequest."""
    parts = urlsplit(api)
    host = parts.hostname or ""
    try:
        here = ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if api.rstrip("/") != API and not (here and parts.scheme == "http"):
        raise InvalidRequest(f"The API is {API}, or a stand-in on this machine.", field="api")
    return api.rstrip("/")


def as_told(account: str, record: Any) -> Inbound | Status | None:
    """A record as the hook would have told it; None where it lacks what no message lacks."""
    inbound = str(record.direction) == "inbound"
    fields = MultiDict(
        {
            "AccountSid": account,
            "MessageSid": record.sid or "",
            "MessagingServiceSid": record.messaging_service_sid or "",
            "From": record.from_ or "",
            "To": record.to or "",
            "Body": record.body or "",
            "MessageStatus": str(record.status or ""),
            "ErrorCode": str(record.error_code or ""),
        }
    )
    try:
        at = _at(record)
        if inbound:
            return replace(twilio.parse_inbound(fields), occurred_at=at)
        return twilio.parse_status(fields, occurred_at=at) if record.error_code else None
    except Malformed:
        return None


def _at(record: Any) -> datetime | None:
    found = record.date_sent or record.date_created
    return found.astimezone(UTC) if isinstance(found, datetime) else None


class _Patient(TwilioHttpClient):  # type: ignore[misc]
    """Asks the given API and no other, again where it is busy, and never for ever."""

    def __init__(self, api: str, pause: Pause) -> None:
        super().__init__(timeout=_TIMEOUT_SECONDS)
        self._api = api
        self._pause = pause

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """As the client asks it. Raises OSError when nobody answers at last, InvalidRequest when
        the token is refused."""
        asked = f"{self._api}{url.removeprefix(API)}"
        for wait in _WAITS:
            try:
                answer: Response = super().request(method, asked, *args, **kwargs)
            except OSError:
                self._pause(wait)
                continue
            if answer.status_code in _REFUSED:
                raise InvalidRequest(
                    "Twilio does not accept this account's auth token. Register its primary one: "
                    "optout account add",
                    field="account",
                )
            if answer.status_code not in _BUSY:
                return answer
            self._pause(_asked_for(answer) or wait)
        return super().request(method, asked, *args, **kwargs)


def _asked_for(answer: Response) -> float:
    """How long Twilio asks to wait, in seconds, within reason; 0 where it does not say."""
    given = (answer.headers or {}).get("Retry-After", "")
    return min(float(given), _LONGEST_WAIT) if given.isascii() and given.isdecimal() else 0
