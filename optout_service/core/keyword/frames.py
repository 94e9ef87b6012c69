"""Frames and hedges: patterns over the classes of a clause's words.

Each class has a letter; a clause is written as a string, a word's letters and a space a word, and
a pattern becomes a regular expression over it. Gaps and rows are short, so that reading a clause
takes time in proportion to its length.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any, Final

from optout_service.core.keyword.reading import Intent

UNKNOWN: Final = "."
"""What stands for a word that is in no class."""

_LETTERS: Final = ascii_letters + "".join(map(chr, range(0xC0, 0xD7)))
_MOST_BETWEEN: Final = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """A meaning of a clause. ``firm``: no hedge makes it doubtful.

    ``beside``: what some clause of the message must fit too; ``without``: what none may.
    """

    name: str
    says: Intent
    firm: bool
    pattern: re.Pattern[str]
    beside: re.Pattern[str] | None
    without: re.Pattern[str] | None

    def fits(self, clause: str, message: Sequence[str]) -> bool:
        """Whether a clause means this, among the clauses of its message."""
        return (
            self.pattern.search(clause) is not None
            and (self.beside is None or any(map(self.beside.search, message)))
            and (self.without is None or not any(map(self.without.search, message)))
        )


@dataclass(frozen=True, slots=True)
class Hedge:
    """What makes an opt-out doubtful, and how far: in its clause, sentence or message.

    ``asks``: only in a sentence that ends as a question. ``also``: other intents that it makes
    doubtful too. ``of``: the only frames that it makes doubtful, if any are named.
    """

    name: str
    reach: str
    asks: bool
    also: str
    of: tuple[str, ...]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The classes with their letters, the frames in their order, the hedges, and negation."""

    letters: Mapping[str, str]
    groups: Mapping[str, frozenset[str]]
    contrary: Mapping[str, str]
    transparent: frozenset[str]
    frames: tuple[Frame, ...]
    hedges: tuple[Hedge, ...]


def grammar(data: Mapping[str, Any]) -> Grammar:
    """The grammar of ``frames.toml``. Raises KeyError where a pattern names an unknown class."""
    letters = dict(zip(data["classes"], _LETTERS, strict=False))
    groups = {name: "".join(letters[each] for each in row) for name, row in data["groups"].items()}
    known = letters | groups | {"unknown": UNKNOWN}
    blockers = "".join(letters[name] for name in data["blockers"])

    def compiled(rows: Sequence[str]) -> re.Pattern[str]:
        ways = "|".join(_regex(row, known, blockers) for row in rows)
        return re.compile(f"(?<![^ ])(?:{ways})")

    contrary = dict(data["contrary"])
    transparent = contrary.pop("transparent")
    return Grammar(
        letters=letters,
        groups={name: frozenset(row) for name, row in groups.items()},
        contrary={letters[one]: letters[other] for one, other in contrary.items()},
        transparent=frozenset(letters[name] for name in transparent),
        frames=tuple(
            Frame(
                each["name"],
                Intent(each["says"]),
                "firm" in each,
                compiled(each["when"]),
                compiled(each["beside"]) if "beside" in each else None,
                compiled(each["without"]) if "without" in each else None,
            )
            for each in data["frame"]
        ),
        hedges=tuple(
            Hedge(
                each["name"],
                each["reach"],
                "asks" in each,
                each.get("also", ""),
                tuple(each.get("of", ())),
                compiled(each["when"]),
            )
            for each in data["hedge"]
        ),
    )


def _regex(row: str, known: Mapping[str, str], blockers: str) -> str:
    one, both, other = row.partition(" & ")
    if both:
        gap = f"..{_MOST_BETWEEN}"
        ways = (f"{one} {gap} {other}", f"{other} {gap} {one}")
        return "|".join(_regex(way, known, blockers) for way in ways)
    return "".join(_item(item, known, blockers) for item in row.split())


def _item(item: str, known: Mapping[str, str], blockers: str) -> str:
    if item in ("^", "$"):
        return r"\A" if item == "^" else r"\Z"
    if item.startswith(".."):
        return rf"(?:[^ {blockers}]+ ){{0,{int(item[2:])}}}"
    if item.endswith("*"):
        return f"(?:{_item(item[:-1], known, blockers)})*"
    if "+" in item:
        return "".join(rf"(?=[^ ]*{known[name]})" for name in item.split("+")) + "[^ ]+ "
    return rf"[^ ]*[{''.join(known[name] for name in item.split('|'))}][^ ]* "
