"""What the API is, for programs and people: ``/openapi.json`` and ``/docs``, all of it from here.

The page is Swagger UI, whose files come with a package: nothing is asked of another host, so that
the strict policy holds and a machine without a way out shows it too.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Response

from optout_service.apidocs import openapi
from optout_service.core.errors import NotFound
from optout_service.web import Face, Proof, Route, problem, runtime

_PUBLIC: Final = Proof("none: says nothing about anybody", lambda **_: None)
_HERE: Final = Path(__file__).parent
_SWAGGER: Final = Path(str(files("flask_swagger_ui"))) / "dist"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}
_FILES: Final = {
    "docs.js": _HERE,
    "swagger-ui-bundle.js": _SWAGGER,
    "swagger-ui.css": _SWAGGER,
    "favicon-32x32.png": _SWAGGER,
}
# Swagger UI styles its parts by hand, and its icons are data: no code of anybody else's can run.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def description(_: None) -> Response:
    """The OpenAPI 3.1 description of the API."""
    return Response(openapi.encoded(runtime().settings.public_url), content_type="application/json")


def page(_: None) -> Response:
    """The description as a page to read and to try."""
    response = Response((_HERE / "docs.html").read_bytes(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def part(_: None, name: str) -> Response:
    """A part of the page."""
    folder = _FILES.get(name)
    if folder is None:
        raise NotFound("There is nothing at this path.")
    return Response((folder / name).read_bytes(), content_type=_TYPES[Path(name).suffix])


FACE: Final = Face(
    name="apidocs",
    prefixes=("/openapi.json", "/docs"),
    routes=(
        Route("/openapi.json", ("GET",), _PUBLIC, description),
        Route("/docs", ("GET",), _PUBLIC, page),
        Route("/docs/<name>", ("GET",), _PUBLIC, part),
    ),
    refuse=problem,
)
