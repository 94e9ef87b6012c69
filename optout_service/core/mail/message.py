"""A raw message taken apart within limits: its headers and its text, decoded.

The standard library parses under its ``compat32`` policy. The newer one reads each header by a
grammar as it is asked for, at a cost that grows with the square of a hostile one.
"""

import codecs
import html
import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice
from typing import Final, TypeVar

from optout_service.core.errors import Malformed

T = TypeVar("T")
U = TypeVar("U")

MAX_PARTS: Final = 60
"""A report that quotes a report has some ten. Each costs time on every line of all within it."""

MAX_BOUNDARIES: Final = 1000
"""Lines that may begin a part. What has more is hardly written by anybody."""

MAX_HEADER: Final = 8000
"""Characters of one header that are looked at."""

MAX_TEXT: Final = 20_000
"""Characters of a message's text that are looked at."""

_PART: Final = re.compile(rb"multipart/|message/", re.IGNORECASE)
_BOUNDARY: Final = re.compile(rb"^--", re.MULTILINE)
# The library takes time with the square of the parameters in one of these.
_LONG: Final = re.compile(
    rb"(?<![^\r\n])(content-(?:type|disposition):(?:%(more)s){2000})(?:%(more)s)+"
    % {b"more": rb"[^\r\n]|(?:\r\n|\r|\n)[ \t]"},
    re.IGNORECASE,
)
# They are codecs, and name no charset of any text.
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape"})
_QUOTE: Final = re.compile(
    r"<blockquote|gmail_quote|yahoo_quoted|divRplyFwdMsg|appendonsend|moz-cite-prefix",
    re.IGNORECASE,
)
_UNSEEN: Final = re.compile(r"<(script|style|head)\b", re.IGNORECASE)
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")


def parse(raw: bytes) -> Message:
    """The message. Where it has too many parts, its headers and no part of it.

    Raises Malformed for what is no message at all.
    """
    bare = _LONG.sub(rb"\1", raw.lstrip(b"\r\n\xef\xbb\xbf"))
    many = _has_more(_PART, bare, MAX_PARTS) or _has_more(_BOUNDARY, bare, MAX_BOUNDARIES)
    parser = BytesHeaderParser().parsebytes if many else message_from_bytes
    try:
        message = parser(bare)
    except Exception:  # whatever the library trips over
        raise Malformed("This is no message that can be read (RFC 5322).") from None
    if not message.keys():
        raise Malformed("This is no message: it has no headers (RFC 5322). Send it as it came.")
    return message


def parse_headers(text: bytes) -> Message:
    """The headers of a message of which no more was returned."""
    return BytesHeaderParser().parsebytes(text)


def header(message: Message, name: str) -> str:
    """The first header of this name, unfolded and decoded; "" where there is none."""
    return next(iter(headers(message, name)), "")


def headers(message: Message, name: str) -> list[str]:
    """All headers of this name, in order."""
    return [_decoded(value) for value in message.get_all(name, [])]


def raw_headers(message: Message, name: str) -> list[str]:
    """The same, not decoded: what is encoded is no part of an address (RFC 2047, 5)."""
    return [str(value)[:MAX_HEADER] for value in message.get_all(name, [])]


def every_header(message: Message) -> Iterator[str]:
    """The values of all headers, in order."""
    return (_decoded(value) for _, value in message.raw_items())


def text_of(message: Message) -> str:
    """What its author wrote: the plain text, or that of the HTML; nothing of attached messages."""
    found: dict[str, str] = {}
    for part in _parts(message):
        found.setdefault(part.get_content_type(), _text(part))
    if (plain := found.get("text/plain", "")).strip():
        return plain
    return _seen(found.get("text/html", ""))


def raw_text_of(message: Message) -> str:
    """All text of a message, its HTML as it stands: where links are looked for."""
    return "\n".join(_text(part) for part in _parts(message))[: 5 * MAX_TEXT]


def parts_of(part: Message) -> list[Message]:
    """What it is made of: the parts of a multipart, the message of a message; else none."""
    inner = part.get_payload() if part.is_multipart() else []
    return [one for one in inner if isinstance(one, Message)]


def payload(part: Message) -> bytes:
    """The bytes of a part, out of their transfer encoding; none where it cannot be undone."""
    found = _tried(lambda: part.get_payload(decode=True), b"")
    return found if isinstance(found, bytes) else b""


def _has_more(mark: re.Pattern[bytes], raw: bytes, limit: int) -> bool:
    return next(islice(mark.finditer(raw), limit, None), None) is not None


def _tried(call: Callable[[], T], otherwise: U) -> T | U:
    """What the library makes of a part, or ``otherwise``: hostile ones make it raise anything."""
    try:
        return call()
    except Exception:
        return otherwise


def _parts(message: Message) -> Iterator[Message]:
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart":
            waiting += reversed(parts_of(part))
        elif part.get_content_maintype() == "text" and not _tried(part.get_filename, ""):
            yield part


def _text(part: Message) -> str:
    return _decode(payload(part), _tried(part.get_content_charset, None))[: 5 * MAX_TEXT]


def _seen(text: str) -> str:
    own = _QUOTE.split(text[: 5 * MAX_TEXT], maxsplit=1)[0]
    # What was cut within a tag would leave the tag's beginning.
    own = own.rpartition("<")[0] if own.rfind("<") > own.rfind(">") else own
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", _without_unseen(own))))


def _without_unseen(text: str) -> str:
    kept: list[str] = []
    rest = text
    while (opening := _UNSEEN.search(rest)) is not None:
        kept.append(rest[: opening.start()])
        closing = re.compile(f"</{opening[1]}", re.IGNORECASE).search(rest, opening.end())
        rest = rest[closing.start() :] if closing else ""
    return " ".join([*kept, rest])


def _decoded(value: object) -> str:
    text = str(value)[:MAX_HEADER]
    pieces = _tried(lambda: decode_header(text), [(text, None)]) if "=?" in text else [(text, None)]
    whole = "".join(
        piece if isinstance(piece, str) else _decode(piece, charset) for piece, charset in pieces
    )
    return re.sub(r"[\r\n]+", "", whole).strip()


def _decode(text: bytes, charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or "utf-8").name
        if name.replace("-", "_") not in _NO_CHARSETS:
            # UTF-7 gives halves of pairs too, which are no text that can be written again.
            return text.decode(name, "replace").encode(errors="replace").decode()
    except (LookupError, ValueError):
        pass  # a charset that nobody knows
    return text.decode("utf-8", "replace")
