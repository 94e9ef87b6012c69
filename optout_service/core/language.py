"""The languages of the recipients' pages."""

from collections.abc import Mapping
from typing import Final

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


def find(tag: str) -> str | None:
    """The code of the language that a tag (``pt-BR``, ``zh_TW``) asks for, or None."""
    primary = tag.replace("_", "-").partition("-")[0].lower()
    code = _FORMER.get(primary, primary)
    return code if code in LANGUAGES else None
