"""The normal form: what is left of a text when it does not matter how it was written.

Case, width, accents, vowel points and invisible characters go. Letters that people type for one
another are made one. The raw text stays with the caller, as evidence.
"""

import re
import unicodedata
from typing import Final

# Accents that no reader misses: Latin, Greek and Cyrillic; Arabic vowel points and hamzas; Hebrew
# points; the nukta; variation selectors and keycaps. Devanagari's vowel signs and Japanese voicing
# marks are letters, and stay.
_ACCENTS: Final = (
    (0x0300, 0x036F),
    (0x064B, 0x0655),
    (0x0670, 0x0670),
    (0x0591, 0x05C7),
    (0x093C, 0x093C),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xE0100, 0xE01EF),
)
# Zero width, joiners, marks of direction, soft hyphen, tatweel, tags; skin tones.
_INVISIBLE: Final = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x0640, 0x0640),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x2069),
    (0xFEFF, 0xFEFF),
    (0x1F3FB, 0x1F3FF),
    (0xE0000, 0xE007F),
)
_SAME: Final = {
    **dict.fromkeys("’‘ʼʻ`´′＇", "'"),
    **dict.fromkeys("‐‑‒−", "-"),
    **dict.fromkeys("“”„‟«»‹›「」『』″״", '"'),
    **dict(
        zip("ıøłđæœکیىةؤئ", ["i", "o", "l", "d", "ae", "oe", *"كيي", "ه", "و", "ي"], strict=True)
    ),
    **dict.fromkeys("।॥。", ". "),
    **dict.fromkeys("\u2028\u2029\u0085\r\v\f", "\n"),
    **dict.fromkeys("؟", "?"),
    **dict.fromkeys("،、", ", "),
    **dict.fromkeys("؛", "; "),
}
_TABLE: Final[dict[int, str | None]] = {
    **{code: None for low, high in (*_ACCENTS, *_INVISIBLE) for code in range(low, high + 1)},
    **{ord(one): other for one, other in _SAME.items()},
    # White letters on black: NFKC knows only the black ones on white.
    **{0x1F150 + n: chr(ord("a") + n) for n in range(26)},
    **{0x1F170 + n: chr(ord("a") + n) for n in range(26)},
}

# What ``\w`` leaves out: the vowel signs of India and of South East Asia.
LETTER: Final = r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])"
_LETTERS: Final = re.compile(LETTER + "+")
# In Hebrew, the mark of an abbreviation stands where a quotation mark would: דוא"ל.
_ABBREVIATED: Final = re.compile('(?<=[א-ת])"(?=[א-ת])')


def fold(text: str) -> str:
    """The normal form. Spaces, punctuation and line breaks are still there."""
    if text.isascii():
        return text.replace("\r", "\n").replace("`", "'").lower()
    wide = unicodedata.normalize("NFKC", text).casefold()
    bare = unicodedata.normalize("NFD", wide).translate(_TABLE)
    return _ABBREVIATED.sub("", unicodedata.normalize("NFC", bare))


def letters_of(folded: str) -> str:
    """A normal form's letters and digits alone: "s t o p", "opt-out" and "*stop*" are one word."""
    return "".join(_LETTERS.findall(folded))
