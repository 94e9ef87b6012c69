"""What did they say? The whole message is one keyword, or it is none.

Case, width, accents, punctuation, spacing, emoji and invisible characters do not matter. The words
stand in ``keywords.toml``, each list with its source. Where a word stands in several lists, a
per-se word comes first; then the list of the language that is given; then the safer reading:
opt-out before review before help before opt-in.
"""

import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

MAX_KEYWORD: Final = 200
"""Longer messages are no keyword; a text has 1,600 characters at most."""


class Intent(StrEnum):
    """What a message asks for."""

    OPT_OUT = "opt_out"
    REVIEW = "review"
    HELP = "help"
    OPT_IN = "opt_in"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says, the rule that says so, and the language of that rule."""

    intent: Intent
    rule: str
    language: str


NOTHING: Final = Reading(Intent.NONE, "none", "")
_SECTIONS: Final = {
    "per_se": Intent.OPT_OUT,
    "opt_out": Intent.OPT_OUT,
    "review": Intent.REVIEW,
    "help": Intent.HELP,
    "opt_in": Intent.OPT_IN,
}


def read(text: str, language: str | None = None) -> Reading:
    """What a whole message says. ``language``: a tag such as ``es`` or ``pt-BR``, if known.

    Never raises. A keyword inside a sentence is none: free text is for other rules.
    """
    if len(text) > MAX_KEYWORD:
        return NOTHING
    readings = _table().get(_bare(text), ())
    spoken = (language or "").partition("-")[0].lower()
    for reading in readings:
        if reading.rule.startswith("per_se") or reading.language == spoken:
            return reading
    return readings[0] if readings else NOTHING


@cache
def _table() -> dict[str, tuple[Reading, ...]]:
    """Every keyword's bare form, with its readings: per se first, then the safer first."""
    data = tomllib.loads(files(__package__).joinpath("keywords.toml").read_text(encoding="utf-8"))
    table: dict[str, tuple[Reading, ...]] = {}
    for section, intent in _SECTIONS.items():
        lists = {tag: words for tag, words in data[section].items() if tag != "source"}
        for tag, words in lists.items():
            for word in words:
                reading = Reading(intent, f"{section}:{tag}:{word}", tag)
                table[_bare(word)] = (*table.get(_bare(word), ()), reading)
    return table


def _bare(text: str) -> str:
    """Letters and digits alone: NFKC, case folded, without accents, spaces, marks and signs.

    Spacing goes too, so that "S T O P" and "opt-out" are what they mean. Accents that make another
    letter of it in Hindi, Japanese, Arabic or Hebrew stay.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    parts = unicodedata.normalize("NFD", folded)
    kept = (
        character
        for character in parts
        if unicodedata.category(character)[0] in "LN"
        or (unicodedata.category(character)[0] == "M" and not _is_accent(character))
    )
    return unicodedata.normalize("NFC", "".join(kept))


def _is_accent(character: str) -> bool:
    # Latin, Greek and Cyrillic accents, Arabic vowel points, Hebrew points, variation selectors,
    # the keycap. Devanagari's vowel signs and Japanese voicing marks are letters.
    code = ord(character)
    return (
        0x0300 <= code <= 0x036F
        or 0x064B <= code <= 0x0652
        or 0x0591 <= code <= 0x05C7
        or 0xFE00 <= code <= 0xFE0F
        or 0x20D0 <= code <= 0x20FF
        or 0xE0100 <= code <= 0xE01EF
    )
