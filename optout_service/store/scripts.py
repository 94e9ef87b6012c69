"""What a sender says on the phone: the key that opts out, languages, a message, a call-back."""

from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select

from optout_service.core.errors import InvalidRequest, NotFound
from optout_service.store import senders
from optout_service.store.senders import Sender
from optout_service.store.tables import call_script

LONGEST_MESSAGE: Final = 1000
"""Characters: more than a minute of speech."""


@dataclass(frozen=True, slots=True)
class CallScript:
    """The calls of one sender.

    ``opt_out_key``: the digit that opts out. ``language``: empty for the sender's own.
    ``second_language``: offered by another key, unless empty. ``message``: what is said after the
    instruction, or the https URL of a recording of it. ``call_back``: the sender whose calls lead
    directly to the same mechanism, named on voicemail (47 CFR 64.1200(b)(3): in the United States
    it must be toll-free).
    """

    opt_out_key: str = "9"
    language: str = ""
    second_language: str = ""
    message: str = ""
    call_back: str = ""

    @property
    def recorded(self) -> bool:
        """Whether the message is a recording."""
        return self.message.startswith("https://")


DEFAULT: Final = CallScript()
_COLUMNS: Final = tuple(call_script.c[name] for name in CallScript.__slots__)


def put(conn: Connection, of: Sender, script: CallScript) -> None:
    """Give a sender its script, in place of the one it has.

    ``of`` is registered. Raises InvalidRequest for what cannot be said or pressed, NotFound for a
    ``call_back`` that is none of its account's senders.
    """
    _check(script)
    known = {s.address for s in senders.of_account(conn, of.tenant, of.provider, of.account)}
    if script.call_back and script.call_back not in known:
        raise NotFound(
            "The call-back number is none of this account's senders. Register it, and point its "
            "calls here too: it must lead directly to the same mechanism."
        )
    remove(conn, of)
    conn.execute(insert(call_script), _key(of) | asdict(script))


def find(conn: Connection, of: Sender) -> CallScript | None:
    """A sender's script, or None."""
    where = [call_script.c[name] == value for name, value in _key(of).items()]
    row = conn.execute(select(*_COLUMNS).where(*where)).one_or_none()
    return None if row is None else CallScript(*row)


def remove(conn: Connection, of: Sender) -> None:
    """Take a sender's script away: it speaks as by default again."""
    where = [call_script.c[name] == value for name, value in _key(of).items()]
    conn.execute(delete(call_script).where(*where))


def _key(of: Sender) -> dict[str, object]:
    return {
        "tenant": of.tenant,
        "provider": of.provider,
        "account": of.account,
        "address": of.address,
    }


def _check(script: CallScript) -> None:
    if len(script.opt_out_key) != 1 or script.opt_out_key not in "0123456789":
        raise InvalidRequest("The key that opts out is one digit.", field="opt_out_key")
    if len(script.message) > LONGEST_MESSAGE:
        raise InvalidRequest(
            f"A message has at most {LONGEST_MESSAGE} characters.", field="message"
        )
    if "://" in script.message.partition(" ")[0] and not _is_recording(script.message):
        raise InvalidRequest("A recording is an https URL without a password.", field="message")


def _is_recording(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None
