"""What the names of a provider's things look like: its accounts, its tokens, its senders.

Sources: Twilio, "What is a String Identifier (SID)?" (two letters and 32 hexadecimal digits);
Telnyx, "Messaging profiles", "Webhook signing"; AWS, "Amazon Resource Names", "Fanout Amazon SNS
notifications to HTTPS endpoints" (a password in the URL of the subscription).
"""

import re
from dataclasses import dataclass
from typing import Final

from optout_service.core.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Form:
    """What a name looks like, and the same in words."""

    pattern: re.Pattern[str]
    words: str


@dataclass(frozen=True, slots=True)
class Names:
    """The forms of one provider's names: of an account, of the token that proves its hooks, and of
    what numbers are pooled in.
    """

    account: Form
    token: Form
    service: Form


def _form(pattern: str, words: str) -> Form:
    return Form(re.compile(pattern, re.ASCII), words)


_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NUMBER: Final = _form(
    r"\+[1-9][0-9]{6,14}", "a number in international form, + and 7 to 15 digits"
)
_PROFILE: Final = _form(_UUID, "a messaging profile's id: a UUID in lower case")

PROVIDERS: Final = {
    "twilio": Names(
        account=_form(r"AC[0-9a-fA-F]{32}", "AC and 32 hexadecimal digits"),
        token=_form(r"[!-~]{1,200}", "an auth token: 1 to 200 visible ASCII characters, no spaces"),
        service=_form(r"MG[0-9a-fA-F]{32}", "its id: MG and 32 hexadecimal digits"),
    ),
    "telnyx": Names(
        account=_PROFILE,
        token=_form(r"[A-Za-z0-9+/]{43}=", "the account's public key: 44 characters of base64"),
        service=_PROFILE,
    ),
    "aws": Names(
        account=_form(
            r"(?=.{1,64}\Z)arn:aws(?:-cn|-us-gov)?:sns:[a-z]{2}(?:-[a-z]+)+-[0-9]:[0-9]{12}:[\w-]+",
            "an SNS topic's ARN of at most 64 characters",
        ),
        # It is written into a URL as it is.
        token=_form(
            r"[A-Za-z0-9_-]{24,200}",
            "the subscription's password: 24 to 200 letters, digits, - and _",
        ),
        service=_form(r"pool-[0-9a-f]{1,64}", "a pool's id: pool- and hexadecimal digits"),
    ),
}
"""The providers that we know. A new one is a row here."""

_SERVICE: Final = "messaging_service"
_ADDRESSES: Final = {
    "long_code": _NUMBER,
    "toll_free": _NUMBER,
    "voice": _NUMBER,
    "whatsapp": _form(r"(?:whatsapp:)?\+[1-9][0-9]{6,14}", _NUMBER.words),
    "rcs": _form(r"(?:rcs:)?[A-Za-z0-9+_.-]{1,90}", "the agent's id or number"),
    "short_code": _form(r"[1-9][0-9]{2,7}", "3 to 8 digits"),
}
KINDS: Final = (*_ADDRESSES, _SERVICE)
"""The kinds of sender whose addresses have a form: of numbers everywhere the same."""


def parse_provider(text: str) -> str:
    """A provider that we know. Raises InvalidRequest."""
    _names(text)
    return text


def parse_account(provider: str, text: str) -> str:
    """The id of an account with a provider. Raises InvalidRequest."""
    form = _names(provider).account
    if not form.pattern.fullmatch(text):
        raise InvalidRequest(f"The account at {provider} is {form.words}.", field="account")
    return text


def parse_token(provider: str, text: str) -> str:
    """What proves a provider's hooks. Raises InvalidRequest, which does not repeat it."""
    form = _names(provider).token
    if not form.pattern.fullmatch(text):
        raise InvalidRequest(f"The token at {provider} is {form.words}.", field="token")
    return text


def parse_sender(provider: str, kind: str, text: str) -> str:
    """The address of a sender of this kind. Raises InvalidRequest, which does not repeat it."""
    form = _names(provider).service if kind == _SERVICE else _ADDRESSES.get(kind)
    if form is None:
        raise InvalidRequest(f"The kind is one of: {', '.join(KINDS)}.", field="kind")
    if not form.pattern.fullmatch(text):
        raise InvalidRequest(f"The address of a {kind} is {form.words}.", field="address")
    return text


def _names(provider: str) -> Names:
    if (found := PROVIDERS.get(provider)) is None:
        raise InvalidRequest(f"The provider is one of: {', '.join(PROVIDERS)}.", field="provider")
    return found
