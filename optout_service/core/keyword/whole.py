"""A whole message that is one keyword, whatever is around it: courtesy, anger, a signature."""

import re
from collections.abc import Iterable
from typing import Final, Self

from optout_service.core.keyword.normal import fold, letters_of
from optout_service.core.keyword.reading import Intent, Reading
from optout_service.core.keyword.rulebook import SECTIONS, Language
from optout_service.core.keyword.tokens import words_of

MAX_KEYWORD: Final = 200
"""Longer messages are no keyword."""

_RUN: Final = re.compile(r"(.)\1+")
_REPEATED: Final = re.compile(r"(.{2,}?)\1+")
_LONG_ENOUGH: Final = 3
_PLAIN_RETURNS: Final = frozenset({"start", "unstop", "subscribe", "resubscribe"})
"""The opt-in words that doubled letters leave clear."""
_ANSWERS: Final = frozenset(
    {"yes", "join", "resume", "iniciar", "comenzar", "começar", "commencer"}
)
"""The opt-in words that courtesy makes an answer to something else. "yes please" is no START."""


class Keywords:
    """The lists of keywords of all languages; with a ``base``, before those of it."""

    def __init__(self, languages: Iterable[Language], base: Self | None = None) -> None:
        languages = tuple(languages)
        self._base = base
        self._table: dict[str, tuple[Reading, ...]] = {}
        self._single: dict[str, tuple[Reading, ...]] = {}
        self._longest = set[str]()
        for section, intent in SECTIONS.items():
            for language in languages:
                for word in language.keywords.get(section, ()):
                    rule = f"{section}:{language.tag}:{word}"
                    self._longest.add(_single(max(words_of(fold(word)), key=len, default="")))
                    self._add(letters_of(fold(word)), Reading(intent, rule, language.tag))

    def find(self, folded: str, spoken: str) -> Reading | None:
        """What a normal form says that is a keyword and nothing else, as often as it is said.

        Where a word stands in several lists, a per-se word comes first; then the list of the
        language that is spoken; then the safer reading.
        """
        if len(folded) > MAX_KEYWORD:
            return None
        bare = letters_of(folded)
        if reading := _chosen(self._listed(bare), spoken):
            return reading
        if repeated := _REPEATED.fullmatch(bare):
            return _chosen(self._listed(repeated.group(1)), spoken)
        return None

    def may_be_in(self, words: Iterable[str]) -> bool:
        """Whether the longest word of some keyword is among these: what is not, need no search."""
        words = [_single(word) for word in words]
        if any(word in self._longest for word in words):
            return True
        return self._base is not None and self._base.may_be_in(words)

    def find_dressed(
        self, bare: str, spoken: str, *, corrected: bool, stretched: bool
    ) -> Reading | None:
        """The same for what is left without courtesy, or was corrected, or is ``stretched``.

        Never an opt-in in doubt: only plain words, and no corrected one.
        """
        reading = self.find(bare, spoken)
        exact = reading is not None
        if reading is None and stretched and _LONG_ENOUGH <= len(bare) <= MAX_KEYWORD:
            reading = _chosen(self._listed_single(_single(letters_of(bare))), spoken)
        if reading is None or reading.intent is not Intent.OPT_IN:
            return reading
        word = reading.rule.rpartition(":")[2]
        plain = word in _PLAIN_RETURNS or (exact and word not in _ANSWERS)
        return reading if plain and not corrected else None

    def _listed(self, bare: str) -> tuple[Reading, ...]:
        below = self._base._listed(bare) if self._base else ()
        return (*self._table.get(bare, ()), *below)

    def _listed_single(self, single: str) -> tuple[Reading, ...]:
        below = self._base._listed_single(single) if self._base else ()
        return (*self._single.get(single, ()), *below)

    def _add(self, bare: str, reading: Reading) -> None:
        self._table[bare] = (*self._table.get(bare, ()), reading)
        if len(bare) >= _LONG_ENOUGH:
            single = _single(bare)
            self._single[single] = (*self._single.get(single, ()), reading)


def _single(word: str) -> str:
    """A word without doubled letters."""
    return _RUN.sub(r"\1", word)


def _chosen(readings: tuple[Reading, ...], spoken: str) -> Reading | None:
    for reading in readings:
        if reading.rule.startswith("per_se"):
            return reading
    for reading in readings:
        if reading.language == spoken:
            return reading
    return readings[0] if readings else None
