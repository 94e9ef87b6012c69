"""Reports: complaints (RFC 5965) and what could not be delivered (RFC 3464).

Nothing in a report is proven (RFC 5965, 8). What is believed of it is a token of ours in the
message that it returns, since only who has that message can write it there.
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Final

from optout_service.core.mail import tokens
from optout_service.core.mail.message import (
    every_header,
    header,
    headers,
    parse_headers,
    parts_of,
    payload,
    raw_text_of,
)
from optout_service.core.mail.tokens import Find
from optout_service.core.mail.told import Bounce, Complaint, Nothing, Told

COMPLAINTS: Final = frozenset({"abuse", "fraud", "virus", "other"})
"""The types of RFC 5965, 7.3 that complain. ``not-spam`` and the unknown ones do not."""

_RETURNED: Final = ("message/rfc822", "message/global", "text/rfc822-headers")
_OUTLOOKS: Final = "X-HmXmrOriginalRecipient"
_STATUS: Final = re.compile(r"(?<![0-9.])5\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])", re.ASCII)
# RFC 3463: what is wrong with this message, or with us, says nothing of whether the next arrives.
_OF_THE_MESSAGE: Final = re.compile(r"5\.(?:2\.[23]|3\.4|6\.[0-9]+|7\.[0-9]+)", re.ASCII)
_LONGEST: Final = 300


def read(message: Message, recipients: tuple[str, ...], find: Find) -> Told | None:
    """What a report tells, None for what is none. ``recipients``: as in ``Mail``."""
    parts = parts_of(message)
    if message.get_content_type() == "multipart/report":
        by_type = {part.get_content_type(): part for part in reversed(parts)}
        if (feedback := by_type.get("message/feedback-report")) is not None:
            return _complaint(feedback, parts, find)
        if (status := by_type.get("message/delivery-status")) is not None:
            return _bounce(status, parts, recipients, find)
    return _bare_complaint(parts, find)


def _complaint(feedback: Message, parts: list[Message], find: Find) -> Told:
    fields = next(iter(parts_of(feedback)), None)
    if fields is None:
        return Nothing("feedback: no fields")
    types = headers(fields, "Feedback-Type")
    if len(types) != 1:
        return Nothing("feedback: not one type")
    if types[0].lower() not in COMPLAINTS:
        return Nothing("feedback: no complaint")
    # RFC 5965, 2: the message itself first, then the fields, never the text for people.
    claim = tokens.first(_texts_returned(parts), find) or tokens.first(every_header(fields), find)
    return Complaint(
        claim=claim,
        recipient=header(fields, "Original-Rcpt-To").strip("<> "),
        feedback_type=types[0].lower(),
        reporter=header(fields, "User-Agent")[:_LONGEST],
    )


def _bare_complaint(parts: list[Message], find: Find) -> Told | None:
    """Outlook.com's older form: the message attached, with a header that names who complained."""
    for returned in _returned(parts):
        if recipient := header(returned, _OUTLOOKS):
            claim = tokens.first(_texts_returned(parts), find)
            return Complaint(claim, recipient.strip("<> "), "abuse", "Outlook.com")
    return None


def _bounce(status: Message, parts: list[Message], recipients: tuple[str, ...], find: Find) -> Told:
    blocks = parts_of(status)
    failed = [block for block in blocks if _failed(block)]
    if not failed:
        return Nothing("delivery: not failed for good")
    about = [block for block in failed if _is_about_the_address(block)]
    if not about:
        return Nothing("delivery: about the message, not the address")
    # A tag in the return path, then the message that came back, then its envelope id (RFC 3461).
    claim = (
        tokens.first(recipients, find)
        or tokens.first(_texts_returned(parts), find)
        or tokens.first((header(block, "Original-Envelope-Id") for block in blocks[:1]), find)
    )
    if claim is None:
        return Nothing("delivery: none of our messages in it")
    block = _block_of(about, len(_recipients(blocks)), claim.address.value or "")
    if block is None:
        return Nothing("delivery: of somebody else")
    return Bounce(claim, _code(block), header(block, "Diagnostic-Code")[:_LONGEST])


def _block_of(about: list[Message], told: int, address: str) -> Message | None:
    """The block of the one whom the token names. Behind a forwarder he has another address."""
    if told == 1:
        return about[0]
    return next((block for block in about if address in _addresses(block)), None)


def _recipients(blocks: list[Message]) -> list[Message]:
    return [block for block in blocks if header(block, "Action")]


def _addresses(block: Message) -> list[str]:
    named = [header(block, "Original-Recipient"), header(block, "Final-Recipient")]
    return [text.rpartition(";")[2].strip("<> ").lower() for text in named]


def _failed(block: Message) -> bool:
    """RFC 3464, 2.3.3 and 2.3.4: failed, and for good."""
    return header(block, "Action").lower().startswith("failed") and bool(_code(block))


def _is_about_the_address(block: Message) -> bool:
    return not _OF_THE_MESSAGE.fullmatch(_code(block))


def _code(block: Message) -> str:
    found = _STATUS.search(header(block, "Status"))
    return found.group() if found else ""


def _texts_returned(parts: list[Message]) -> Iterator[str]:
    """Where the message that is returned may name its link, the surest place first."""
    for returned in _returned(parts):
        yield from headers(returned, "List-Unsubscribe")
        yield from every_header(returned)
        yield raw_text_of(returned)


def _returned(parts: list[Message]) -> Iterator[Message]:
    for part in parts:
        if part.get_content_type() in _RETURNED:
            inner = parts_of(part)
            yield inner[0] if inner else parse_headers(payload(part))
