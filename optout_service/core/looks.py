"""How a brand's page looks: colours, logo, language, and where its contact leads.

Whatever is set here is checked once, when it is set, for all who will ever read the page.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self
from urllib.parse import urlsplit

from optout_service.core import language as languages
from optout_service.core import logo as pictures
from optout_service.core.address import Address
from optout_service.core.colour import BLACK, WHITE, Colour
from optout_service.core.errors import InvalidAddress, InvalidRequest
from optout_service.core.logo import Logo
from optout_service.core.scope import Kind

MAX_URL: Final = 300
TEXT: Final = 4.5
"""The least contrast of words with what is behind them (WCAG 2.2, 1.4.3)."""
PART: Final = 3.0
"""The least contrast of a button with the page around it (WCAG 2.2, 1.4.11)."""

_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)
_TEL: Final = re.compile(r"\+[0-9](?:[-.()]?[0-9]){4,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme of the page. ``surfaces``: what can be behind a button or a word."""

    surfaces: tuple[Colour, ...]
    towards: Colour

    def lacks(self, button: Colour) -> bool:
        """Whether a button of this colour would not be seen."""
        return button.least_contrast(*self.surfaces) < PART


LIGHT: Final = Theme((Colour.parse("#ffffff"), Colour.parse("#f4f5f7")), BLACK)
DARK: Final = Theme((Colour.parse("#181c21"), Colour.parse("#0f1215")), WHITE)
"""As ``recipients/templates/page.css`` has them: card and ground, and what stands out from both."""


@dataclass(frozen=True, slots=True)
class Shades:
    """What a page needs of a colour: the button, the words on it, and words of its hue."""

    button: Colour
    on_button: Colour
    words: Colour


@dataclass(frozen=True, slots=True)
class Looks:
    """How a brand's page looks where it is not built in.

    ``contact_url``: where a tap on its contact leads. ``colour``: of the large button;
    ``dark_colour``: the same in the dark theme, None: made of ``colour``. ``language``: a code of
    ``core.language``, for readers of whom nothing else is known.
    """

    contact_url: str = ""
    colour: Colour | None = None
    dark_colour: Colour | None = None
    language: str = ""
    logo: Logo | None = None

    @classmethod
    def parse(
        cls, *, contact_url: str, colour: str, dark_colour: str, language: str, logo: bytes
    ) -> Self:
        """Looks as they are given; what is empty is as it is built in.

        Raises InvalidRequest, naming the field: as the functions below and ``logo.parse`` do.
        """
        light, dark = parse_colours(colour, dark_colour)
        return cls(
            parse_contact_url(contact_url),
            light,
            dark,
            parse_language(language),
            pictures.parse(logo) if logo else None,
        )

    def values(self) -> dict[str, Any]:
        """As they are given to ``parse``."""
        return {
            "contact_url": self.contact_url,
            "colour": str(self.colour or ""),
            "dark_colour": str(self.dark_colour or ""),
            "language": self.language,
            "logo": self.logo.data if self.logo else b"",
        }

    def shades(self) -> Mapping[Theme, Shades]:
        """The colours in each theme that has its own."""
        return {} if self.colour is None else _by_theme(self.colour, self.dark_colour)


def parse_colours(light: str, dark: str) -> tuple[Colour | None, Colour | None]:
    """The button's colours in the light and the dark theme; "" is None.

    Raises InvalidRequest for what is no colour, for one that cannot be told from the page (it says
    the nearest that can), and for a dark one alone.
    """
    if dark and not light:
        raise InvalidRequest("A dark_colour goes with a colour. Give both.", field="colour")
    return _seen(light, LIGHT, "colour"), _seen(dark, DARK, "dark_colour")


def parse_contact_url(text: str) -> str:
    """Where a contact leads: ``https://``, ``mailto:`` or ``tel:`` (RFC 6068, RFC 3966), or "".

    Raises InvalidRequest: also for a user in a URL, for fields of a mail, and for a number that is
    not an international one.
    """
    if not text:
        return ""
    scheme, _, rest = text.partition(":")
    right = _RIGHT.get(scheme)
    if len(text) > MAX_URL or not _VISIBLE.fullmatch(text) or right is None or not right(rest):
        raise InvalidRequest(
            f"A contact_url is https://..., mailto:name@example.com or tel:+14155550100, at most "
            f"{MAX_URL} visible ASCII characters, without a user, and without fields of a mail.",
            field="contact_url",
        )
    return text


def parse_language(tag: str) -> str:
    """A language of the pages, or "". Raises InvalidRequest that names them."""
    if not tag:
        return ""
    if (code := languages.find(tag)) is None:
        raise InvalidRequest(
            f"The pages speak: {', '.join(languages.LANGUAGES)}.", field="language"
        )
    return code


def _seen(text: str, theme: Theme, field: str) -> Colour | None:
    if not text:
        return None
    colour = Colour.parse(text, field=field)
    if theme.lacks(colour):
        nearest = colour.until(PART, *theme.surfaces, towards=theme.towards)
        ratio = colour.least_contrast(*theme.surfaces)
        raise InvalidRequest(
            f"A button of this colour would not be seen: its contrast with the page is "
            f"{ratio:.2f}, and {PART:.0f} is the least (WCAG 2.2, 1.4.11). The nearest that has it "
            f"is {nearest}.",
            field=field,
        )
    return colour


@lru_cache(maxsize=1024)  # Some hundred luminances, for every page that is shown.
def _by_theme(light: Colour, dark: Colour | None) -> Mapping[Theme, Shades]:
    dark = dark or light.until(TEXT, *DARK.surfaces, towards=DARK.towards)
    return {LIGHT: _shades(light, LIGHT), DARK: _shades(dark, DARK)}


def _shades(button: Colour, theme: Theme) -> Shades:
    # Of black and white the better one always has more than TEXT: 4.58 at least.
    on_button = max(BLACK, WHITE, key=button.contrast)
    return Shades(button, on_button, button.until(TEXT, *theme.surfaces, towards=theme.towards))


def _is_site(rest: str) -> bool:
    try:
        parts = urlsplit(f"https:{rest}")
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return rest.startswith("//") and "." in host and "@" not in parts.netloc and port != 0


def _is_mailbox(rest: str) -> bool:
    try:
        Address.parse(Kind.EMAIL, rest)
    except InvalidAddress:
        return False
    return not set(rest) & set("?&%:")


def _is_number(rest: str) -> bool:
    return _TEL.fullmatch(rest) is not None


_RIGHT: Final[Mapping[str, Callable[[str], bool]]] = {
    "https": _is_site,
    "mailto": _is_mailbox,
    "tel": _is_number,
}
