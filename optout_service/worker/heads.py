"""What the first bytes of a request say, before anybody has read it: is it all there, whose is it.

It is read so again by gunicorn, properly. Here a request that is out of the ordinary only gets a
place further back, and is never refused.
"""

import re
from typing import Final

from optout_service.worker.turns import Rank

MOST: Final = 16 * 1024
"""Of so many bytes in all, head and body, it is waited for until they are there."""

_END: Final = b"\r\n\r\n"
_ODD_END: Final = re.compile(rb"\n\r?\n")
_DOORS: Final = (b"/u/", b"/hooks/", b"/healthz", b"/readyz")
_STREAMS: Final = (b"/v1/scrub", b"/v1/imports", b"/v1/suppressions/export")
_BATCHES: Final = (b"/v1/check/batch", b"/v1/links/batch")
_LENGTH: Final = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
# The body is in chunks, and nobody knows its end; or it comes only when it is asked for.
_OPEN: Final = re.compile(rb"\r\n(?:Transfer-Encoding|Expect):", re.IGNORECASE)


def rank(seen: bytes) -> Rank | None:
    """The rank of a request that begins with these bytes; None: wait until there are more.

    No more than ``MOST`` are waited for.
    """
    end = seen.find(_END)
    if end < 0:
        # One that ends its lines otherwise is refused by whoever reads it, and not waited for.
        return Rank.LONG if len(seen) >= MOST or _ODD_END.search(seen) else None
    asked = _of(seen[: end + 2])
    if _OPEN.search(seen, 0, end + 2):
        return _slow(asked)
    length = _LENGTH.search(seen, 0, end + 2)
    whole = end + len(_END) + (int(length[1]) if length else 0)
    if whole > MOST:
        return _slow(asked)
    return asked if len(seen) >= whole else None


def _of(head: bytes) -> Rank:
    parts = head.split(b" ", 2)
    target = parts[1] if len(parts) > 1 else b""
    if target.startswith(_DOORS):
        return Rank.DOOR
    if target.startswith(_STREAMS):
        return Rank.STREAM
    if target.startswith(_BATCHES):
        return Rank.LONG
    news = target.startswith(b"/v1/events?") and b"wait=" in target
    return Rank.NEWS if news else Rank.PLAIN


def _slow(asked: Rank) -> Rank:
    """The rank of one whose body may be a long time in coming."""
    match asked:
        case Rank.DOOR:
            return Rank.LETTER
        case Rank.PLAIN | Rank.NEWS:
            return Rank.LONG
        case _:
            return asked
