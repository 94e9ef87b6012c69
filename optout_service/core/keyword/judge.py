"""What the clauses of a message mean together, in one language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from optout_service.core.keyword.clauses import Encoder, Spoken
from optout_service.core.keyword.frames import Frame, Grammar, Hedge
from optout_service.core.keyword.reading import Intent, Reading

_SAFER_FIRST: Final = (Intent.REVIEW, Intent.HELP, Intent.OPT_IN, Intent.NONE)
_ALONE: Final = "-alone"
"""How the names of frames end whose clause says nothing else."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one clause says, and in which sentence it stands."""

    frame: Frame
    sentence: int
    clause: str


class Judge:
    """Applies frames and hedges to messages in one language."""

    def __init__(self, grammar: Grammar, encoder: Encoder, tag: str) -> None:
        self._frames = grammar.frames
        self._hedges = grammar.hedges
        self._thin = grammar.groups["thin"]
        self._auto = grammar.letters["auto"]
        self._asking = {grammar.letters["ask"], grammar.letters["how"]}
        self._encoder = encoder
        self._tag = tag

    def read(self, sentences: Sequence[Spoken]) -> Reading | None:
        """What a message says; None where no frame fits."""
        clauses = [self._encoder.clauses(each) for each in sentences]
        if any(self._auto in clause for row in clauses for clause in row):
            return self._reading(Intent.NONE, "auto-reply")
        message = [clause for row in clauses for clause in row]
        found = [
            finding
            for number, each in enumerate(sentences)
            for finding in self._in_sentence(number, each, clauses[number], message)
        ]
        return self._opt_out(found, sentences, clauses) or self._rest(found, sentences, clauses)

    def _in_sentence(
        self, number: int, spoken: Spoken, clauses: Sequence[str], message: Sequence[str]
    ) -> Iterator[_Finding]:
        found = [
            _Finding(frame, number, clause)
            for clause in clauses
            if (frame := self._frame(clause, message)) is not None
        ]
        whole = self._encoder.without_commas(spoken)
        frame = self._frame(whole, message) if whole else None
        if whole is None or frame is None:
            yield from found
            return
        if all(one.frame.says is not Intent.OPT_OUT for one in found):
            yield _Finding(frame, number, whole)
        for one in found:
            # "Cancel, please, the order": what seemed to stand alone did not.
            if frame.says is not Intent.NONE or not one.frame.name.endswith(_ALONE):
                yield one

    def _opt_out(
        self,
        found: Sequence[_Finding],
        sentences: Sequence[Spoken],
        clauses: Sequence[Sequence[str]],
    ) -> Reading | None:
        """The first opt-out that nothing makes doubtful; else a review, if there is one."""
        doubtful = None
        for one in found:
            if one.frame.says is not Intent.OPT_OUT:
                continue
            hedge = None if one.frame.firm else self._hedge(one, sentences, clauses)
            if hedge is None:
                return self._reading(Intent.OPT_OUT, one.frame.name)
            doubtful = doubtful or self._reading(Intent.REVIEW, f"{one.frame.name}?{hedge.name}")
        return doubtful

    def _rest(
        self,
        found: Sequence[_Finding],
        sentences: Sequence[Spoken],
        clauses: Sequence[Sequence[str]],
    ) -> Reading | None:
        for intent in _SAFER_FIRST:
            for one in found:
                if one.frame.says is not intent:
                    continue
                if intent is Intent.HELP and not self._alone(clauses):
                    continue
                if intent is Intent.OPT_IN and self._hedge(one, sentences, clauses):
                    continue
                return self._reading(intent, one.frame.name)
        return None

    def _hedge(
        self, one: _Finding, sentences: Sequence[Spoken], clauses: Sequence[Sequence[str]]
    ) -> Hedge | None:
        for hedge in self._hedges:
            if one.frame.says not in (Intent.OPT_OUT, hedge.also):
                continue
            if hedge.of and one.frame.name not in hedge.of:
                continue
            if hedge.asks and not sentences[one.sentence].sentence.asks:
                continue
            if hedge.reach == "clause":
                reach: Sequence[str] = (one.clause,)
            elif hedge.reach == "sentence":
                reach = clauses[one.sentence]
            else:
                reach = [clause for row in clauses for clause in row]
            if any(map(hedge.pattern.search, reach)):
                return hedge
        return None

    def _alone(self, clauses: Sequence[Sequence[str]]) -> bool:
        """Whether all clauses but one are courtesy, or a question of who or what this is."""
        thick = [
            clause
            for row in clauses
            for clause in row
            if not all(self._thin & set(word) for word in clause.split())
            and self._asking.isdisjoint(clause)
        ]
        return len(thick) <= 1

    def _frame(self, clause: str, message: Sequence[str]) -> Frame | None:
        for frame in self._frames:
            if frame.fits(clause, message):
                return frame
        return None

    def _reading(self, intent: Intent, name: str) -> Reading:
        return Reading(intent, f"{self._tag}:{name}", self._tag)
