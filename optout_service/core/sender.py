"""What the names of a provider's things look like: its accounts, its tokens, its senders.

Twilio, "What is a String Identifier (SID)?": two letters and 32 hexadecimal digits.
"""

import re
from typing import Final

from optout_service.core.errors import InvalidRequest

PROVIDERS: Final = ("twilio",)

_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}", re.ASCII)
_TOKEN: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_NUMBER: Final = (
    re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII),
    "a number in international form, + and 7 to 15 digits",
)
FORMS: Final = {
    "long_code": _NUMBER,
    "toll_free": _NUMBER,
    "voice": _NUMBER,
    "whatsapp": (
        re.compile(r"(?:whatsapp:)?\+[1-9][0-9]{6,14}", re.ASCII),
        "a number in international form, + and 7 to 15 digits",
    ),
    "rcs": (re.compile(r"(?:rcs:)?[A-Za-z0-9+_.-]{1,90}", re.ASCII), "the agent's id or number"),
    "short_code": (re.compile(r"[1-9][0-9]{2,7}", re.ASCII), "3 to 8 digits"),
    "messaging_service": (
        re.compile(r"MG[0-9a-fA-F]{32}", re.ASCII),
        "its id: MG and 32 hexadecimal digits",
    ),
}
"""By kind of sender: the form of its address (E.164 for numbers), and the same in words."""


def parse_provider(text: str) -> str:
    """A provider that we know. Raises InvalidRequest."""
    if text not in PROVIDERS:
        raise InvalidRequest(f"The provider is one of: {', '.join(PROVIDERS)}.", field="provider")
    return text


def parse_account(provider: str, text: str) -> str:
    """The id of an account with a provider. Raises InvalidRequest."""
    parse_provider(provider)
    if not _ACCOUNT.fullmatch(text):
        raise InvalidRequest(
            "A Twilio account's id is AC and 32 hexadecimal digits.", field="account"
        )
    return text


def parse_token(text: str) -> str:
    """A provider's signing secret. Raises InvalidRequest, which does not repeat it."""
    if not _TOKEN.fullmatch(text):
        raise InvalidRequest(
            "An auth token is 1 to 200 visible ASCII characters without spaces.", field="token"
        )
    return text


def parse_sender(kind: str, text: str) -> str:
    """The address of a sender of this kind. Raises InvalidRequest, which does not repeat it."""
    form = FORMS.get(kind)
    if form is None:
        raise InvalidRequest(f"The kind is one of: {', '.join(FORMS)}.", field="kind")
    pattern, words = form
    if not pattern.fullmatch(text):
        raise InvalidRequest(f"The address of a {kind} is {words}.", field="address")
    return text
