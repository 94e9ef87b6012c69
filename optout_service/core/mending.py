"""Links as mail programs mangle them, read back into the letters that were minted.

Nothing that is lost is guessed: what is found here is a link only if its signature holds. A token
has letters, digits, ``-``, ``_`` and one ``~`` with 43 characters behind it, so that all else was
put in by somebody: brackets, line breaks, the marks of quoting, what stands behind the link.
"""

import html
import re
import string
from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

MAX_TEXT: Final = 4096
"""How much is looked at, in characters: a token has at most half of it."""

_SIGNATURE: Final = 43
"""An HMAC-SHA256 in base64url, without padding."""
_LETTERS: Final = string.ascii_letters + string.digits + "-_"
_LAYERS: Final = 3
"""How often a link may have been encoded: by the mail program, by a gateway, and by a filter."""
_PLACES: Final = 3
"""In how many places of one text a token is looked for."""

_NO_LETTER: Final = re.compile(r"[^A-Za-z0-9_~-]+")
# RFC 2045, 6.7: of a token's characters only these can have been written so.
_QUOTED: Final = re.compile(r"=(2D|3D|5F|7E)", re.IGNORECASE)
# A soft line break of RFC 2045, 6.7, whose line end has been dropped; white space; what is unseen.
_BREAKS: Final = re.compile("[=\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
# What word processors and telephones make of a hyphen, a tilde and a low line.
_LOOKALIKES: Final = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\uff0d", "-"),
        "\u2014": "--",
        **dict.fromkeys("\u02dc\u223c\uff5e", "~"),
        "\uff3f": "_",
    }
)


def candidates(text: str) -> Iterator[str]:
    """The tokens that a text may once have been, likeliest first, none twice; some dozen at most.

    ``text``: what stands where a token should. None of them is proven.
    """
    seen = {text}
    for candidate in _all(_decoded(text[:MAX_TEXT])):
        if candidate not in seen:
            seen.add(candidate)
            yield candidate


def letters(text: str) -> str:
    """What may be a token's own in a text, without all else: what a truncated link has left."""
    return _NO_LETTER.sub("", _decoded(text[:MAX_TEXT]))


def _all(text: str) -> Iterator[str]:
    # An equals sign that is left over from a line break may stand before any two letters.
    for reading in (_QUOTED.sub(_character, text), text):
        yield from _tokens(_BREAKS.sub("", reading))
        bare = _NO_LETTER.sub("", reading)
        yield from _tokens(bare)
        if "~" not in bare:
            # The alphabet of text messages has it only behind an escape, which gateways drop.
            yield f"{bare[:-_SIGNATURE]}~{bare[-_SIGNATURE:]}"


def _tokens(text: str) -> Iterator[str]:
    """What stands around each tilde, as far as it can belong to a token."""
    parts = text.split("~", _PLACES + 1)[: _PLACES + 1]
    for before, behind in pairwise(parts):
        payload = before[len(before.rstrip(_LETTERS)) :]
        signature = behind[:_SIGNATURE]
        if payload and len(signature) == _SIGNATURE and not signature.strip(_LETTERS):
            yield f"{payload}~{signature}"


def _decoded(text: str) -> str:
    """A text without percent-encoding, HTML's entities and look-alikes, however often written."""
    for _ in range(_LAYERS):
        plain = unquote(html.unescape(text))
        if plain == text:
            break
        text = plain
    return text.translate(_LOOKALIKES)


def _character(quoted: re.Match[str]) -> str:
    return chr(int(quoted[1], 16))
