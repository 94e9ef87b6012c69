"""How many parts a text takes on its way, and so what it costs: GSM-7 if it can, else UCS-2.

Sources: 3GPP TS 23.038, 6.2.1 (the default alphabet and its extension table); TS 23.040, 9.2.3.24.1
(a part of several loses six octets to the header that joins them).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Each takes an escape before it, so two septets, which are never parted."""


class Encoding(StrEnum):
    """How the characters travel."""

    GSM_7 = "gsm-7"
    UCS_2 = "ucs-2"


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a text: its encoding, the units it fills there, and the parts it is cut in.

    A unit is a septet in GSM-7 and two octets in UCS-2, where an emoji takes two units.
    """

    encoding: Encoding
    units: int
    segments: int


_LIMITS: Final = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}
"""Units in a text of one part, and in each part of several."""


def length(text: str) -> Length:
    """The length of a text. An empty one takes one segment, as a message does."""
    widths = [_septets(character) for character in text]
    encoding = Encoding.GSM_7 if all(widths) else Encoding.UCS_2
    if encoding is Encoding.UCS_2:
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    alone, each = _LIMITS[encoding]
    units = sum(widths)
    return Length(encoding, units, 1 if units <= alone else _parts(widths, each))


def _septets(character: str) -> int:
    """Septets of a character in GSM-7, 0 if it has none."""
    return 1 if character in _BASIC else 2 if character in _EXTENSION else 0


def _parts(widths: list[int], each: int) -> int:
    """Parts of ``each`` units, where a character of two units is not cut in half."""
    if 2 not in widths:
        return ceil(len(widths) / each)
    parts, filled = 1, 0
    for width in widths:
        if filled + width > each:
            parts, filled = parts + 1, 0
        filled += width
    return parts
