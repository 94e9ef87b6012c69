"""A normal form as sentences of clauses of words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from optout_service.core.keyword.normal import LETTER

# Pictures that may say something stand for a word of their own.
_PICTURE: Final = "\u203c\u2049\u231b\u23ce-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff"
_PIECES: Final = re.compile(
    rf"(?P<word>{LETTER}+(?:['*]+{LETTER}+)*|&)"
    rf"|(?P<picture>[{_PICTURE}])"
    r"|(?P<end>[!?\n]+|\.{2,}|(?<!\d)\.(?=\s|$))"
    r"|(?P<comma>,)"
    # "Am 5. kündigen": what stands behind a figure may be its own.
    r"|(?P<clause>(?<=\d)\.(?=\s)|[;:()\[\]{}/|]|(?<=\s)[-~](?=\S)|[-~](?=\s)|[—–―])"
)
# What follows an apostrophe in one word; anything else is parted there: "l'abonnement".
_ENDINGS: Final = frozenset(("t", "s", "m", "d", "ve", "ll", "re", "em", "all", "cause"))
_ELISIONS: Final = frozenset(
    (
        *("l", "d", "m", "n", "t", "s", "j", "c", "qu", "jusqu", "lorsqu", "puisqu"),
        *("un", "all", "dall", "dell", "nell", "quell", "sull"),
    )
)
_EMPHATIC: Final = 3
"""So many sentences of one word in a row are one that was said with emphasis."""
_SPELLED: Final = 3
"""So many single letters in a row are one word that was spelled out."""


@dataclass(slots=True)
class Sentence:
    """Clauses, each a list of words; whether it ends as a question."""

    clauses: list[list[str]] = field(default_factory=list)
    asks: bool = False
    commas: set[int] = field(default_factory=set)
    """The clauses that a mere comma parts from the one before."""


def sentences_of(folded: str) -> list[Sentence]:
    """Cut a normal form into sentences. Nothing empty comes out."""
    return _said_word_by_word(_cut(folded))


def _cut(folded: str) -> list[Sentence]:
    done: list[Sentence] = []
    sentence, clause = Sentence(), list[str]()
    by_comma = False
    for kind, piece in _pieces(folded):
        if kind == "word":
            clause.extend(_words(piece))
            continue
        if kind == "picture":
            clause.append(piece)
            continue
        if clause:
            if by_comma:
                sentence.commas.add(len(sentence.clauses))
            sentence.clauses.append(_joined(clause))
            clause = []
            by_comma = False
        by_comma = kind == "comma" and bool(sentence.clauses)
        if kind == "end" and sentence.clauses:
            sentence.asks = "?" in piece
            done.append(sentence)
            sentence = Sentence()
    return done


def words_of(folded: str) -> list[str]:
    """All words of a normal form, in order."""
    return [word for piece in sentences_of(folded) for clause in piece.clauses for word in clause]


def is_picture(word: str) -> bool:
    """Whether a word is a picture."""
    return not word[0].isalnum() and len(word) == 1


def _pieces(folded: str) -> Iterator[tuple[str, str]]:
    for match in _PIECES.finditer(folded):
        yield match.lastgroup or "", match.group()
    yield "end", "\n"


def _words(piece: str) -> Iterator[str]:
    """A word without its apostrophes and asterisks, or the two words around an elision."""
    if "'" not in piece:
        yield piece.replace("*", "")
        return
    first, _, rest = piece.partition("'")
    if first in _ELISIONS and rest not in _ENDINGS:
        yield first
        yield from _words(rest)
    else:
        yield piece.replace("'", "").replace("*", "")


def _said_word_by_word(sentences: list[Sentence]) -> list[Sentence]:
    """Sentences of one word each are one sentence: "Take. Me. Off. The. List."."""
    done: list[Sentence] = []
    run: list[Sentence] = []
    for each in [*sentences, Sentence([[], []])]:
        if len(each.clauses) == 1 and len(each.clauses[0]) == 1:
            run.append(each)
            continue
        if len(run) >= _EMPHATIC:
            words = [one.clauses[0][0] for one in run]
            run = [Sentence([words], asks=run[-1].asks)]
        done.extend([*run, each])
        run = []
    return done[:-1]


def _joined(clause: list[str]) -> list[str]:
    """Words spelled out letter by letter are one: "s t o p texting"."""
    if sum(len(word) == 1 for word in clause) < _SPELLED:
        return clause
    out: list[str] = []
    run: list[str] = []
    for word in [*clause, ""]:
        if len(word) == 1 and word.isascii() and word.isalpha():
            run.append(word)
            continue
        out.extend(["".join(run)] if len(run) >= _SPELLED else run)
        run = []
        if word:
            out.append(word)
    return out
