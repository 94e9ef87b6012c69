"""Twilio's dialect of a call: its parameters in, TwiML that speaks and listens out. No rules.

Sources: Twilio, "Voice webhooks, request parameters"; "TwiML for Voice": Gather, Say, Play, Hangup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

from optout_service.core.errors import Malformed
from optout_service.core.evidence import ProviderMessage
from optout_service.providers.dialect import Parameters
from optout_service.providers.twilio import PROVIDER, XML, escaped

# What comes in place of a withheld number, also spelled on a telephone's letter keys.
_WITHHELD: Final = frozenset(
    {
        *("", "anonymous", "restricted", "blocked", "unknown", "unavailable", "private"),
        *("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"),
    }
)

HANGUP: Final = "<Hangup/>"


@dataclass(frozen=True, slots=True)
class Call:
    """One request about a call. ``number`` is the tenant's, ``person`` the other's.

    ``person`` is empty where the number is withheld, or where there is none (a SIP address).
    ``digits``: the keys that were pressed. ``machine``: what answered records or is a fax.
    """

    account: str
    call_id: str
    outbound: bool
    person: str
    number: str
    digits: str
    machine: bool

    @property
    def key(self) -> ProviderMessage:
        """What makes a call count once, for ever."""
        return ProviderMessage(PROVIDER, self.account, self.call_id)


@dataclass(frozen=True, slots=True)
class Voice:
    """How a text is spoken: Twilio's tag of the language, and a voice where it has no default."""

    language: str
    name: str = ""


def parse_call(parameters: Parameters) -> Call:
    """A request about a call. Unknown parameters are left alone: new ones may come any day.

    Whose number it is: on a call that goes out To, on one that comes in From. Raises Malformed
    when it lacks what no call lacks: AccountSid, CallSid.
    """
    account, call_id = parameters.get("AccountSid", ""), parameters.get("CallSid", "")
    if not account or not call_id:
        raise Malformed("A request about a call has AccountSid and CallSid.")
    outbound = parameters.get("Direction", "").lower().startswith("outbound")
    ends = parameters.get("From", "").strip(), parameters.get("To", "").strip()
    number, person = ends if outbound else reversed(ends)
    answered_by = parameters.get("AnsweredBy", "").lower()
    return Call(
        account=account,
        call_id=call_id,
        outbound=outbound,
        person="" if person.lower() in _WITHHELD or ":" in person else person,
        number=number,
        digits=parameters.get("Digits", "").strip(),
        machine=answered_by.startswith(("machine", "fax")),
    )


def response(*verbs: str) -> str:
    """A whole document."""
    return f"{XML}<Response>{''.join(verbs)}</Response>"


def say(text: str, voice: Voice) -> str:
    """Words, spoken."""
    name = f" voice={quoteattr(voice.name)}" if voice.name else ""
    return f"<Say language={quoteattr(voice.language)}{name}>{escaped(text)}</Say>"


def play(url: str) -> str:
    """A recording."""
    return f"<Play>{escaped(url)}</Play>"


def gather_key(action: str, inside: Sequence[str]) -> str:
    """Listen for one key, also while ``inside`` is heard: that is why it stands inside.

    Twilio calls ``action`` too when nothing is pressed; it would go on with the document otherwise.
    """
    return _gather(action, 'numDigits="1" timeout="5"', inside)


def gather_number(action: str, inside: Sequence[str]) -> str:
    """Listen for a number that ends with #, also while ``inside`` is heard."""
    return _gather(action, 'finishOnKey="#" timeout="10"', inside)


def _gather(action: str, limits: str, inside: Sequence[str]) -> str:
    return (
        f'<Gather input="dtmf" {limits} actionOnEmptyResult="true" method="POST" '
        f"action={quoteattr(action)}>{''.join(inside)}</Gather>"
    )
