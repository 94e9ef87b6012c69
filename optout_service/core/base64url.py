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
