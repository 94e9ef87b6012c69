"""A bundle of evidence as a page to read and print: one file, no script, nothing loaded."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_templates = Environment(
    loader=PackageLoader("optout_service.evidence"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = _templates.get_template("bundle.css").render()

POLICY: Final = (
    "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy under which the page may be served."""


def render(document: Mapping[str, Any]) -> str:
    """The page of a signed bundle. It shows what the JSON says, and is no proof by itself."""
    return _templates.get_template("bundle.html").render(style=Markup(_STYLE), **document)
