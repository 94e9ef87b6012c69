"""Bytes as text for a URL: base64url without padding (RFC 4648, 5), one text for each bytes."""

import base64
from typing import Any


def encoded(raw: bytes) -> bytes:
    """The text, as ASCII bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def decoded(text: str) -> bytes:
    """The bytes of what ``encoded`` writes. Raises ValueError for any other text.

    Four texts of the last characters mean the same bits: only the one we write is ours.
    """
    plain: Any = text.encode("ascii")
    raw = base64.urlsafe_b64decode(plain + b"=" * (-len(plain) % 4))
    if encoded(raw) != plain:
        raise ValueError("not as it was written")
    return raw


def leading(text: str, size: int) -> bytes:
    """The first ``size`` bytes of a text of which no more may be left. Raises ValueError."""
    needed = text[: -(-size * 4 // 3)]
    raw = base64.b64decode(needed + "A" * (-len(needed) % 4), b"-_", validate=True)
    if len(needed) * 6 < size * 8:
        raise ValueError("too little is left")
    return raw[:size]
