"""What is not the person's own words: reactions, quoted originals, signatures, web addresses.

Works on a normal form. The marks that programs write stand in ``marks.toml``.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from optout_service.core.keyword.normal import fold, letters_of

_LINK: Final = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+\.\w+|\b[\w-]+\.(?:com|net|org|io|co)\b\S*"
)
_QUOTE_LINE: Final = re.compile(r"^\s*>.*$", re.MULTILINE)
_QUOTED: Final = re.compile(r'(?<!\w)"([^"]*)"?|(?<!\w)\'([^\'\n]+)\'(?!\w)')
_RULE: Final = re.compile(r"^\s*(?:-{2,}|_{3,}).*", re.MULTILINE | re.DOTALL)
_RULE_LINE: Final = re.compile(r"^[ \t]*(?:-{2,}|_{3,})[ \t]*$", re.MULTILINE)
_SUBJECT: Final = re.compile(r"\A\s*(?:re|fwd?|aw|wg|sv|vs|rv|tr|rif|odp|ynt|回复|答复)\s*:\s*")
_LONG_QUOTE: Final = 4
_LONG_TEXT: Final = 40
"""So many words, or letters, between quotation marks are somebody else's."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """The person's own words, and what was taken off: "", "reaction" or "quote"."""

    text: str
    peeled: str


def peel(folded: str) -> Peeled:
    """Take off what is not the person's own."""
    marks = _marks()
    text = _LINK.sub(" ", folded)
    if marks.reaction.match(text):
        # What is in the lines below the quotation was typed.
        own = text.rpartition('"')[2].partition("\n")[2]
        return Peeled(own, "reaction")
    own = _without_original(text, marks)
    # A message that stands in quotation marks as a whole is its author's all the same.
    if letters_of(_QUOTED.sub("", own)):
        own = _QUOTED.sub(lambda match: " " if _is_long(match) else match.group(), own)
    own = marks.signature.sub("\n", own)
    return Peeled(own, "quote" if own.strip() != text.strip() else "")


def _without_original(text: str, marks: "_Marks") -> str:
    """Without the message that was answered: quoted lines, or all that follows its heading."""
    own = _without_quoted(text, marks)
    subject = _SUBJECT.match(own)
    if subject is None:
        return _above_rule(own)
    # Below a subject stands what was written; a subject alone is all there is.
    first, _, rest = own[subject.end() :].partition("\n")
    if rest.strip():
        return _above_rule(_RULE_LINE.sub("", rest, count=1))
    return first


def _above_rule(text: str) -> str:
    """What stands above a ruled line; all, if nothing does."""
    cut = _RULE.search(text)
    return text[: cut.start()] if cut and text[: cut.start()].strip() else text


def _without_quoted(text: str, marks: "_Marks") -> str:
    """Without an original: its heading and its quoted lines, or what follows the heading."""
    heading = marks.original.search(text)
    if heading is None:
        return _QUOTE_LINE.sub("", text)
    above, below = text[: heading.start()], text[heading.end() :]
    if _QUOTE_LINE.match(below.lstrip()) or _QUOTED.match(below.lstrip()):
        # The marks say where the original ends: the answer may stand below it.
        below = _QUOTED.sub(" ", below.lstrip(), count=1) if below.strip()[0] != ">" else below
        return _QUOTE_LINE.sub("", f"{above}\n{below}")
    above = _QUOTE_LINE.sub("", above)
    if above.strip():
        return above
    # Nothing above, so the answer is the last paragraph, if there are several.
    return below.strip().rpartition("\n\n")[2] if "\n\n" in below.strip() else above


def _is_long(match: re.Match[str]) -> bool:
    quoted = match.group(1) or match.group(2) or ""
    # Letters by themselves are a word that was spelled out.
    return sum(len(word) > 1 for word in quoted.split()) >= _LONG_QUOTE or len(quoted) > _LONG_TEXT


@dataclass(frozen=True, slots=True)
class _Marks:
    reaction: re.Pattern[str]
    original: re.Pattern[str]
    signature: re.Pattern[str]


@cache
def _marks() -> _Marks:
    data = tomllib.loads(files(__package__).joinpath("marks.toml").read_text(encoding="utf-8"))
    before, around = data["reaction"]["before"], data["reaction"]["around"]
    reactions = [
        *(rf"{_alternatives(before)}[\s:]*\"",),
        *(rf"{_plain(one)}\s*\"[^\"]*\"\s*{_plain(other)}" for one, other in around),
    ]
    return _Marks(
        reaction=re.compile(r"\s*(?:" + "|".join(reactions) + ")"),
        original=re.compile(r"^\s*" + _alternatives(data["original"]["headings"]), re.MULTILINE),
        signature=re.compile(
            r"(?:^|[-\n.!,(]|\s)\s*" + _alternatives(data["signature"]["lines"]) + r"[^\n]*"
        ),
    )


def _alternatives(marks: list[str]) -> str:
    return "(?:" + "|".join(sorted(map(_plain, marks), key=len, reverse=True)) + ")"


def _plain(mark: str) -> str:
    """A mark as a pattern: ``...`` stands for anything short, in one line."""
    return r"[^\n\"]{0,120}?".join(
        re.escape(part).replace(r"\ ", r"\s+") for part in fold(mark).split("...")
    )
