"""The languages of the pages: which there are, which one a reader gets, and what it says.

The texts are gettext catalogues beside this file; ``docs/pages.md`` says how one is added.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations, translation
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.dates import format_date
from flask import Request
from markupsafe import Markup

CATALOGUES: Final = Path(__file__).parent / "translations"
DOMAIN: Final = "pages"
DEFAULT: Final = "en"
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "de": "Deutsch",
    "pt": "Português",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "zh": "简体中文",
    "ja": "日本語",
    "ar": "العربية",
    "he": "עברית",
    "hi": "हिन्दी",
}
"""By the primary subtag of RFC 5646; each under its own name."""

_FORMER: Final = {"iw": "he", "cmn": "zh", "arb": "ar"}
"""Tags that programs still send, or may send, for these languages."""


@dataclass(frozen=True)
class Language:
    """A language that the pages speak. ``direction`` is ``ltr`` or ``rtl``."""

    code: str
    direction: str
    texts: NullTranslations

    def say(self, message: str, **values: Any) -> Markup:
        """A text of ours in this language. It is markup; ``values`` are text unless marked up."""
        text = Markup(self.texts.gettext(message))
        return text % values if values else text

    def count(self, one: str, many: str, number: int) -> Markup:
        """A text about a number of things, in the plural form that this number takes."""
        return Markup(self.texts.ngettext(one, many, number)) % {"num": number}

    def date(self, moment: datetime) -> str:
        """A day as people write it, in UTC."""
        return format_date(moment, "long", locale=self.code)


@cache
def get(code: str) -> Language:
    """A language by its code in ``LANGUAGES``."""
    texts: NullTranslations | GNUTranslations = NullTranslations()
    if code != DEFAULT:
        texts = translation(DOMAIN, CATALOGUES, languages=[code])
    return Language(code, Locale.parse(code).text_direction, texts)


def find(tag: str) -> str | None:
    """The code of the language that a tag (``pt-BR``, ``zh_TW``) asks for, or None."""
    primary = tag.replace("_", "-").partition("-")[0].lower()
    code = _FORMER.get(primary, primary)
    return code if code in LANGUAGES else None


def choose(request: Request, of_link: str = "") -> Language:
    """The reader's language.

    What was chosen on the page, else what the link was minted for, else what the browser prefers
    (RFC 9110, 12.5.4), else English.
    """
    wishes = (request.args.get("lang", ""), of_link, *request.accept_languages.values())
    return get(next(filter(None, map(find, wishes)), DEFAULT))
