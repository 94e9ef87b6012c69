"""What a language knows of one word: its classes, and the phrases that begin with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

ANY: Final = "_"
"""In a phrase, any one word."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Several words that are of a class together. A stem ends in ``*``."""

    words: tuple[str, ...]
    letters: str

    def at(self, words: Sequence[str], place: int) -> bool:
        """Whether it stands there. The first word is known to fit."""
        if place + len(self.words) > len(words):
            return False
        for wanted in self.words[1:]:
            place += 1
            word = words[place]
            if wanted in (word, ANY):
                continue
            if wanted[-1] != "*" or not word.startswith(wanted[:-1]):
                return False
        return True


@dataclass(slots=True)
class Hit:
    """The classes of a word, as letters, and its phrases by their second word, if that is plain."""

    letters: str = ""
    phrases: dict[str, list[Phrase]] = field(default_factory=dict)
    loose: list[Phrase] = field(default_factory=list)

    def add(self, phrase: Phrase) -> None:
        """Add a phrase that begins with this word."""
        second = phrase.words[1]
        if second == ANY or second.endswith("*"):
            self.loose.append(phrase)
        else:
            self.phrases.setdefault(second, []).append(phrase)

    def phrases_at(self, words: Sequence[str], place: int) -> Iterator[Phrase]:
        """The phrases that stand there."""
        if self.phrases and place + 1 < len(words):
            for phrase in self.phrases.get(words[place + 1], ()):
                if phrase.at(words, place):
                    yield phrase
        for phrase in self.loose:
            if phrase.at(words, place):
                yield phrase

    def joined(self, other: "Hit") -> "Hit":
        """This and another one, as one."""
        phrases = {second: list(row) for second, row in self.phrases.items()}
        for second, row in other.phrases.items():
            phrases.setdefault(second, []).extend(row)
        return Hit(self.letters + other.letters, phrases, [*self.loose, *other.loose])
