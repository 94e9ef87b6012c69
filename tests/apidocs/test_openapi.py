"""The description says what the API does: a validator and the examples hold it to that."""

from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from optout_service.api import FACE
from optout_service.api.operations import OPERATIONS
from optout_service.api.operations.operation import Media
from optout_service.apidocs import openapi
from optout_service.core.errors import OptOutError
from optout_service.web import STATUS
from tests.api.asking import Asker, path_of

MAY_ADMIN = {"/v1/tenants": False}
ROUTES = {(method, route.rule) for route in FACE.routes for method in route.methods}


def test_it_is_valid_openapi_3_1() -> None:
    document = openapi.document("https://optout.example.com")
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_is_described_and_nothing_else() -> None:
    assert set(OPERATIONS) == ROUTES


def test_it_is_served_to_anybody(client: FlaskClient) -> None:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json == openapi.document("https://optout.example.com")


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_every_example_answer_is_of_the_type_that_is_sent(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    shape = next(iter(operation.answers.values()))
    if shape is not None and not isinstance(shape, Media):
        assert operation.answer is not None, "an example helps more than a schema"
        msgspec.convert(operation.answer, shape)


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize(
    "route", sorted(route for route in OPERATIONS if OPERATIONS[route].example), ids=" ".join
)
def test_every_example_request_is_taken(ask: Asker, route: tuple[str, str]) -> None:
    method, rule = route
    operation, path = OPERATIONS[route], path_of(rule)
    by = "admin" if MAY_ADMIN.get(rule, True) else "platform"
    if isinstance(operation.body, Media):
        answer = ask.client.open(
            path,
            method=method,
            data=operation.example,
            content_type=operation.body.types[0],
            query_string=operation.asked,
            headers=ask.headers(by, {}),
        )
    else:
        answer = ask.send(method, path, operation.example, by=by, query=operation.asked)
    assert answer.status_code in operation.answers, answer.text


def test_every_kind_of_refusal_is_described_with_its_own_status() -> None:
    document = openapi.document("https://optout.example.com")
    for (method, rule), operation in OPERATIONS.items():
        described = document["paths"][openapi.path_of(rule)][method.lower()]
        kinds: tuple[type[OptOutError], ...] = operation.refuses
        for kind in kinds:
            told = described["responses"][str(STATUS[kind])]["description"]
            assert f"`{kind.kind}`" in told, (method, rule)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"channel": "pigeon", "address": "jo@example.com"}, "unknown-channel"),
        ({"channel": "email", "address": "jo@example.com", "topic": "NO"}, "unknown-topic"),
        ({"channel": "email", "address": 1}, "invalid-request"),
    ],
)
def test_what_the_schema_forbids_is_refused(ask: Asker, body: Any, kind: str) -> None:
    answer = ask.post("/v1/check", body, by="sender")
    assert (answer.status_code, answer.json["kind"]) == (422, kind)
