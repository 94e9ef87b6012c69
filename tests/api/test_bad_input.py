"""What cannot be read is refused, and nothing of it is repeated."""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from optout_service.api.bodies import (
    checkpoints,
    checks,
    clearances,
    counts,
    links,
    reading,
    recipients,
    recording,
)
from tests.api.asking import MAIL, Asker, path_of
from tests.api.test_auth import BODIES, METHOD_OF, ROUTES, SET_UP, send

CANARY = "wrong.place.8f3a@leak.example"
CANARY_PHONE = "14155550188"
POSTS = sorted(BODIES)
# Whoever decides a review is told the reason that they gave.
TELLS_NOTHING_BACK = [path for path in POSTS if "reason" not in BODIES[path]]

pytestmark = pytest.mark.usefixtures("queue")


def raw(
    ask: Asker,
    path: str,
    body: bytes,
    content_type: str | None = "application/json",
    **more: str,
) -> Any:
    headers = ask.headers("admin", more)
    return ask.client.open(
        path, method=METHOD_OF[path], data=body, content_type=content_type, headers=headers
    )


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_no_json_is_malformed(ask: Asker, path: str) -> None:
    utf16 = "{}".encode("utf-16")
    for body in (b"", b"{", b"nothing", b"\xef\xbb\xbf{}", utf16, b"{'address': 1}"):
        answer = raw(ask, path, body)
        assert (answer.status_code, answer.json["kind"]) == (400, "malformed"), body


def test_a_text_that_is_no_text_is_malformed(ask: Asker) -> None:
    for text in (b"\xff", b"\\ud800", b"\\x", b"a\nb"):
        answer = raw(ask, "/v1/check", b'{"channel": "email", "address": "%s"}' % text)
        assert (answer.status_code, answer.json["kind"]) == (400, "malformed"), text


@pytest.mark.parametrize("path", POSTS)
def test_json_of_another_shape_does_not_fit(ask: Asker, path: str) -> None:
    for body in (b"[]", b"null", b'"text"', b"{}", b"1e999", b"[" * 100_000):
        answer = raw(ask, path, body)
        assert (answer.status_code, answer.json["kind"]) == (422, "invalid-request"), body[:9]


@pytest.mark.parametrize("path", POSTS)
def test_a_body_of_another_media_type_is_not_read(ask: Asker, path: str) -> None:
    body = json.dumps(BODIES[path]).encode()
    form = "application/x-www-form-urlencoded"
    for media_type in (None, "text/plain", form, "text/json", "nonsense"):
        answer = raw(ask, path, body, media_type)
        assert (answer.status_code, answer.json["kind"]) == (
            415,
            "unsupported-media-type",
        )


def test_json_is_read_however_its_media_type_is_written(ask: Asker) -> None:
    body = json.dumps(BODIES["/v1/check"]).encode()
    for media_type in ("application/json; charset=utf-8", "Application/JSON"):
        assert raw(ask, "/v1/check", body, media_type).status_code == 200


def test_no_body_and_no_media_type_is_an_empty_body(ask: Asker) -> None:
    assert raw(ask, "/v1/check", b"", None).status_code == 400


def test_a_compressed_body_is_not_read(ask: Asker) -> None:
    packed = gzip.compress(json.dumps(BODIES["/v1/check"]).encode())
    answer = raw(ask, "/v1/check", packed, Content_Encoding="gzip")
    assert answer.status_code == 415


@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_the_limit_is_too_large(ask_with: Callable[..., Asker], path: str) -> None:
    ask = ask_with(max_body_bytes=400)
    body = json.dumps(BODIES[path]).encode()
    assert raw(ask, path, body + b" " * (400 - len(body))).status_code in (200, 201)
    over = raw(ask, path, body + b" " * (401 - len(body)))
    assert (over.status_code, over.json["kind"]) == (413, "too-large")


@pytest.mark.parametrize("path", POSTS)
def test_an_unknown_field_is_refused_and_the_known_ones_are_named(ask: Asker, path: str) -> None:
    answer = ask.send(METHOD_OF[path], path, BODIES[path] | {CANARY: 1})
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-request")
    assert all(field in answer.json["detail"] for field in BODIES[path])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/check", "channel"),
        ("/v1/check", "address"),
        ("/v1/check/batch", "addresses"),
        ("/v1/opt-outs", "address"),
        ("/v1/opt-ins", "reference"),
        ("/v1/opt-ins", "statement"),
        ("/v1/links", "address"),
        ("/v1/links/batch", "links"),
    ],
)
def test_a_field_that_is_missing_or_of_another_type_is_named(
    ask: Asker, path: str, field: str
) -> None:
    without = {name: value for name, value in BODIES[path].items() if name != field}
    for body in (without, without | {field: {"a": 1}}, without | {field: 7}):
        answer = ask.post(path, body, by="admin")
        assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_fault_inside_a_list_is_named_by_its_place(ask: Asker) -> None:
    for path, body, field in (
        (
            "/v1/check/batch",
            {"channel": "email", "addresses": [MAIL, 7]},
            "addresses[1]",
        ),
        ("/v1/links/batch", {"links": [{"address": MAIL}, {}]}, "links[1].address"),
        ("/v1/links/batch", {"links": [{"address": MAIL, CANARY: 1}]}, "links[0]"),
    ):
        answer = ask.post(path, body, by="admin")
        assert (answer.status_code, answer.json["field"]) == (422, field)


def test_a_refusal_says_what_would_fit(ask: Asker) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"channel": 1}, "Expected string."),
        ({"reason": "bored"}, "opted_out, complaint, bounced, blocked, reassigned, legal"),
        ({"occurred_at": "noon"}, "2026-01-31T12:00:00Z"),
        ({"reference": "x" * 201}, "Expected string of length <= 200."),
        ({"reference": " "}, "not blank"),
        ({CANARY: 1}, "channel, address, topic, purpose, reason, occurred_at"),
    ]
    for change, says in refused:
        answer = ask.post("/v1/opt-outs", BODIES["/v1/opt-outs"] | change)
        assert answer.status_code == 422
        assert says in answer.json["detail"]


def misplaced(path: str) -> Iterator[dict[str, Any]]:
    """Bodies with an address where none belongs, or where it cannot be one."""
    good = BODIES[path]
    for field in {"channel", "topic", "purpose", "reason", "occurred_at", *good}:
        yield good | {field: CANARY if field != "address" else CANARY.replace("@", " at ")}
        yield good | {field: {CANARY: 1}}
        yield good | {field: [CANARY, 1]}
        if field not in ("address", "reference", "statement"):
            yield good | {field: f"+{CANARY_PHONE}"}
            yield good | {field: CANARY_PHONE}
    yield good | {CANARY: 1}
    # msgspec quotes the name; these try to pass theirs off as the place of the fault.
    yield good | {f"{CANARY}` - at `$.address": 1}
    yield good | {f"{CANARY_PHONE}` - at `$.{CANARY_PHONE}": 1}
    yield good | {f"{CANARY_PHONE}` - at `$[{CANARY_PHONE}]": 1}


@pytest.mark.parametrize("path", sorted(set(TELLS_NOTHING_BACK) - SET_UP))
def test_an_address_in_the_wrong_place_comes_back_nowhere(
    ask: Asker,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    path: str,
) -> None:
    caplog.set_level(0)
    for body in misplaced(path):
        answer = ask.send(METHOD_OF[path], path, body)
        told = "".join((answer.text, str(answer.headers), caplog.text, *capfd.readouterr()))
        if answer.status_code != 422:
            # Any text is a good reference or statement, and a number of digits a topic.
            free = (body.get("reference"), body.get("statement"))
            held = path == "/v1/clearances/verify" and body.get("topic") == CANARY_PHONE
            assert CANARY in free or held, body
        for part in ("wrong.place", "leak.example", CANARY_PHONE):
            assert part not in told, body


def test_a_fields_name_cannot_pass_for_its_place(ask: Asker) -> None:
    answer = ask.post("/v1/check", BODIES["/v1/check"] | {"x` - at `$.somebody": 1}, by="admin")
    assert answer.status_code == 422
    assert "somebody" not in answer.text


@pytest.mark.parametrize(
    "link",
    [{CANARY: 1}, {"address": "x", "topic": CANARY}, {"address": CANARY, "topic": "x"}],
)
def test_an_address_in_a_bad_batch_of_links_comes_back_nowhere(
    ask: Asker, link: dict[str, Any]
) -> None:
    answer = ask.post("/v1/links/batch", {"links": [link]}, by="admin")
    assert answer.status_code == 422
    assert "wrong.place" not in answer.text


@pytest.mark.parametrize(
    ("name", "status"),
    [("Optout_Tenant", 404), ("Authorization", 401), ("Idempotency_Key", 422)],
)
def test_an_address_in_a_header_comes_back_nowhere(ask: Asker, name: str, status: int) -> None:
    answer = ask.post("/v1/opt-outs", BODIES["/v1/opt-outs"], **{name: f"{CANARY} "})
    assert answer.status_code == status
    assert "wrong.place" not in answer.text


@pytest.mark.parametrize("path", ["/v1/events", "/v1/suppressions", "/v1/stats", "/v1/checkpoints"])
def test_an_address_in_a_query_comes_back_nowhere(
    ask: Asker, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(0)
    for query in (
        {CANARY: "1"},
        {"limit": CANARY},
        {"cursor": CANARY},
        {"topic": CANARY},
        {"x": CANARY},
        {CANARY: ["1", "2"]},
    ):
        answer = ask.get(path, query=query, by="admin")
        assert answer.status_code in (400, 422)
        assert "wrong.place" not in answer.text + caplog.text, query


def test_a_good_request_leaves_no_address_in_the_log(
    ask: Asker, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    for path, body in BODIES.items():
        swapped = json.loads(json.dumps(body).replace(MAIL, CANARY))
        assert ask.send(METHOD_OF[path], path, swapped).status_code in (200, 201)
    assert "wrong.place" not in "".join((caplog.text, *capfd.readouterr()))


def test_another_method_is_refused(ask: Asker) -> None:
    for rule in {rule for _, rule in ROUTES}:
        taken = {method for method, other in ROUTES if other == rule}
        for other in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - taken:
            answer = ask.client.open(path_of(rule), method=other, headers=ask.headers("admin", {}))
            assert (answer.status_code, answer.json["kind"]) == (405, "method-not-allowed")


def test_a_path_that_is_none_is_a_problem_in_json(ask: Asker) -> None:
    for path in ("/v1/", "/v1/nothing", "/v1/check/x", "/v1//check"):
        answer = ask.post(path, {})
        assert answer.status_code == 404, path
        assert answer.content_type == "application/problem+json"
        assert answer.json["type"].endswith("/problems/not-found")


def test_each_refusal_carries_the_requests_id(ask: Asker) -> None:
    answer = send(ask, "POST", "/v1/check", None)
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "request_type",
    [
        checks.CheckRequest,
        checks.BatchRequest,
        recording.OptOutRequest,
        recording.OptInRequest,
        links.LinkRequest,
        links.LinkBatchRequest,
        reading.EventsQuery,
        reading.SuppressionsQuery,
        recipients.LookupRequest,
        recipients.EvidenceRequest,
        clearances.ClearanceRequest,
        counts.StatsQuery,
        checkpoints.CheckpointsQuery,
    ],
)
def test_no_request_ignores_a_field_it_does_not_know(
    request_type: type[msgspec.Struct],
) -> None:
    assert request_type.__struct_config__.forbid_unknown_fields
    assert request_type.__struct_config__.frozen


def test_null_is_no_text(ask: Asker) -> None:
    answer = ask.post("/v1/opt-ins", BODIES["/v1/opt-ins"] | {"statement": None}, by="admin")
    assert (answer.status_code, answer.json["field"]) == (422, "statement")
