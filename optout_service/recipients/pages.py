"""The recipients' pages: one request, no script, no cookie, nothing from elsewhere; and refusals.

Content Security Policy (W3C, level 3): nothing is loaded, and each style is named by its hash.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from optout_service.core import mending
from optout_service.core.errors import BadToken, MethodNotAllowed, NotFound, OptOutError, TooMany
from optout_service.core.language import LANGUAGES
from optout_service.core.looks import Looks
from optout_service.core.token import named_tenant
from optout_service.recipients import dressing, languages, link
from optout_service.recipients.languages import Language
from optout_service.web import runtime

Fields = MultiDict[str, str]

PLAIN: Final = "text/plain; charset=utf-8"
"""For mail clients, which show nobody a page."""

METHODS: Final = "GET, HEAD, OPTIONS, POST"
"""What a link takes."""

ASKING: Final = "/u/-/request"
"""Where the form of a damaged link's page leads. No token is as short as its parts."""

ACTION: Final = "action"
"""The field by which a form of ours says what it asks for: one of the next five."""
TOPIC: Final = "topic"
ALL: Final = "all"
CHOOSE: Final = "choose"
UNDO: Final = "undo"
RETURN: Final = "return"

STOP: Final = "stop"
"""The checkboxes."""
AGAIN: Final = "again"
"""Which of the checkboxes' values to receive again; what the message was about, if none."""
OFFER: Final = "offer"
"""The field in which a page carries an offer of ``core.offer``."""

ADDRESS: Final = "address"
NOTE: Final = "text"
LINK: Final = "link"
"""The fields of the form on a damaged link's page: who asks, what else, and what is left of it."""
_LINK_KEPT: Final = 400
"""How many characters of a damaged link are kept."""

_LEAVING: Final = (TOPIC, ALL, CHOOSE)
_RETURNING: Final = (UNDO, RETURN)

_templates = Environment(
    loader=PackageLoader("optout_service.recipients"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = _templates.get_template("page.css").render()
_PLAIN_LOOKS: Final = Looks()


def page(
    template: str,
    language: Language,
    *,
    status: int = 200,
    looks: Looks = _PLAIN_LOOKS,
    **values: Any,
) -> Response:
    """A page of ours, in HTML, in the reader's language and the brand's colours."""
    styles = [_STYLE, *dressing.styles(looks)]
    text = _templates.get_template(template).render(
        styles=[Markup(style) for style in styles],
        looks=looks,
        picture=dressing.picture,
        language=language,
        languages=LANGUAGES,
        _=language.say,
        ngettext=language.count,
        **values,
    )
    response = Response(text, status=status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _policy(styles, pictures=bool(looks.logo))
    response.headers["Content-Language"] = language.code
    return response


def damaged(language: Language, *, status: int = 200, notice: str = "") -> Response:
    """What a person reads whose link cannot be read: other ways, and a form to ask by.

    ``notice``: which of the template's remarks it begins with.
    """
    settings = runtime().settings
    return page(
        "damaged.html",
        language,
        status=status,
        contact=settings.contact,
        asks=settings.link_requests_per_minute > 0 and notice != "many",
        notice=notice,
        link=left_of_link(),
        to=urlsplit(settings.public_url).path + ASKING,
    )


def left_of_link() -> str:
    """What is left of the reader's link: letters that name a tenant, or nothing.

    Not as it came: whatever else stood there, such as an address, is not repeated.
    """
    at_form = request.path == ASKING
    came = request.form.get(LINK, "") if at_form else request.path.removeprefix("/u/")
    letters = mending.letters(came)[:_LINK_KEPT]
    return "" if named_tenant(letters) is None else letters


def _policy(styles: Sequence[str], *, pictures: bool) -> str:
    digests = (base64.b64encode(sha256(style.encode()).digest()).decode() for style in styles)
    named = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; style-src {named}; "
        f"{'img-src data:; ' if pictures else ''}"
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def refuse(error: OptOutError, status: int) -> Response:
    """What a person reads when it did not work: never that it is their fault, always a way on."""
    language = languages.choose(request, _language_of_link())
    if isinstance(error, BadToken | NotFound):
        return damaged(language, status=status)
    if isinstance(error, TooMany):
        return damaged(language, status=status, notice="many")
    if request.path == ASKING and status >= 500:
        # Without what was written: an error repeats no address.
        return damaged(language, status=status, notice="failed")
    if request.method == "POST" and status >= 500:
        return _not_recorded(language, status)
    response = page("unavailable.html", language, status=status, failed=status >= 500)
    if isinstance(error, MethodNotAllowed):
        # RFC 9110, 15.5.6: a 405 says what there is instead.
        response.headers["Allow"] = METHODS
    return response


def _language_of_link() -> str:
    """What the link was minted for, if it is one: to read that takes no store, and no route."""
    try:
        return link.read(runtime().links, request.path.removeprefix("/u/")).claim.language
    except BadToken:
        return ""


def _not_recorded(language: Language, status: int) -> Response:
    # The form is read only if it was read before: a body that cannot be read is no reason to fail.
    action = request.values.get(ACTION, "")
    if action not in _LEAVING + _RETURNING:
        return Response("Not recorded. Please try again.\n", status, content_type=PLAIN)
    fields = [
        (name, value)
        for name in (STOP, AGAIN, OFFER)
        for value in dict.fromkeys(request.form.getlist(name))
    ]
    return page("not_recorded.html", language, status=status, fields=[(ACTION, action), *fields])
