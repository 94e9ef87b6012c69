"""What is this message? A request, a complaint, a bounce, somebody's words, or nothing."""

import re
from email.message import Message
from email.utils import getaddresses
from hashlib import sha256
from typing import Final

from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress
from optout_service.core.mail import reports, tokens
from optout_service.core.mail.authentication import proven_by
from optout_service.core.mail.automatic import why_automatic
from optout_service.core.mail.message import (
    MAX_TEXT,
    header,
    headers,
    parse,
    raw_headers,
    text_of,
)
from optout_service.core.mail.tokens import Find
from optout_service.core.mail.told import Envelope, Mail, Nothing, Request, Told, Words
from optout_service.core.scope import Kind

MAX_SUBJECT: Final = 500
_MOST_RECIPIENTS: Final = 50
_FIRST_LINES: Final = 5
"""A mailto can fill the first lines of a body (RFC 6068, 4). Below stands what others wrote."""

# One address, without doubt. What reads more leniently may find another than the mail server did.
_FROM: Final = re.compile(r"[^<>,:;()]*<(?P<named>[^<>,\s]+)>\s*|\s*(?P<bare>[^<>,:;()\s]+)\s*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"(?!@)')

# By whom the message was delivered here, then whom it was written to.
_DELIVERED: Final = ("Delivered-To", "X-Original-To", "Envelope-To")
_WRITTEN: Final = ("To", "Cc")


def read(raw: bytes, envelope: Envelope, find: Find, authserv_id: str = "") -> Mail:
    """Read a raw message (RFC 5322).

    ``find``: gives the claim of a token of ours. ``authserv_id``: the name by which our own mail
    server signs what it found out about a sender. Raises Malformed for what is no message.
    """
    message = parse(raw)
    recipients = _recipients(message, envelope)
    subject = header(message, "Subject")
    text = text_of(message)[:MAX_TEXT]
    return Mail(
        key=_key(message, raw),
        author=header(message, "From")[:MAX_SUBJECT],
        subject=subject[:MAX_SUBJECT],
        text=text,
        recipients=recipients,
        told=_told(message, envelope, recipients, subject, text, find, authserv_id),
    )


def _told(
    message: Message,
    envelope: Envelope,
    recipients: tuple[str, ...],
    subject: str,
    text: str,
    find: Find,
    authserv_id: str,
) -> Told:
    # Reports come first: they are automatic by every mark.
    if (report := reports.read(message, recipients, find)) is not None:
        return report
    if (why := why_automatic(message, envelope)) is not None:
        return Nothing(f"automatic: {why}")
    places = {
        "address": [address.rpartition("@")[0] for address in recipients],
        "subject": [subject],
        "body": ["\n".join(_first_lines(text))],
    }
    for found_in, texts in places.items():
        if (claim := tokens.first(texts, find)) is not None:
            return Request(claim, found_in)
    return _words(message, authserv_id)


def _words(message: Message, authserv_id: str) -> Words:
    found = [_FROM.fullmatch(_QUOTED.sub("", value)) for value in raw_headers(message, "From")]
    if len(found) != 1 or found[0] is None:
        return Words("", "")
    try:
        person = Address.parse(Kind.EMAIL, found[0]["named"] or found[0]["bare"]).value or ""
    except InvalidAddress:
        return Words("", "")
    return Words(person, proven_by(message, person.rpartition("@")[2], authserv_id))


def _first_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return [line for line in lines[:_FIRST_LINES] if not line.lstrip().startswith(">")]


def _recipients(message: Message, envelope: Envelope) -> tuple[str, ...]:
    if envelope.recipients:
        return envelope.recipients[:_MOST_RECIPIENTS]
    named = [value for name in _DELIVERED for value in headers(message, name)]
    named = named or [value for name in _WRITTEN for value in headers(message, name)]
    found = (address for _, address in getaddresses(named) if "@" in address)
    return tuple(dict.fromkeys(found))[:_MOST_RECIPIENTS]


def _key(message: Message, raw: bytes) -> str:
    """A digest, since a message's id can name its author.

    With the id go date and author: there are programs that give all their messages one id.
    """
    names = ("Message-ID", "Date", "From")
    told = "\n".join(header(message, name) for name in names)
    return sha256(told.encode() if header(message, "Message-ID") else raw).hexdigest()
