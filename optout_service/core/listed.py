"""What one row of a list says: who must not be sent to, by which scope, and why.

The list is one's own, with columns for the address, ``channel``, ``topic``, ``purpose``,
``reason``, ``occurred_at`` (or ``since``) and ``reference``, all but the first of them optional;
or another system's. What a row says of itself outranks what was said of the whole list.
"""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from optout_service.core import times
from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress, InvalidRequest, NotPermitted, UnknownTopic
from optout_service.core.evidence import Reason
from optout_service.core.imports import Asked
from optout_service.core.layouts import OWN, SHA256, Layout, Skip, Values
from optout_service.core.scope import ANY, OTHER, Channel, Scope

MOST_REFERENCE: Final = 200
_MOST_NOTE: Final = 500
_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.A | re.I)
_OTHER_HASH: Final = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{128}", re.ASCII | re.IGNORECASE
)
# What may stand before a phone: a channel, as Twilio writes it, or what keeps a spreadsheet from
# taking the number for a sum. No address begins so.
_BEFORE_A_PHONE: Final = re.compile(r"(?:whatsapp:|rcs:|')(?=\+\d)")
_MASKED: Final = "•"


@dataclass(frozen=True, slots=True)
class Act:
    """One row that suppresses. ``private``: what is kept of it as evidence."""

    address: Address
    scope: Scope
    reason: Reason
    occurred_at: datetime | None
    private: Mapping[str, str]


class Reader:
    """Reads rows of lists for one importer."""

    def __init__(self, asked: Asked, *, topics: Set[str], may_legal: bool, now: datetime) -> None:
        """``topics``: those that the tenant has. ``may_legal``: whether an order of law may be
        recorded by this caller.

        Raises, for what was said of the list as a whole, as ``read`` does of a row.
        """
        self._asked = asked
        self._topics = topics
        self._may_legal = may_legal
        self._now = now
        self._scope(asked.channel or ANY, {})
        self._permitted(asked.reason or Reason.OPTED_OUT)
        _reference(asked.reference)

    def read(self, layout: Layout, values: Values | None) -> Act | Skip:
        """What a row of a list of this layout says.

        Raises, for a row that cannot be taken, InvalidAddress, UnknownChannel, UnknownTopic,
        InvalidRequest or NotPermitted.
        """
        if values is None:
            raise InvalidRequest("The row cannot be read: its quotes, its JSON, or its bytes.")
        values = {name: text.strip() for name, text in values.items()}
        case = layout.case(values)
        means = case.means if case else None
        if isinstance(means, Skip):
            return means
        self._require_a_topic_for_a_part(layout, values)
        text = values.get((case and case.address) or layout.address, "")
        scope = self._scope(self._channel(layout, values, text), values)
        return Act(
            _address(scope.channel, text, hashed=self._asked.format == SHA256),
            scope,
            self._permitted(self._reason(layout, values, means)),
            self._occurred_at(layout, values),
            self._private(layout, values),
        )

    def _channel(self, layout: Layout, values: Values, text: str) -> str:
        if named := values.get("channel") or self._asked.channel or layout.channel:
            return named
        if "@" in text:
            return Channel.EMAIL
        raise InvalidRequest(
            "No channel is named, in the row or for the list. For a phone: sms, whatsapp, rcs, "
            "voice, or * for all of them.",
            field="channel",
        )

    def _scope(self, channel: str, values: Values) -> Scope:
        topic = values.get("topic") or self._asked.topic
        # An export has it: the rest, of who left everything and came back for a part.
        scope = Scope.parse(
            channel,
            None if topic == OTHER else topic,
            values.get("purpose") or self._asked.purpose or None,
        )
        if topic == OTHER:
            return replace(scope, topic=OTHER)
        if scope.topic not in (ANY, *self._topics):
            raise UnknownTopic(
                f"This tenant has no such topic. It has: {', '.join(sorted(self._topics)) or '-'}."
            )
        return scope

    def _require_a_topic_for_a_part(self, layout: Layout, values: Values) -> None:
        part = values.get(layout.part, "")
        if part not in ("", ANY) and not (values.get("topic") or self._asked.topic):
            raise InvalidRequest(
                "This person left one group or tag of that system, not everything. Import such a "
                "list by itself, with the topic that it means, or * for all.",
                field="topic",
            )

    def _reason(self, layout: Layout, values: Values, means: Reason | None) -> Reason:
        given = values.get("reason", "")
        if given in (*Reason,):
            return Reason(given)
        if given and layout is OWN:
            raise InvalidRequest(f"The reason is one of: {', '.join(Reason)}.", field="reason")
        found = means or self._asked.reason or layout.means
        if found is None:
            raise InvalidRequest(f"The row says nothing that {layout.name} is known to say.")
        return found

    def _permitted(self, reason: Reason) -> Reason:
        if reason is Reason.LEGAL and not self._may_legal:
            raise NotPermitted("Only a platform key may record an order of law.")
        return reason

    def _occurred_at(self, layout: Layout, values: Values) -> datetime | None:
        if given := values.get("occurredat") or values.get("since"):
            return times.happened(times.parse(given), self._now)
        told = next(filter(None, (values.get(column) for column in layout.time.split())), None)
        return None if told is None else times.guess(told, self._now)

    def _private(self, layout: Layout, values: Values) -> dict[str, str]:
        private = _reference(values.get("reference") or self._asked.reference)
        if layout is not OWN:
            private["list"] = layout.name
        if note := values.get(layout.note):
            private["note"] = note[:_MOST_NOTE]
        return private


def _address(channel: str, text: str, *, hashed: bool) -> Address:
    if found := _SHA256.fullmatch(text):
        text = f"sha256:{found[1]}"
    elif hashed:
        raise InvalidAddress("A list of hashes has the 64 hex digits of a SHA-256 in each row.")
    elif _OTHER_HASH.fullmatch(text):
        raise InvalidAddress(
            "This is a hash of another kind, such as MD5, from which nothing can be checked. Only "
            "the SHA-256 of the canonical form can be taken."
        )
    elif _MASKED in text:
        raise InvalidAddress("This address is masked. Export the list with a role that may see it.")
    return Address.parse_for(channel, _BEFORE_A_PHONE.sub("", text))


def _reference(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    if not text.strip() or len(text) > MOST_REFERENCE:
        raise InvalidRequest(
            f"A reference is a text of at most {MOST_REFERENCE} characters.", field="reference"
        )
    return {"reference": text}
