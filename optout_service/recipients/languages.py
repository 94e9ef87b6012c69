"""The languages of the pages: which one a reader gets, and what it says.

The texts are gettext catalogues beside this file; ``docs/pages.md`` says how one is added.
"""

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

from optout_service.core.language import DEFAULT, find

CATALOGUES: Final = Path(__file__).parent / "translations"
DOMAIN: Final = "pages"


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


def choose(request: Request, of_link: str = "", of_brand: str = "") -> Language:
    """The reader's language.

    What was chosen on the page, else what the link was minted for, else what the browser prefers
    (RFC 9110, 12.5.4), else the brand's own, else English.
    """
    accepted = request.accept_languages.values()
    wishes = (request.args.get("lang", ""), of_link, *accepted, of_brand)
    return get(next(filter(None, map(find, wishes)), DEFAULT))
