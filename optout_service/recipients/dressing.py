"""A brand's looks as the page carries them: a second style, and the logo in the page itself."""

import base64

from optout_service.core.logo import Logo
from optout_service.core.looks import DARK, LIGHT, Looks, Shades, Theme

_QUERIES: dict[Theme, str] = {LIGHT: "{}", DARK: "@media (prefers-color-scheme:dark){{{}}}"}


def styles(looks: Looks) -> list[str]:
    """The style that puts a brand's colours in the place of ours: one, or none.

    It is made of nothing but numbers of ``Colour``: no text that somebody set comes into it.
    """
    if not (shades := looks.shades()):
        return []
    rules = (query.format(_rule(shades[theme])) for theme, query in _QUERIES.items())
    return ["".join(rules)]


def picture(logo: Logo) -> str:
    """A logo as a URL that holds it (RFC 2397): it asks nothing of anybody."""
    return f"data:{logo.media};base64,{base64.b64encode(logo.data).decode()}"


def _rule(shades: Shades) -> str:
    return f":root{{--act:{shades.button};--on-act:{shades.on_button};--word:{shades.words}}}"
