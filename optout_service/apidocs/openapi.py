"""The OpenAPI 3.1 document: of the routes, their views' docstrings, and the types that validate.

https://spec.openapis.org/oas/v3.1.1
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from optout_service import __version__
from optout_service.api import FACE
from optout_service.api.auth import TENANT_HEADER
from optout_service.api.bodies.parts import Problem
from optout_service.api.operations import OPERATIONS
from optout_service.api.operations.operation import (
    ANY_BODY,
    ANY_QUERY,
    ANY_ROUTE,
    Media,
    Operation,
)
from optout_service.core.errors import OptOutError
from optout_service.envelope import RETRY_AFTER_SECONDS
from optout_service.web import STATUS, Route

_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_VARIABLE: Final = re.compile(r"<(?:(?P<type>\w+):)?(?P<name>\w+)>")
_TENANT: Final = {
    "name": TENANT_HEADER,
    "in": "header",
    "required": False,
    "description": "The tenant's slug; for platform keys, which belong to none.",
    "schema": {"type": "string"},
}


@cache
def encoded(base_url: str) -> bytes:
    """The document as JSON, for a service that is reached at ``base_url``."""
    return msgspec.json.encode(document(base_url))


def document(base_url: str) -> dict[str, Any]:
    """The whole document."""
    shapes = sorted(_shapes(), key=lambda shape: shape.__name__)
    _, schemas = msgspec.json.schema_components(shapes, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in FACE.routes:
        path = path_of(route.rule)
        for method in route.methods:
            operation = OPERATIONS[method, route.rule]
            paths.setdefault(path, {})[method.lower()] = _operation(method, route, operation)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Opt-out service",
            "version": __version__,
            "summary": "Ask before every send; record every stop.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(o.tag for o in OPERATIONS.values())],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def path_of(rule: str) -> str:
    """A route's rule as a path template: ``/v1/reviews/{number}``."""
    return _VARIABLE.sub(r"{\g<name>}", rule)


def _shapes() -> Iterable[type[Struct]]:
    shapes: set[type[Struct]] = {Problem}
    for operation in OPERATIONS.values():
        for shape in (operation.body, *operation.answers.values()):
            if shape is not None and not isinstance(shape, Media):
                shapes.add(shape)
    return shapes


def _operation(method: str, route: Route, operation: Operation) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(route.view) or "").partition("\n")
    name = route.view.__name__
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": f"{rest.strip()}\n\nProof: {route.proof.name}.".strip(),
        "parameters": [*_path(route.rule, operation), *_query(operation), *_headers(operation)],
        "responses": _answers(operation) | _refusals(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": _content(operation.body, operation.example),
        }
    return described


def _path(rule: str, operation: Operation) -> list[dict[str, Any]]:
    described = []
    for found in _VARIABLE.finditer(rule):
        name = found["name"]
        schema = {"type": "integer", "minimum": 0} if found["type"] else {"type": "string"}
        one = {"name": name, "in": "path", "required": True, "schema": schema}
        if name in operation.path:
            one["example"] = operation.path[name]
        described.append(one)
    return described


def _query(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = _schema(operation.query)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _without_null(part),
        }
        for name, part in schema["properties"].items()
    ]


def _schema(shape: type[Struct]) -> dict[str, Any]:
    """A shape's schema, with what it refers to written out: parameters have no components."""
    _, found = msgspec.json.schema_components([shape], ref_template=_REF)

    def written_out(part: Any) -> Any:
        if isinstance(part, list):
            return [written_out(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return written_out(found[part["$ref"].rpartition("/")[2]])
        return {name: written_out(one) for name, one in part.items()}

    whole: dict[str, Any] = written_out(found[shape.__name__])
    return whole


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An optional parameter is left out, not null."""
    others = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    rest = {name: part for name, part in schema.items() if name != "anyOf"}
    if rest.get("default", 0) is None:
        del rest["default"]
    return rest | others[0] if len(others) == 1 else dict(schema)


def _headers(operation: Operation) -> list[dict[str, Any]]:
    own = [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, text in operation.headers.items()
    ]
    return [*own, _TENANT]


def _answers(operation: Operation) -> dict[str, Any]:
    ordinary = next(iter(operation.answers))
    described: dict[str, Any] = {}
    for status, shape in operation.answers.items():
        if shape is None:
            described[str(status)] = {"description": "Done; there is no body."}
            continue
        text = shape.description if isinstance(shape, Media) else _first_line(shape)
        content = _content(shape, operation.answer if status == ordinary else None)
        described[str(status)] = {"description": text, "content": content}
    return described


def _content(shape: type[Struct] | Media, example: Any) -> dict[str, Any]:
    if isinstance(shape, Media):
        # Of JSON that is described in words nothing is said but that it is JSON.
        described: dict[str, Any] = {} if _JSON in shape.types else {"type": "string"}
        shown: dict[str, Any] = {"schema": described}
        content = dict.fromkeys(shape.types, shown)
    else:
        shown = {"schema": {"$ref": _REF.format(name=shape.__name__)}}
        content = {_JSON: shown}
    if example is not None:
        shown["example"] = example
    return content


def _refusals(operation: Operation) -> dict[str, Any]:
    kinds = dict.fromkeys((*operation.refuses, *ANY_ROUTE))
    if operation.query is not None:
        kinds |= dict.fromkeys(ANY_QUERY)
    if operation.body is not None:
        kinds |= dict.fromkeys(ANY_BODY)
    by_status: dict[int, list[type[OptOutError]]] = {}
    for kind in kinds:
        by_status.setdefault(STATUS[kind], []).append(kind)
    return {str(status): _refusal(status, by_status[status]) for status in sorted(by_status)}


def _refusal(status: int, kinds: list[type[OptOutError]]) -> dict[str, Any]:
    first = kinds[0]
    refusal: dict[str, Any] = {
        "description": "\n".join(f"`{kind.kind}`: {_first_line(kind)}" for kind in kinds),
        "content": {
            _PROBLEM: {
                "schema": {"$ref": _REF.format(name=Problem.__name__)},
                "example": {
                    "type": f"https://optout.example.com/problems/{first.kind}",
                    "title": first.title,
                    "status": status,
                    "detail": "What is wrong this time, and what to do.",
                    "kind": first.kind,
                    "request_id": "2fa70b047d000003",
                },
            }
        },
    }
    if status in (429, 503):
        refusal["headers"] = {
            "Retry-After": {
                "description": "Seconds to wait.",
                "schema": {"type": "integer"},
                "example": int(RETRY_AFTER_SECONDS),
            }
        }
    return refusal


def _first_line(documented: type) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]
