"""The recipient's door: a signed link in, a page or a bare 200 out."""

from typing import Final

from optout_service.recipients import asking, one_click, pages, preferences
from optout_service.recipients.link import LINK, RULE
from optout_service.web import Face, Proof, Route

_NOBODY: Final = Proof("none: leaves a text for a person to read", lambda: None)

FACE: Final = Face(
    name="recipients",
    prefixes=("/u/",),
    routes=(
        Route(RULE, ("GET",), LINK, preferences.opened),
        Route(RULE, ("POST",), LINK, one_click.post),
        Route(RULE, ("OPTIONS",), LINK, preferences.options),
        Route(pages.ASKING, ("GET",), _NOBODY, asking.form),
        Route(pages.ASKING, ("POST",), _NOBODY, asking.send),
        Route(pages.ASKING, ("OPTIONS",), _NOBODY, asking.form_options),
    ),
    refuse=pages.refuse,
)
