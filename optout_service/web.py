"""What every face shares: routes that carry their proof, errors and their statuses.

HTTP numbers for our own errors stand in ``STATUS`` and nowhere else.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import flask
import msgspec
from flask import Flask, Response, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug import exceptions
from werkzeug.formparser import FormDataParser
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule
from werkzeug.utils import cached_property

from optout_service import envelope, express, incoming
from optout_service.core import errors
from optout_service.core.errors import OptOutError
from optout_service.runtime import Runtime

STATUS: Final[Mapping[type[OptOutError], int]] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.NotPermitted: 403,
    errors.BadSignature: 403,
    errors.Stale: 403,
    errors.NotFound: 404,
    errors.BadToken: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.NotLiftable: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.BadClearance: 422,
    errors.InvalidAddress: 422,
    errors.UnknownChannel: 422,
    errors.UnknownTopic: 422,
    errors.InvalidRequest: 422,
    errors.IdempotencyMismatch: 422,
    errors.LiftCap: 429,
    errors.TooMany: 429,
    errors.Internal: 500,
    errors.Busy: 503,
    errors.StoreUnavailable: 503,
    errors.ProviderUnavailable: 503,
    errors.WrongKeys: 503,
    errors.Quarantined: 503,
    errors.Misconfigured: 503,
}

_FROM_WERKZEUG: Final[Mapping[type[exceptions.HTTPException], tuple[type[OptOutError], str]]] = {
    exceptions.RequestEntityTooLarge: (
        errors.TooLarge,
        "The body is over the limit of this service. Send it in parts.",
    ),
    exceptions.MethodNotAllowed: (
        errors.MethodNotAllowed,
        "This path does not take this method.",
    ),
    exceptions.UnsupportedMediaType: (
        errors.UnsupportedMediaType,
        "This path does not read a body of this media type.",
    ),
    exceptions.NotFound: (errors.NotFound, "There is nothing at this path."),
}

PROBLEM: Final = "application/problem+json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller must show before a view runs. ``check`` gives the view its first argument.

    ``check`` raises (Unauthenticated, NotPermitted, BadSignature, BadToken ...) for who may not
    enter; ``name`` is what the table of routes says.
    """

    name: str
    check: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A path, who may come through it, and what happens then.

    A view gets what the proof found, then the path's variables. There is no way to register a
    view without a proof.
    """

    rule: str
    methods: tuple[str, ...]
    proof: Proof
    view: Callable[..., Any]


class Rest(BaseConverter):
    """All that is left of a path, with slashes and line breaks: ``<rest:name>`` in a rule."""

    regex = r"(?s:.+)"
    part_isolating = False
    weight = 300


@dataclass(frozen=True, slots=True)
class Face:
    """Who stands at a group of doors: path prefixes, routes, and how one is refused."""

    name: str
    prefixes: tuple[str, ...]
    routes: tuple[Route, ...]
    refuse: Callable[[OptOutError, int], Response]


class _Forms(FormDataParser):
    """Forms as werkzeug reads them, without parts that have no name (RFC 7578, 4.2: each has one).

    Such a name would be None, which is no text to whoever reads a form.
    """

    def parse(self, *given: Any, **further: Any) -> Any:
        stream, form, files = super().parse(*given, **further)
        named = [(name, text) for name, text in form.items(multi=True) if name is not None]
        return stream, self.cls(named), files


class Request(flask.Request):
    """A request to any face."""

    form_data_parser_class = _Forms

    @cached_property
    def stream(self) -> Any:
        """The body; one that is not whole is refused while it is read."""
        return incoming.whole(self.environ, self.content_length, self.max_content_length)


def runtime() -> Runtime:
    """The runtime of the application that serves this request."""
    return cast(Runtime, current_app.extensions["optout"])


@dataclass(frozen=True, slots=True)
class Doors:
    """All routes of some faces, each behind its proof: the same for every application."""

    url_map: Map
    views: Mapping[str, Callable[..., Any]]
    proofs: Mapping[str, str]

    @classmethod
    def of(cls, faces: Iterable[Face]) -> Self:
        """The doors of these faces."""
        rules: list[Rule] = []
        views, proofs = {}, {}
        for face in faces:
            for route in face.routes:
                # One view can stand behind several rules: two providers that tell the same things.
                endpoint = f"{face.name} {'/'.join(route.methods)} {route.rule}"
                rules.append(Rule(route.rule, methods=route.methods, endpoint=endpoint))
                views[endpoint], proofs[endpoint] = _guarded(route), route.proof.name
        # A redirect makes a GET of a mail client's POST: the opt-out is lost (RFC 8058, 3.1).
        url_map = Map(
            rules,
            strict_slashes=False,
            redirect_defaults=False,
            merge_slashes=False,
            converters={"rest": Rest},
        )
        return cls(url_map, views, proofs)

    def open(self, app: Flask) -> None:
        """Let an application serve them, and nothing else."""
        app.url_map = self.url_map
        app.view_functions = dict(self.views)
        app.extensions["optout_proofs"] = self.proofs


def _guarded(route: Route) -> Callable[..., Any]:
    prove, view = route.proof.check, route.view

    def behind_its_proof(**variables: Any) -> Any:
        request.environ[envelope.ROUTE] = route.rule
        if (refused := request.environ.get(express.REFUSED)) is not None:
            raise refused
        return view(prove(**variables), **variables)

    return behind_its_proof


def refuse(error: OptOutError) -> tuple[OptOutError, int]:
    """The error as the caller may see it, and its status. Ours is logged; a caller's is his own."""
    status = STATUS[type(error)]
    runtime().metrics.refusal(error.kind)
    if status >= 500:
        _log.error("refused", extra={"kind": error.kind}, exc_info=error)
    return error, status


def as_optout_error(error: Exception) -> OptOutError:
    """Any exception as one of ours. What is not ours says nothing outward but the request's id."""
    if isinstance(error, OptOutError):
        return error
    for kind, (ours, detail) in _FROM_WERKZEUG.items():
        if isinstance(error, kind):
            return ours(detail)
    unread = isinstance(error, ParseException)  # a body in broken chunks (RFC 9112, 7.1)
    if unread or (isinstance(error, exceptions.HTTPException) and (error.code or 500) < 500):
        return errors.Malformed("The request could not be read. Check its path, headers and body.")
    return errors.Internal(
        "Something went wrong on our side, and nothing was answered. Tell us this request's id."
    )


def problem(error: OptOutError, status: int) -> Response:
    """An error for machines: RFC 9457, ``application/problem+json``."""
    response = Response(
        document(error, status, runtime().settings.public_url, request.environ),
        status=status,
        content_type=PROBLEM,
    )
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after"])
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 405:
        # RFC 9110, 15.5.6: a 405 says what there is instead.
        adapter = cast(MapAdapter, current_app.create_url_adapter(request))
        response.headers["Allow"] = ", ".join(sorted(adapter.allowed_methods()))
    return response


def document(error: OptOutError, status: int, public_url: str, environ: Mapping[str, Any]) -> bytes:
    """The body of ``problem``. ``environ``: that of the request."""
    body = {
        "type": f"{public_url}/problems/{error.kind}",
        "title": error.title,
        "status": status,
        "detail": error.detail,
        "kind": error.kind,
        "request_id": environ.get(envelope.REQUEST_ID),
        **error.extra,
    }
    return msgspec.json.encode(body)
