"""What is said back to a person: built-in words in many languages, and rules for a tenant's own.

Sources: CTIA Messaging Principles 5.1.3 (what a confirmation and a HELP reply must name);
47 CFR 64.1200(a)(12) (one confirmation, and no marketing in it).
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from optout_service.core.errors import InvalidRequest
from optout_service.core.segments import Length, length

MAX_TEXT: Final = 1600
"""The longest message that Twilio takes."""

MAX_SEGMENTS: Final = 3
FALLBACK: Final = "en"


class Said(StrEnum):
    """What a reply is about."""

    STOP = "stop"
    """You will get no more messages: the one confirmation of an opt-out."""
    START = "start"
    """You will get messages again."""
    HELP = "help"
    """Who we are and how to stop."""
    REFUSED = "refused"
    """We could not bring your messages back; who can is named."""
    REVIEW = "review"
    """A person will read this. Nothing is said unless a tenant has set words for it."""


@dataclass(frozen=True, slots=True)
class Brand:
    """How a tenant looks to its recipients. ``contact`` may be empty."""

    name: str
    contact: str


_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}", re.ASCII)
_HOLE = re.compile(r"\{(\w*)\}|[{}]")
_BRACKETED = re.compile(r"\[([^\[\]]*\{contact\}[^\[\]]*)\]")
_LINK = re.compile(r"\b([a-z][a-z0-9+.-]*)://|\b(www)\.", re.ASCII | re.IGNORECASE)


def parse_language(tag: str) -> str:
    """A language's tag in lower case, such as ``pt`` or ``pt-br``. Raises InvalidRequest."""
    lowered = tag.strip().lower().replace("_", "-")
    if not _TAG.fullmatch(lowered):
        raise InvalidRequest("A language is a tag such as en or pt-BR.", field="language")
    return lowered


def languages() -> list[str]:
    """The languages in which there are built-in texts."""
    return sorted(_built_in())


def built_in(said: Said, language: str) -> str | None:
    """The built-in text, or None where there is none in this language."""
    found = _built_in().get(language, {}).get(said)
    return found if isinstance(found, str) else None


def choose(find: Callable[[str], str | None], said: Said, wanted: Iterable[str]) -> str | None:
    """The text for the first language that has one, tenant's before built-in; else the English.

    ``find``: the tenant's own text in a language, or None. ``wanted``: tags, the best first. A tag
    with a region also stands for its language. None where nothing is to be said.
    """
    for tag in _spread((*wanted, FALLBACK)):
        if text := find(tag) or built_in(said, tag):
            return text
    return None


def fill(text: str, brand: Brand) -> str:
    """A text as the person reads it: the brand in its place, and its contact if it has one."""
    kept = _BRACKETED.sub(r"\1" if brand.contact else "", text)
    values = {"brand": brand.name, "contact": brand.contact}
    return _HOLE.sub(lambda hole: values.get(hole[1] or "", hole[0]), kept)


def measure(text: str, brand: Brand) -> Length:
    """The length of a text as its recipients get it."""
    return length(fill(text, brand))


def check(said: Said, language: str, text: str, brand: Brand) -> Length:
    """The length of a tenant's own text as its recipients get it.

    Raises InvalidRequest that names every part that is missing, a placeholder that is unknown, a
    link that is not https, and a text that takes more than ``MAX_SEGMENTS`` segments.
    """
    filled = fill(text, brand)
    if not text.strip() or len(text) > MAX_TEXT:
        raise InvalidRequest(f"A text has 1 to {MAX_TEXT} characters.", field="text")
    if any(hole[1] not in ("brand", "contact") for hole in _HOLE.finditer(text)):
        raise InvalidRequest("A text may have {brand} and {contact} in it, no more.", field="text")
    if missing := [part for part, there in _parts(said, language) if not there(filled, brand)]:
        raise InvalidRequest(f"This text must have: {'; '.join(missing)}.", field="text")
    if any((link[1] or "").lower() != "https" for link in _LINK.finditer(filled)):
        raise InvalidRequest("A link in a text begins with https://.", field="text")
    found = length(filled)
    if found.segments > MAX_SEGMENTS:
        raise InvalidRequest(
            f"This text takes {found.segments} segments ({found.units} units in {found.encoding}); "
            f"at most {MAX_SEGMENTS}, please.",
            field="text",
        )
    return found


_Part = tuple[str, Callable[[str, Brand], bool]]

_BRAND: Final[_Part] = ("the brand's name, {brand}", lambda text, brand: brand.name in text)
_CONTACT: Final[_Part] = (
    "the brand's contact, {contact}",
    lambda text, brand: bool(brand.contact) and brand.contact in text,
)
_START: Final[_Part] = ("how to come back: START", lambda text, _: _has_word(text, "START"))
_STOP: Final[_Part] = ("how to stop: STOP", lambda text, _: _has_word(text, "STOP"))
_REQUIRED: Final = {
    Said.STOP: (_BRAND, _START),
    Said.START: (_BRAND, _STOP),
    Said.HELP: (_BRAND, _CONTACT, _STOP),
    Said.REFUSED: (_BRAND, _CONTACT),
    Said.REVIEW: (_BRAND, _STOP),
}


def _parts(said: Said, language: str) -> Iterator[_Part]:
    yield from _REQUIRED[said]
    if said is Said.HELP:
        yield _one_of("how often messages come", language, "frequency")
        yield _one_of("what they may cost", language, "rates")


def _one_of(part: str, language: str, name: str) -> _Part:
    """A part that the words of its language are looked for; in an unknown language none is."""
    words = next((_built_in()[tag][name] for tag in _spread((language,)) if tag in _built_in()), ())
    told = f"{part} (one of: {', '.join(words)})"
    return told, lambda text, _: not words or any(word in text.casefold() for word in words)


def _has_word(text: str, word: str) -> bool:
    # Not \b: Chinese and Japanese set no space between a word of theirs and one of ours.
    return re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", text) is not None


def _spread(tags: Iterable[str]) -> Iterator[str]:
    for tag in tags:
        yield tag
        if "-" in tag:
            yield tag.partition("-")[0]


@cache
def _built_in() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))
