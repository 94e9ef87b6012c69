"""Some carriers hand a text on in base64. It is opened only where it cannot be anything else."""

import base64
import binascii
import re
from typing import Final

_WHOLE: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})", re.ASCII
)
_LONGEST: Final = 4000


def text_in(text: str) -> str | None:
    """The text inside, if this whole message is base64 of printable UTF-8; else None.

    An ordinary word can look like base64, yet what it decodes to is no text that anybody wrote.
    """
    bare = text.strip()
    if len(bare) > _LONGEST or not _WHOLE.fullmatch(bare):
        return None
    try:
        inner = base64.b64decode(bare, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return inner if inner.strip() and inner.replace("\n", "").isprintable() else None
