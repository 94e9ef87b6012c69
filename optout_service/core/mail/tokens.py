"""A link's token, found in what mail programs make of it.

It comes folded, wrapped at column 76, percent-encoded, in quoted-printable, in brackets, with words
around it. Its signature says which of the possible readings is the token.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote

from optout_service.core.token import MAX_TOKEN, Claim

Find = Callable[[str], Claim | None]
"""Gives the claim of a token that is ours, None for any other text."""

MOST_TRIED: Final = 400
"""How many readings are tried in one message: each costs a signature."""

_SEPARATOR: Final = "~"
_SHORTEST: Final = 60
_PIECES: Final = 4
"""So many pieces on either side may belong to a token: it was wrapped no oftener."""

_PIECE: Final = re.compile(r"[A-Za-z0-9_~-]+", re.ASCII)
_TILDE: Final = re.compile("=7[Ee]")
_SOFT_BREAK: Final = re.compile(r"=\r?\n")


def first(texts: Iterable[str], find: Find) -> Claim | None:
    """The claim of the first token that stands in one of these texts, in their order."""
    readings = (reading for text in texts for reading in _readings(text))
    return next(filter(None, map(find, islice(readings, MOST_TRIED))), None)


def _readings(text: str) -> Iterator[str]:
    """What may be a token, the plainest reading first."""
    pieces = _PIECE.findall(_undone(text))
    for place, piece in enumerate(pieces):
        if _SEPARATOR not in piece:
            continue
        yield from filter(_may_be_one, _around(pieces, place))


def _around(pieces: list[str], place: int) -> Iterator[str]:
    for before in range(min(place, _PIECES) + 1):
        for after in range(_PIECES + 1):
            if place + after < len(pieces):
                yield "".join(pieces[place - before : place + after + 1])


def _may_be_one(reading: str) -> bool:
    return _SHORTEST <= len(reading) <= MAX_TOKEN and reading.count(_SEPARATOR) == 1


def _undone(text: str) -> str:
    """The text without the encodings that a token's own characters never need."""
    if "=" in text:
        text = _TILDE.sub("~", _SOFT_BREAK.sub("", text).replace("=3D", "="))
    if "%" in text:
        text = unquote(text)
    return html.unescape(text) if "&" in text else text
