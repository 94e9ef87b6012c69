"""What is said back to a person who answers."""

from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.core.segments import Encoding
from optout_service.core.texts import FALLBACK, MAX_TEXT, Said


class TextRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant's own text; ``{brand}`` and ``{contact}`` in it are filled in."""

    said: Said
    text: Annotated[str, Meta(pattern=r"\S", max_length=MAX_TEXT)]
    language: str = FALLBACK


class TextQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which text to remove."""

    said: Said
    language: str = FALLBACK


class TextShape(Struct, frozen=True):
    """One text. ``units`` and ``segments`` are those of what the recipients get."""

    said: Said
    language: str
    text: str
    encoding: Encoding
    units: int
    segments: int


class TextsAnswer(Struct, frozen=True):
    """A tenant's own texts, and those that are used where it has none."""

    texts: list[TextShape]
    built_in: list[TextShape]


TEXT: Final = Decoder(TextRequest)
