"""Common typing errors: one slip, in a word that matters, that makes no other word.

A short word is corrected only where fingers slip: a neighbouring key, two letters swapped, one
doubled or left out. "shop", "step", "top" and "spot" are words, and never become "stop".
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

_SHORT: Final = 4
MIDDLE: Final = 5
_LONG: Final = 9
_SYLLABLE: Final = 3
MAX: Final = 20
_ALSO_SHORT: Final = ("stop", "quit", "text", "стоп")
_ROWS: Final = ("qwertyuiop", "asdfghjkl;", "zxcvbnm,.", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
LEET: Final = str.maketrans("013457$@", "oieastsa")
RUN: Final = re.compile(r"(.)\1+")
# Cyrillic and Greek letters that look like Latin ones.
TWINS: Final = str.maketrans("асеіјкмнорѕтхуαεικνορτυχ", "aceijkmhopstxyaeiknoptux")

_BACK: Final = str.maketrans("aceijkmhopstxy", "асеіјкмнорѕтху")


class Index:
    """Finds, for an unknown word, the known one that it was meant to be.

    Of several that are as near, the one that was given first.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[str, int] = {}
        self._single: dict[str, str] = {}
        self._shorter: dict[str, list[str]] = {}
        for word in words:
            if (len(word) > _SHORT or word in _ALSO_SHORT) and len(word) <= MAX:
                self._words.setdefault(word, len(self._words))
                self._single.setdefault(RUN.sub(r"\1", word), word)
                for less in _deletions(word, 2 if len(word) > _LONG else 1):
                    self._shorter.setdefault(less, []).append(word)

    def correct(self, word: str) -> str | None:
        """The word meant, or None."""
        if not _SHORT - 1 <= len(word) <= MAX and not RUN.search(word):
            return None
        single = RUN.sub(r"\1", word)
        if single != word and (meant := self._single.get(single)):
            return meant
        for other in (word.translate(LEET), word.translate(TWINS), word.translate(_BACK)):
            if other in self._words:
                return other
        return self._slip(word) or (self._slip(single) if single != word else None)

    def _slip(self, word: str) -> str | None:
        if not _SHORT <= len(word) <= MAX:
            return None
        found = {
            meant
            for less in (word, *_deletions(word, 2 if len(word) > _LONG else 1))
            for meant in (*self._shorter.get(less, ()), *([less] if less in self._words else ()))
            if is_slip(word, meant)
        }
        # Swapped letters first, then another letter, then one too many or too few.
        return min(
            found,
            key=lambda meant: (
                not swapped(word, meant),
                distance(word, meant),
                len(word) != len(meant),
                self._words[meant],
            ),
            default=None,
        )


def _deletions(word: str, times: int) -> Iterator[str]:
    for place in range(len(word)):
        less = word[:place] + word[place + 1 :]
        yield less
        if times > 1:
            yield from _deletions(less, times - 1)


def is_slip(word: str, meant: str) -> bool:
    """Whether fingers that meant the one may have typed the other."""
    if len(meant) > _LONG:
        apart = distance(word, meant)
        # Two slips in the first syllable make a contrary: "reactivate", "deactivate".
        return apart <= 1 or (apart == 2 and not word.endswith(meant[_SYLLABLE:]))
    if word[0] != meant[0] and len(meant) <= MIDDLE:
        # The first letter of a short word is seldom wrong, and often makes another word.
        return swapped(word, meant) or (len(word) == len(meant) and _beside(word, meant))
    if len(word) == len(meant):
        return swapped(word, meant) or (
            _beside(word, meant) if len(meant) <= MIDDLE else distance(word, meant) <= 1
        )
    if len(meant) > MIDDLE:
        return distance(word, meant) <= 1
    if len(word) > len(meant):
        return _stray(word, meant)
    return len(meant) > _SHORT and distance(word, meant) <= 1


def swapped(word: str, meant: str) -> bool:
    apart = [n for n, (one, other) in enumerate(zip(word, meant, strict=False)) if one != other]
    return (
        len(word) == len(meant)
        and len(apart) == 2
        and apart[1] == apart[0] + 1
        and word[apart[0]] == meant[apart[1]]
        and word[apart[1]] == meant[apart[0]]
    )


def _beside(word: str, meant: str) -> bool:
    apart = [(one, other) for one, other in zip(word, meant, strict=True) if one != other]
    return len(apart) == 1 and apart[0][1] in _NEIGHBOURS.get(apart[0][0], "")


def _stray(word: str, meant: str) -> bool:
    """One letter too many, hit together with the key beside it."""
    for place in range(len(word)):
        if word[:place] + word[place + 1 :] == meant:
            near = word[max(place - 1, 0) : place] + word[place + 1 : place + 2]
            return word[place].isdigit() or any(
                word[place] in _NEIGHBOURS.get(key, "") for key in near
            )
    return False


def distance(word: str, meant: str) -> int:
    """Insertions, deletions, replacements and swaps between two short words."""
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for n, letter in enumerate(word, start=1):
        last, row, older = row, [n], before
        for m, other in enumerate(meant, start=1):
            cost = min(last[m] + 1, row[m - 1] + 1, last[m - 1] + (letter != other))
            if n > 1 and m > 1 and letter == meant[m - 2] and word[n - 2] == other:
                cost = min(cost, older[m - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]


def _neighbours() -> dict[str, str]:
    near: dict[str, str] = {}
    for rows in (_ROWS[:3], _ROWS[3:]):
        for row in rows:
            for one, other in pairwise(row):
                near[one] = near.get(one, "") + other
                near[other] = near.get(other, "") + one
        for upper, lower in pairwise(rows):
            for place, key in enumerate(lower):
                for other in upper[place : place + 2]:
                    near[key] = near.get(key, "") + other
                    near[other] = near.get(other, "") + key
    return near


_NEIGHBOURS: Final = _neighbours()
