"""The recipients' pages: one request, no script, no cookie, nothing from elsewhere; and refusals.

Content Security Policy (W3C, level 3): nothing is loaded, the one style is named by its hash.
"""

import base64
from hashlib import sha256
from typing import Any, Final

from flask import Response, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from optout_service.core.errors import BadToken, NotFound, OptOutError
from optout_service.web import runtime

Fields = MultiDict[str, str]

PLAIN: Final = "text/plain; charset=utf-8"
"""For mail clients, which show nobody a page."""

TOPIC: Final = "topic"
ALL: Final = "all"
ACTIONS: Final = (TOPIC, ALL)
"""What the page's own form can ask for: to leave what the message was about, or everything."""

_templates = Environment(
    loader=PackageLoader("optout_service.recipients"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = _templates.get_template("page.css").render()
_POLICY: Final = (
    "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of ours, in HTML."""
    text = _templates.get_template(template).render(style=Markup(_STYLE), **values)
    response = Response(text, status=status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def refuse(error: OptOutError, status: int) -> Response:
    """What a person reads when it did not work: never that it is their fault, always a way on."""
    if isinstance(error, BadToken | NotFound):
        return page("damaged.html", status=status, contact=runtime().settings.contact)
    if request.method == "POST" and status >= 500:
        return _not_recorded(status)
    return page("unavailable.html", status=status, failed=status >= 500)


def _not_recorded(status: int) -> Response:
    # The form is read only if it was read before: a body that cannot be read is no reason to fail.
    action = request.values.get("action", "")
    if action not in ACTIONS:
        return Response("Not recorded. Please try again.\n", status, content_type=PLAIN)
    return page("not_recorded.html", status=status, action=action)
