"""Where a page ended, as a text that callers hand back without reading it."""

import base64
import binascii
import json
from collections.abc import Sequence

from optout_service.core.errors import Malformed

_LARGEST = 2**31 - 1
"""The largest number that the columns behind these cursors hold."""

Part = str | int


def write(parts: Sequence[Part]) -> str:
    """The cursor of a place: the sort key of the last row that was given."""
    text = json.dumps(list(parts), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str, types: Sequence[type]) -> list[Part]:
    """The sort key of a place, each part of the type given. Raises Malformed."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(parts, list) or len(parts) != len(types):
            raise ValueError
        for part, wanted in zip(parts, types, strict=True):
            _require(part, wanted)
    except (ValueError, RecursionError, binascii.Error):
        raise Malformed("This cursor is none of ours. Start again without one.") from None
    return parts


def _require(part: object, wanted: type) -> None:
    fits = type(part) is wanted
    if isinstance(part, str):
        # No database takes the NUL character in a text.
        fits = fits and part.isprintable()
    if isinstance(part, int):
        fits = fits and 0 <= part <= _LARGEST
    if not fits:
        raise ValueError
