"""What a word that was typed badly may have been, where the words around it leave no doubt.

More generous than ``typos``: short words, two slips in longer ones, vowels or a space left out.
"""

import re
from collections.abc import Iterable
from typing import Final

from optout_service.core.keyword.typos import (
    LEET,
    MAX,
    MIDDLE,
    RUN,
    TWINS,
    distance,
    is_slip,
    swapped,
)

_LEAST: Final = 3
_TWO_SLIPS: Final = 7
"""Both words have so many letters where two of them are wrong."""
_ENDING: Final = 2
_SOUNDS_LIKE: Final = {"b": "v", "v": "b"}
_VOWELS: Final = re.compile("[aeiou]")


class Guesses:
    """The words of one language, and the beginnings of words (``stems``)."""

    def __init__(self, words: Iterable[str], stems: Iterable[str]) -> None:
        self._stems = frozenset(stem for stem in stems if len(stem) >= MIDDLE)
        self._words = dict.fromkeys((*words, *self._stems))
        self._by_letter: dict[str, list[str]] = {}
        for word in self._words:
            if _LEAST <= len(word) <= MAX:
                self._by_letter.setdefault(word[0], []).append(word)

    def guess(self, word: str) -> list[str]:
        """The word meant, or the two between which the space was left out; or none."""
        if not _LEAST <= len(word) <= MAX:
            return []
        parts = [(word[:n], word[n:]) for n in range(2, len(word) - 1) if word[:n] in self._words]
        for first, rest in parts:
            if rest in self._words:
                return [first, rest]
        # "dontcall" is no "call": what stands before is not a slip of the finger.
        if (meant := self._meant(word)) and not word.endswith(meant):
            return [meant]
        for first, rest in parts:
            if meant := self._meant(rest) or self._inflected(rest):
                return [first, meant]
        return [meant] if (meant := self._inflected(word)) else []

    def _meant(self, word: str) -> str | None:
        for other in (word, RUN.sub(r"\1", word), word.translate(LEET), word.translate(TWINS)):
            if other in self._words:
                return other
        return self._nearest(word, self._like(word))

    def _inflected(self, word: str) -> str | None:
        """The word with its stem put right."""
        stems = [stem for stem in self._like(word) if stem in self._stems]
        found = [
            (distance(word[:end], meant), meant + word[end:])
            for end in range(MIDDLE, len(word))
            if (meant := self._nearest(word[:end], stems))
        ]
        return min(found, default=(0, None))[1]

    def _like(self, word: str) -> list[str]:
        """The words that begin as it does, but for a swap."""
        letters = dict.fromkeys(word[:2] + _SOUNDS_LIKE.get(word[0], ""))
        return [meant for letter in letters for meant in self._by_letter.get(letter, ())]

    def _nearest(self, word: str, words: Iterable[str]) -> str | None:
        # Swapped letters first, then vowels left out, then another letter, then one more or less.
        return min(
            (meant for meant in words if _may_be(word, meant)),
            key=lambda meant: (
                not swapped(word, meant),
                not _without_vowels(word, meant),
                distance(word, meant),
                len(word) != len(meant),
            ),
            default=None,
        )


def _may_be(word: str, meant: str) -> bool:
    slips = 2 if min(len(word), len(meant)) >= _TWO_SLIPS else 1
    # Two slips that bring in more than one other letter make another word.
    if abs(len(word) - len(meant)) > slips or len(set(word) ^ set(meant)) > 2:
        return False
    if _is_form(word, meant):
        return False
    if len(meant) > MIDDLE + 1:
        return distance(word, meant) <= slips
    shorter = len(word) == len(meant) - 1 and word[0] == meant[0]
    return is_slip(word, meant) or (shorter and distance(word, meant) == 1)


def _is_form(word: str, meant: str) -> bool:
    """Whether the two differ in their endings alone, as forms of one word do."""
    pairs = zip(word, meant, strict=False)
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), len(meant))
    alike = same >= min(len(word), len(meant)) - _ENDING and len(word) > MIDDLE
    return alike and not swapped(word, meant) and not _without_vowels(word, meant)


def _without_vowels(word: str, meant: str) -> bool:
    """Whether vowels alone were left out, as in "lst" and "txt"."""
    return len(word) < len(meant) and _VOWELS.sub("", word) == _VOWELS.sub("", meant)
