"""What did they say? A message, a few steps, one reading."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Self

from optout_service.core.keyword.clauses import Encoder, Spoken, coverage
from optout_service.core.keyword.judge import Judge
from optout_service.core.keyword.lexicon import CORRIGIBLE, EVERYWHERE, Found, Lexicon
from optout_service.core.keyword.normal import fold
from optout_service.core.keyword.peel import peel
from optout_service.core.keyword.reading import NOTHING, Intent, Reading
from optout_service.core.keyword.rulebook import Language, own_grammar, own_languages
from optout_service.core.keyword.tokens import Sentence, is_picture, sentences_of, words_of
from optout_service.core.keyword.whole import Keywords

MAX_TEXT: Final = 4000
"""What is beyond is not read; a text has 1,600 characters at most."""

_CAPITALS: Final = re.compile(r"\b[A-ZА-Я]{3,}\b")
_SIGNED: Final = re.compile(r"\n|\s[-–—~]\s?")
_MOST_IN_SIGNATURE: Final = 5
_MOST_AROUND_KEYWORD: Final = 12
_UNSURE: Final = ":stop-loud"
"""How the rule ends that found a STOP, and beside it words that it does not know."""
_MOST_GUESSED: Final = 12
_FEW: Final = 3
_LETTERS_TO_BE_SURE: Final = 6
_TRIED: Final = 3
_COMMON: Final = "en"
_GIVEN: Final = 2
"""What it weighs that a language is given, in words."""
_NEARLY: Final = 0.75
"""A language that knows so much of what the best one knows is tried as well."""


class Reader:
    """Reads messages by our rules and, where there are any, by a tenant's own on top of them."""

    def __init__(self, languages: Iterable[Language], base: Self | None = None) -> None:
        languages = tuple(languages)
        self._grammar = own_grammar()
        self._lexicon: Lexicon = Lexicon(
            self._grammar.letters, languages, base._lexicon if base else None
        )
        self._keywords: Keywords = Keywords(languages, base._keywords if base else None)
        self._judges = {
            tag: Judge(self._grammar, Encoder(self._grammar, self._lexicon, language), tag)
            for tag, language in self._lexicon.languages.items()
        }
        self._courteous = frozenset(self._grammar.letters[name] for name in ("polite", "anger"))
        self._asking = frozenset(self._grammar.letters[name] for name in CORRIGIBLE)

    @classmethod
    def own(cls) -> Self:
        """A reader of the rules that come with the code."""
        return cls(own_languages())

    def with_more(self, languages: Iterable[Language]) -> "Reader":
        """A reader that knows these words too. They are added; none of ours goes."""
        return Reader(languages, self)

    def read(self, text: str, language: str | None = None) -> Reading:
        """What a message says. ``language``: a tag such as ``es`` or ``pt-BR``, if known.

        Never raises.
        """
        spoken = (language or "").partition("-")[0].lower()
        peeled = peel(fold(text[:MAX_TEXT])[:MAX_TEXT])
        if not peeled.text.strip():
            return Reading(Intent.NONE, f"peel:{peeled.peeled}", "") if peeled.peeled else NOTHING
        if whole := self._keywords.find(peeled.text, spoken):
            return whole
        sentences = self._looked_up(peeled.text, text)
        likely = self._likely(sentences, spoken)
        reading = (
            self._dressed(sentences, likely, spoken)
            or self._signed(peeled.text, spoken)
            or self._free(sentences, likely)
        )
        if reading is None or reading.rule.endswith(_UNSURE):
            reading = self._guessed(sentences, likely, spoken) or reading
        return reading or NOTHING

    def _likely(self, sentences: Sequence[Spoken], spoken: str) -> dict[str, int]:
        """The languages that may be spoken, with the number of words that they know, best first.

        Words that are English too are no sign of another language, but for the one given.
        """
        known = coverage(sentences, self._lexicon)
        english = known.get(_COMMON, set())
        weight = {
            tag: len(places) + _GIVEN * (tag == spoken)
            for tag, places in known.items()
            if tag in (_COMMON, spoken) or not places <= english
        }
        best = sorted(weight, key=lambda tag: (-weight[tag], tag == EVERYWHERE, tag))
        return {tag: weight[tag] for tag in best}

    def _looked_up(self, own: str, raw: str) -> list[Spoken]:
        capitals = () if raw.isupper() else _CAPITALS.findall(raw)
        loud = frozenset(word.lower() for word in capitals)
        done: list[Spoken] = []
        for sentence in sentences_of(own):
            found: list[list[Found]] = []
            corrected = False
            for number, clause in enumerate(sentence.clauses):
                meant = [self._lexicon.corrected(word) for word in clause]
                corrected = corrected or meant != clause
                kept = [word for word in meant if self._lexicon.find(word) or not is_picture(word)]
                sentence.clauses[number] = kept
                found.append([self._lexicon.find(word) for word in kept])
            done.append(Spoken(sentence, found, loud, corrected))
        return done

    def _dressed(
        self, sentences: Sequence[Spoken], likely: Iterable[str], spoken: str
    ) -> Reading | None:
        """A keyword with nothing but courtesy, anger or slips of the finger around it."""
        clauses = [
            (words, found)
            for each in sentences
            for words, found in zip(each.sentence.clauses, each.found, strict=True)
        ]
        everything = [word for words, _ in clauses for word in words]
        if len(everything) > _MOST_AROUND_KEYWORD or not self._keywords.may_be_in(everything):
            return None
        corrected = any(each.corrected for each in sentences)
        for tag in [*likely, ""][:_TRIED]:
            rest = [word for words, found in clauses for word in self._plain(words, found, tag)]
            # "stooop" is no word; "stoop" is one.
            stretched = not all(map(self._lexicon.find, rest))
            if reading := self._keywords.find_dressed(
                "".join(rest), spoken, corrected=corrected, stretched=stretched
            ):
                return reading
        return None

    def _plain(self, words: Sequence[str], found: Sequence[Found], tag: str) -> Iterator[str]:
        """The words without the courtesy and anger of one language, and of all."""
        place = 0
        while place < len(words):
            length = max(self._courtesy(words, found, place, each) for each in (tag, EVERYWHERE))
            if not length:
                yield words[place]
            place += length or 1

    def _courtesy(self, words: Sequence[str], found: Sequence[Found], place: int, tag: str) -> int:
        """How many words of courtesy or anger stand here."""
        hit = found[place].get(tag)
        if hit is None:
            return 0
        longest = 0 if self._courteous.isdisjoint(hit.letters) else 1
        for phrase in hit.phrases_at(words, place):
            if not self._courteous.isdisjoint(phrase.letters):
                longest = max(longest, len(phrase.words))
        return longest

    def _signed(self, own: str, spoken: str) -> Reading | None:
        """A keyword with a name below it, or after a dash."""
        first, *rest = _SIGNED.split(own.strip(), maxsplit=1)
        if not rest:
            return None
        reading = self._keywords.find(first, spoken)
        if reading is None or reading.intent is Intent.OPT_IN:
            return None
        names = words_of(rest[0])
        unknown = all(not self._lexicon.find(self._lexicon.corrected(name)) for name in names)
        return reading if len(names) <= _MOST_IN_SIGNATURE and unknown else None

    def _guessed(
        self, sentences: Sequence[Spoken], likely: Mapping[str, int], spoken: str
    ) -> Reading | None:
        """An opt-out in words that were typed badly, if a guess explains every one of them."""
        words = [word for each in sentences for clause in each.sentence.clauses for word in clause]
        most = max(likely.values(), default=0)
        if len(words) > _MOST_GUESSED or most - _GIVEN * bool(spoken) >= len(words):
            return None
        tags = [tag for tag in likely if likely[tag] == most][:_TRIED]
        if len(words) <= _FEW and most < len(words) and set(tags) <= {EVERYWHERE, _COMMON}:
            # Few words, of no language that can be told: they may be of any.
            tags = list(self._judges)
        for tag in tags:
            guess = self._guess(sentences, tag)
            if guess is None:
                continue
            reading = self._dressed(guess, [tag], spoken) or self._judges[tag].read(guess)
            if reading is not None and reading.intent is Intent.OPT_OUT:
                sure = self._is_sure(words, tag)
                intent = Intent.OPT_OUT if sure else Intent.REVIEW
                return Reading(intent, f"{reading.rule}~slips", tag)
        return None

    def _is_sure(self, words: Sequence[str], tag: str) -> bool:
        """Whether a guess may be relied on: one long word, or a word of a request among them."""
        if len(words) == 1:
            return len(words[0]) >= _LETTERS_TO_BE_SURE
        known = [self._lexicon.find(word).get(tag) for word in words]
        return any(hit and not self._asking.isdisjoint(hit.letters) for hit in known)

    def _guess(self, sentences: Sequence[Spoken], tag: str) -> list[Spoken] | None:
        """The sentences in words of one language; None where one of them makes no word of it."""
        done: list[Spoken] = []
        for each in sentences:
            clauses = [
                [self._lexicon.guessed(word, tag) for word in clause]
                for clause in each.sentence.clauses
            ]
            if not all(meant for clause in clauses for meant in clause):
                return None
            words = [[word for meant in clause for word in meant] for clause in clauses]
            found = [[self._lexicon.find(word) for word in clause] for clause in words]
            sentence = Sentence(words, each.sentence.asks, each.sentence.commas)
            done.append(Spoken(sentence, found, each.loud, True))
        return done

    def _free(self, sentences: Sequence[Spoken], likely: Mapping[str, int]) -> Reading | None:
        """What free text says, in the language that knows most of its words.

        Where two know as many, and one reads nothing in it and the other an opt-out, a person
        decides.
        """
        most = max(likely.values(), default=0)
        first: tuple[int, Reading] | None = None
        for tag, weight in likely.items():
            if weight < min(most * _NEARLY, most - 1) or (first and weight < first[0]):
                break
            reading = self._judges[tag].read(sentences)
            if reading is None:
                continue
            if first is None:
                first = weight, reading
                if reading.intent is not Intent.NONE:
                    break
            elif reading.intent is Intent.OPT_OUT:
                return Reading(Intent.REVIEW, reading.rule, tag)
        return first[1] if first else None
