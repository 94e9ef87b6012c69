"""The words that are said on the phone. They stand in ``phrases.toml``, language by language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from optout_service.providers.twiml import Voice, say

DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's words, and the voice that speaks them."""

    language: str
    voice: Voice
    texts: Mapping[str, str]

    def say(self, *names: str, **values: str) -> str:
        """The verb that speaks these phrases, one after the other without a pause between them."""
        return say(" ".join(self.texts[name].format(**values) for name in names), self.voice)


def languages() -> tuple[str, ...]:
    """The languages that calls can be answered in."""
    return tuple(_book())


def phrases(language: str | None) -> Phrases:
    """The words of a language, by a tag such as ``es`` or ``pt-BR``; English where there are none.

    Never raises: whoever is on the line is to hear something.
    """
    spoken = (language or "").partition("-")[0].lower()
    return _book().get(spoken) or _book()[DEFAULT]


def digit_by_digit(number: str) -> str:
    """A phone number as it can be followed when it is heard."""
    return " ".join(filter(str.isdigit, number))


@cache
def _book() -> dict[str, Phrases]:
    data = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))
    return {
        language: Phrases(language, Voice(texts.pop("voice"), texts.pop("name", "")), texts)
        for language, texts in data.items()
    }
