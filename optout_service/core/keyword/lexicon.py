"""Which classes a word has, in which languages. Words, stems, phrases, and unspaced writing.

In a list, ``word*`` stands for every word that begins so, ``_`` in a phrase for any one word.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final, Self, TypeVar

from optout_service.core.keyword.guesses import Guesses
from optout_service.core.keyword.hits import ANY, Hit, Phrase
from optout_service.core.keyword.normal import fold, letters_of
from optout_service.core.keyword.rulebook import Language
from optout_service.core.keyword.tokens import words_of
from optout_service.core.keyword.typos import Index

EVERYWHERE: Final = "und"
"""The tag (BCP 47) of words that people use in every language: stop, sms."""

Found = Mapping[str, Hit]
"""What every language knows of one word, by tag."""

NOT_FOUND: Final[Found] = {}

_Known = TypeVar("_Known")

_MAX_CACHED: Final = 20_000
_MAX_CACHED_WORD: Final = 24
_MIN_STEM: Final = 2
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
_UMLAUT: Final = re.compile("[äöüåø]")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
CORRIGIBLE: Final = (
    "stop",
    "unsub",
    "cancel",
    "remove",
    "contact",
    "give",
    "message",
    "list",
    "request",
    "off",
)
"""The classes whose words are corrected: what a request is made of."""
_EXACT: Final = ("other", "idiom", "small", "polite", "doubt")
"""A word that is listed as one of these is not what its stem says."""


class Lexicon:
    """The words of languages; with a ``base``, on top of its words."""

    def __init__(
        self, letters: Mapping[str, str], languages: Iterable[Language], base: Self | None = None
    ) -> None:
        self._letters = letters
        self._base = base
        self._exact = {letters[name] for name in _EXACT}
        self.languages: dict[str, Language] = dict(base.languages) if base else {}
        self._words: dict[str, dict[str, Hit]] = {}
        self._stems: dict[str, dict[str, Hit]] = {}
        self._pieces: dict[str, dict[str, str]] = {}
        self._longest: dict[str, int] = dict(base._longest) if base else {}
        self._found: dict[str, Found] = {}
        self._meant: dict[str, str] = {}
        for language in languages:
            self._add(language)
        self.unspaced = [tag for tag, each in self.languages.items() if each.unspaced]
        self._prefixed = [each for each in self.languages.values() if each.prefixes]
        self._typos = Index(self._corrigible())

    def find(self, word: str) -> Found:
        """What every language knows of a word as it is written."""
        found = self._found.get(word)
        if found is None:
            found = self._find(word)
            _remember(self._found, word, found)
        return found

    def corrected(self, word: str) -> str:
        """The word that an unknown one was meant to be; itself if that is not plain."""
        meant = self._meant.get(word)
        if meant is None:
            meant = word if self.find(word) else self._correct(word)
            _remember(self._meant, word, meant)
        return meant

    def guessed(self, word: str, tag: str) -> list[str]:
        """The words of a language that an unknown one may have been meant to be, or none.

        Generous: two slips, a short word, a space left out. For what stands among known words.
        A word that says something in another language is no slip in this one.
        """
        if tag in (found := self.find(word)) or EVERYWHERE in found or word[0].isdigit():
            return [word]
        if any(hit.letters for hit in found.values()):
            return []
        return self._guesses[tag].guess(word)

    @cached_property
    def _guesses(self) -> dict[str, Guesses]:
        """For each language, its words as guesses. Made when a message first needs one."""
        words: dict[str, list[str]] = {tag: [] for tag in self.languages}
        stems: dict[str, list[str]] = {tag: [] for tag in self.languages}
        lexicon: Lexicon | None = self
        while lexicon is not None:
            for table, lists in ((lexicon._words, words), (lexicon._stems, stems)):
                for word, found in table.items():
                    for tag in found:
                        lists[tag].append(word)
            lexicon = lexicon._base
        return {tag: Guesses(words[tag], stems[tag]) for tag in self.languages}

    def segments(self, word: str, tag: str) -> list[tuple[str, int]]:
        """The letters and the length of each piece of an unspaced word, the longest pieces first.

        What is unknown in between is one piece with no letters, and no length.
        """
        found: list[tuple[str, int]] = []
        place = 0
        while place < len(word):
            for length in range(min(self._longest[tag], len(word) - place), 0, -1):
                letters = self._piece(word[place : place + length], tag)
                if letters is not None:
                    found.append((letters, length))
                    place += length
                    break
            else:
                if not found or found[-1][1]:
                    found.append(("", 0))
                place += 1
        return found

    def _piece(self, text: str, tag: str) -> str | None:
        letters = self._pieces[tag].get(text) if tag in self._pieces else None
        below = self._base._piece(text, tag) if self._base else None
        return below if letters is None else letters + (below or "")

    def _find(self, word: str) -> Found:
        found = dict(self._base.find(word)) if self._base else {}
        own = dict(self._words.get(word, NOT_FOUND))
        for length in range(min(len(word), _MAX_CACHED_WORD), _MIN_STEM - 1, -1):
            for tag, hit in self._stems.get(word[:length], NOT_FOUND).items():
                if tag not in own:
                    own[tag] = hit
                elif not self._exact & set(own[tag].letters):
                    own[tag] = own[tag].joined(hit)
        for language in self._prefixed:
            known = own.get(language.tag)
            if known and (known.letters or known.phrases or known.loose):
                continue
            if behind := self._without_prefix(word, language):
                own[language.tag] = behind
        for tag, hit in own.items():
            found[tag] = hit.joined(found[tag]) if tag in found else hit
        return found

    def _without_prefix(self, word: str, language: Language) -> Hit | None:
        for prefix in language.prefixes:
            rest = word[len(prefix) :]
            if len(rest) <= _MIN_STEM or not word.startswith(prefix):
                continue
            if hit := self._words.get(rest, NOT_FOUND).get(language.tag):
                return hit
            for length in range(len(rest), _MIN_STEM, -1):
                if hit := self._stems.get(rest[:length], NOT_FOUND).get(language.tag):
                    return hit
        return None

    def _correct(self, word: str) -> str:
        meant = self._typos.correct(word)
        if meant is None and self._base:
            return self._base.corrected(word)
        return meant or word

    def _add(self, language: Language) -> None:
        """Add to what is there of the language: a tenant's words come to ours."""
        tag = language.tag
        if before := self.languages.get(tag):
            language = _merged(before, language)
        self.languages[tag] = language
        pieces = self._pieces.setdefault(tag, {}) if language.unspaced else {}
        for name, words in language.words.items():
            letter = self._letters[name]
            for word in words:
                for spelling in _spellings(word):
                    if language.unspaced:
                        key = letters_of(spelling)
                        pieces[key] = pieces.get(key, "") + letter
                    if not language.unspaced or not _UNSPACED.search(spelling):
                        self._add_words(tag, spelling, letter)
        if language.unspaced:
            longest = max(map(len, pieces), default=0)
            self._longest[tag] = max(longest, self._longest.get(tag, 0))

    def _add_words(self, tag: str, written: str, letter: str) -> None:
        first, *rest = _entry(written) or ("",)
        if not first:
            return
        hit = self._hit(tag, first)
        if not rest:
            hit.letters += letter
            return
        hit.add(Phrase((first, *rest), letter))
        for word in rest:
            # Known to the language, though it says nothing by itself.
            if word != ANY:
                self._hit(tag, word)

    def _hit(self, tag: str, word: str) -> Hit:
        table = self._stems if word.endswith("*") else self._words
        return table.setdefault(word.rstrip("*"), {}).setdefault(tag, Hit())

    def _corrigible(self) -> Iterable[str]:
        letters = {self._letters[name] for name in CORRIGIBLE}
        for word, found in self._words.items():
            if any(letters & set(hit.letters) for hit in found.values()):
                yield word


def is_unspaced(word: str) -> bool:
    """Whether a word is of a writing that parts words by no spaces."""
    return not word.isascii() and _UNSPACED.search(word) is not None


def _remember(cache: dict[str, _Known], word: str, known: _Known) -> None:
    # Bounded, so that no sender of texts can fill the memory; and never a phone number.
    if len(word) <= _MAX_CACHED_WORD and not word[0].isdigit():
        if len(cache) >= _MAX_CACHED:
            cache.clear()
        cache[word] = known


def _merged(one: Language, other: Language) -> Language:
    return replace(
        other,
        negation=other.negation or one.negation,
        prefixes=(*one.prefixes, *other.prefixes),
        unspaced=one.unspaced or other.unspaced,
        commas=one.commas or other.commas,
    )


def _spellings(word: str) -> list[str]:
    """A word's normal form; and with its umlauts written out, as on other keyboards."""
    spelling = fold(word)
    if word.isascii():
        return [spelling]
    composed = unicodedata.normalize("NFC", word).casefold()
    if not _UMLAUT.search(composed):
        return [spelling]
    return [spelling, fold(composed.translate(_UMLAUTS))]


def _entry(written: str) -> list[str]:
    """The words of an entry of a list."""
    out: list[str] = []
    for part in written.split():
        stem = part.rstrip("*")
        words = [part] if stem.isalpha() or part == ANY else words_of(stem)
        if words and words[-1] != part and part.endswith("*"):
            words[-1] += "*"
        out.extend(words)
    return out
