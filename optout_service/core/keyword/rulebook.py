"""The rules as files: one TOML a language, ours beside this code, a tenant's own beside those.

[xx]
name = "Language"          # negation, prefixes, unspaced, commas: see Language
[xx.keywords]              # whole messages: per_se, opt_out, opt_in, help, review
[xx.words]                 # the classes of frames.toml
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from optout_service.core.errors import Misconfigured
from optout_service.core.keyword.frames import Grammar, grammar
from optout_service.core.keyword.reading import Intent

SECTIONS: Final = {
    "per_se": Intent.OPT_OUT,
    "opt_out": Intent.OPT_OUT,
    "review": Intent.REVIEW,
    "help": Intent.HELP,
    "opt_in": Intent.OPT_IN,
}
"""The lists of whole messages, the stronger first, then the safer."""

_PARTS: Final = (
    "name",
    "source",
    "negation",
    "prefixes",
    "unspaced",
    "commas",
    "keywords",
    "words",
)
_SIDES: Final = {"next", "previous"}
_MAX_WORD: Final = 100


@dataclass(frozen=True, slots=True)
class Language:
    """What one file says of one language.

    ``negation``: which verb a "not" turns, the "next" one or the "previous"; tried in this order.
    ``prefixes``: short words that are written into the next one. ``unspaced``: no spaces part the
    words. ``commas``: commas are set by grammar, and part nothing.
    """

    tag: str
    negation: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    unspaced: bool = False
    commas: bool = False
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def own_grammar() -> Grammar:
    """The frames that come with the code."""
    return grammar(tomllib.loads(_data("frames.toml")))


@cache
def own_languages() -> tuple[Language, ...]:
    """The languages that come with the code; English first, since its words are everywhere."""
    names = {path.name for path in files(__package__).joinpath("rules").iterdir()}
    ours = ["en.toml", *sorted(names - {"en.toml", "frames.toml"})]
    return tuple(language for name in ours for language in parse(_data(name), name))


def parse(text: str, place: str) -> list[Language]:
    """The languages of one file. Raises Misconfigured with every fault, each with its place."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise Misconfigured(f"{place}: it is no TOML: {fault}.") from None
    faults: list[str] = []
    languages = [_language(tag, table, faults) for tag, table in data.items()]
    if faults:
        raise Misconfigured("\n".join(f"{place}: {fault}" for fault in faults))
    return languages


def _data(name: str) -> str:
    return files(__package__).joinpath("rules", name).read_text(encoding="utf-8")


def _language(tag: str, table: Any, faults: list[str]) -> Language:
    if not isinstance(table, dict):
        faults.append(f"{tag}: give a table for each language, such as [en.keywords].")
        return Language(tag)
    faults.extend(_unknown(tag, table, _PARTS))
    negation = tuple(_words(f"{tag}.negation", table.get("negation", []), faults))
    if not set(negation) <= _SIDES:
        faults.append(f'{tag}.negation: give "next", "previous" or both, in a list.')
    classes = [name for name in own_grammar().letters if name not in ("figure", "loud")]
    return Language(
        tag=tag.partition("-")[0].lower(),
        negation=negation,
        prefixes=tuple(_words(f"{tag}.prefixes", table.get("prefixes", []), faults)),
        unspaced=table.get("unspaced") is True,
        commas=table.get("commas") is True,
        keywords=_lists(f"{tag}.keywords", table.get("keywords", {}), (*SECTIONS,), faults),
        words=_lists(f"{tag}.words", table.get("words", {}), classes, faults),
    )


def _lists(
    place: str, table: Any, known: "list[str] | tuple[str, ...]", faults: list[str]
) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        faults.append(f"{place}: give lists by name, such as {known[0]} = [...].")
        return {}
    faults.extend(_unknown(place, table, (*known, "source")))
    return {
        name: tuple(_words(f"{place}.{name}", words, faults))
        for name, words in table.items()
        if name in known
    }


def _words(place: str, words: Any, faults: list[str]) -> Iterator[str]:
    if not isinstance(words, list):
        faults.append(f"{place}: give a list of words.")
        return
    for number, word in enumerate(words, start=1):
        if not isinstance(word, str) or not any(map(str.isprintable, word.strip())):
            faults.append(f"{place}, item {number}: give a word, in quotes.")
        elif len(word) > _MAX_WORD:
            faults.append(f"{place}, item {number}: it is longer than {_MAX_WORD} characters.")
        else:
            yield word


def _unknown(place: str, table: Mapping[str, Any], known: "tuple[str, ...]") -> Iterator[str]:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            yield f"{place}.{name}: there is no such list; {hint}"
