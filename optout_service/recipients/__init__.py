"""The recipient's door: a signed link in, a page or a bare 200 out."""

from typing import Final

from optout_service.recipients import one_click, pages, preferences
from optout_service.recipients.link import LINK
from optout_service.web import Face, Route

FACE: Final = Face(
    name="recipients",
    prefixes=("/u/",),
    routes=(
        Route("/u/<token>", ("GET",), LINK, preferences.ask),
        Route("/u/<token>", ("POST",), LINK, one_click.post),
        Route("/u/<token>", ("OPTIONS",), LINK, preferences.options),
    ),
    refuse=pages.refuse,
)
