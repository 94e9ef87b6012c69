"""Clauses in one language: each word's classes in letters, and what "not" turns into what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from optout_service.core.keyword.frames import UNKNOWN, Grammar
from optout_service.core.keyword.hits import ANY, Hit, Phrase
from optout_service.core.keyword.lexicon import EVERYWHERE, Found, Lexicon, is_unspaced
from optout_service.core.keyword.rulebook import Language
from optout_service.core.keyword.tokens import Sentence

_REACH_OF_NOT: Final = 5
_DIALLED: Final = 7
"""So many digits are a number that can be called."""
_NO_HIT: Final = Hit()


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence with what the lexicon knows of each word."""

    sentence: Sentence
    found: list[list[Found]]
    loud: frozenset[str]
    corrected: bool


def coverage(spoken: Sequence[Spoken], lexicon: Lexicon) -> dict[str, set[int]]:
    """The places of the words that each language knows."""
    known: dict[str, set[int]] = {}
    place = 0
    for each in spoken:
        for words, found in zip(each.sentence.clauses, each.found, strict=True):
            for word, hits in zip(words, found, strict=True):
                for tag in hits:
                    known.setdefault(tag, set()).add(place)
                if is_unspaced(word):
                    for tag in lexicon.unspaced:
                        if length := sum(length for _, length in lexicon.segments(word, tag)):
                            known.setdefault(tag, set()).update(range(place, place + length))
                place += len(word)
    return known


class Encoder:
    """Writes clauses as strings of letters, for one language."""

    def __init__(self, grammar: Grammar, lexicon: Lexicon, language: Language) -> None:
        self._grammar = grammar
        self._lexicon = lexicon
        self._language = language
        letters = grammar.letters
        self._breaks = {letters["and"], letters["but"]}
        self._not = letters["not"]
        self._kept = {self._not, letters["other"]}
        self._polite = letters["polite"]
        self._said, self._contact = letters["said"], letters["contact"]
        self._message = letters["message"]
        self._loud = letters["loud"]
        self._figure = letters["figure"]
        self._number = letters["number"]
        self._behind = grammar.transparent | {letters[n] for n in ("message", "list", "number")}

    def clauses(self, spoken: Spoken) -> list[str]:
        """The clauses of a sentence, from the first to the last."""
        done: list[str] = []
        for number, words in enumerate(spoken.sentence.clauses):
            for clause in self._parted(self._letters(words, spoken.found[number], spoken.loud)):
                done.append(self._written(clause))
        return done

    def without_commas(self, spoken: Spoken) -> str | None:
        """The sentence as one clause, where commas alone part it and part nothing in meaning."""
        count = len(spoken.sentence.clauses)
        if not self._language.commas or count < 2 or len(spoken.sentence.commas) != count - 1:
            return None
        row = [
            letters
            for number, words in enumerate(spoken.sentence.clauses)
            for letters in self._letters(words, spoken.found[number], spoken.loud)
        ]
        return self._written(row)

    def _letters(
        self, words: Sequence[str], found: Sequence[Found], loud: frozenset[str]
    ) -> list[str]:
        row: list[str] = []
        place = 0
        while place < len(words):
            if self._language.unspaced and is_unspaced(words[place]):
                # Spaces are set as people like: "수신 거부", "退 订".
                first = place
                while place < len(words) and is_unspaced(words[place]):
                    place += 1
                joined = "".join(words[first:place])
                for letters, _ in self._lexicon.segments(joined, self._language.tag):
                    row.append(letters)
                continue
            letters, length = self._at(words, found, place)
            if words[place] in loud:
                letters += self._loud
            if words[place][0].isdigit():
                letters += self._number if len(words[place]) >= _DIALLED else self._figure
            row.append(letters)
            place += length
        return row

    def _at(self, words: Sequence[str], found: Sequence[Found], place: int) -> tuple[str, int]:
        """The letters of the longest phrase that begins here, or of the word; and its length."""
        own = found[place].get(self._language.tag, _NO_HIT)
        general = found[place].get(EVERYWHERE, _NO_HIT)
        best, letters = 1, own.letters or general.letters
        for hit in (own, general):
            for phrase in hit.phrases_at(words, place):
                length = len(phrase.words)
                if self._hides_more(phrase, found, place):
                    continue
                if length > best:
                    best, letters = length, phrase.letters
                elif length == best:
                    letters += phrase.letters
        return letters, best

    def _hides_more(self, phrase: Phrase, found: Sequence[Found], place: int) -> bool:
        """Whether a "not" or another object, where any word may stand, would be overlooked."""
        return any(
            self._kept & set(found[place + n].get(self._language.tag, _NO_HIT).letters)
            for n, word in enumerate(phrase.words)
            if word == ANY
        )

    def _parted(self, row: list[str]) -> list[list[str]]:
        parts: list[list[str]] = [[]]
        for letters in row:
            if self._breaks & set(letters):
                parts.append([])
            else:
                parts[-1].append(letters)
        return [part for part in parts if part]

    def _written(self, row: list[str]) -> str:
        for place, letters in enumerate(row):
            if self._not in letters:
                self._negate(row, place)
        return "".join((letters or UNKNOWN) + " " for letters in row)

    def _negate(self, row: list[str], place: int) -> None:
        for side in self._language.negation or ("next",):
            if side == "next" and self._turn(row, place, 1, self._grammar.transparent):
                return
            if side == "previous" and self._turn(row, place, -1, self._behind):
                return

    def _turn(self, row: list[str], place: int, step: int, through: frozenset[str]) -> bool:
        """Turn the nearest verb on one side into its contrary, if nothing stands between."""
        for distance in range(1, _REACH_OF_NOT + 1):
            at = place + step * distance
            if not 0 <= at < len(row):
                return False
            for letter in row[at]:
                # "I asked not to be called" denies no asking, and "message nahi" no verb.
                noun = letter == self._contact and self._message in row[at]
                if step < 0 and (noun or letter == self._said):
                    continue
                if letter in self._grammar.contrary:
                    row[at] = self._grammar.contrary[letter]
                    return True
            far = distance > 2 and self._polite in row[at]
            if far or not set(row[at]) & through:
                # "I don't shop there any more, pls ..." begins anew with the pls.
                return False
        return False
