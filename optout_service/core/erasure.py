"""An erasure, as it is written down outside the database: so that it can be done again.

A backup that is put back brings back what was erased since it was made. The line names the
recipient by the keyed digest alone, which tells nobody without our pepper who it was.
"""

import re
from datetime import datetime
from typing import Final

import msgspec

from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest
from optout_service.core.scope import Kind
from optout_service.core.statement import Statements

USE: Final = "optout erasure 1"
LONGEST_REASON: Final = 1000
_SPACING: Final = re.compile(r"[\s()./-]")


class Erasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``tenant`` (its slug) held of the recipient ``digest`` (hex) up to ``at`` was erased.

    The digest is as it was stored that day: under the newest pepper of then.
    ``reviews``: the numbers of the erased reviews that name nobody by a digest. ``actor`` and
    ``reason``: who did it, and why. ``at`` aware, UTC; ``key`` and ``signature`` as
    ``core.signing`` makes them.
    """

    origin: str
    tenant: str
    digest: str
    reviews: list[int]
    actor: str
    reason: str
    at: datetime
    key: str = ""
    signature: str = ""


_ALL: Final = Statements(Erasure, USE)
sign: Final = _ALL.sign
is_good: Final = _ALL.is_good
as_line: Final = _ALL.as_line
from_line: Final = _ALL.from_line


def reason_for(address: Address, text: str) -> str:
    """A reason as it may be kept: it says why, and not whom. Raises InvalidRequest."""
    reason = text.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise InvalidRequest(
            f"Give a reason, of at most {LONGEST_REASON} characters.", field="reason"
        )
    if names(address, reason):
        raise InvalidRequest(
            "The reason names the address, and is kept. Give the number of a ticket or a letter.",
            field="reason",
        )
    return reason


def names(address: Address, text: str) -> bool:
    """Whether a text has this address in it, however a phone number is spaced there.

    Of a hashed address nobody can say: False. National forms of a number are not known either.
    """
    if address.value is None:
        return False
    if address.kind is Kind.PHONE:
        pattern = rf"{re.escape(address.value)}(?!\d)"
        return re.search(pattern, _SPACING.sub("", text)) is not None
    # Susana's address ends with Ana's: the whole of it counts.
    pattern = rf"(?<![\w.+-]){re.escape(address.value)}(?![\w-]|\.\w)"
    return re.search(pattern, text.lower()) is not None
