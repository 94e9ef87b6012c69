"""Colours, and how far two of them stand apart.

WCAG 2.2, section 6: "relative luminance" and "contrast ratio".
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from optout_service.core.errors import InvalidRequest

_FORM: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_STEPS: Final = 64


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of sRGB; each part is 0 to 255. As text it is ``#rrggbb``."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str, *, field: str = "colour") -> Self:
        """A colour from ``#rrggbb``, in either case. Raises InvalidRequest, naming the field."""
        lowered = text.lower()
        if not _FORM.fullmatch(lowered):
            raise InvalidRequest(
                "A colour is # and six hexadecimal digits, such as #1747b5.", field=field
            )
        return cls(*bytes.fromhex(lowered[1:]))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """How bright it is: 0 for black, 1 for white."""
        red, green, blue = map(_linear, (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: "Colour") -> float:
        """The ratio of the two, from 1 (the same) to 21 (black and white); either way round."""
        darker, lighter = sorted((self.luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)

    def least_contrast(self, *others: "Colour") -> float:
        """The ratio to the nearest of several."""
        return min(self.contrast(other) for other in others)

    def until(self, ratio: float, *others: "Colour", towards: "Colour") -> "Colour":
        """The first colour on the way to another that stands so far apart from these.

        The colour itself where it does already; the other where none on the way does.
        """
        for step in range(_STEPS):
            on_the_way = self._mixed(towards, step / _STEPS)
            if on_the_way.least_contrast(*others) >= ratio:
                return on_the_way
        return towards

    def _mixed(self, other: "Colour", share: float) -> "Colour":
        pairs = ((self.red, other.red), (self.green, other.green), (self.blue, other.blue))
        return Colour(*(round(own + (its - own) * share) for own, its in pairs))


BLACK: Final = Colour(0, 0, 0)
WHITE: Final = Colour(255, 255, 255)


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
