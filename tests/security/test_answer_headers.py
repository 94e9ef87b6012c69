"""The headers of every answer: of every path, method and refusal there is."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from optout_service.runtime import Runtime
from tests.api.asking import Asker
from tests.api.test_auth import BODIES
from tests.faults.figures import Size
from tests.security.matrix import Matrix
from tests.stage import Cast

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
"""Written out: what goes from every answer, goes from here by a person's hand."""

TYPES = {
    "",
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "image/png",
    "text/css; charset=utf-8",
    "text/csv; charset=utf-8; header=present",
    "text/html; charset=utf-8",
    "text/javascript; charset=utf-8",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/xml; charset=utf-8",
}
"""JSON is UTF-8 and has no charset (RFC 8259, 8.1 and 11); a text says which it has, but
for a scrubbed list, which is what it was sent as.
"""
NEVER = ("set-cookie", "access-control-", "location", "refresh", "server", "x-powered-by", "link")
"""No cookie, no other origin, no way elsewhere, no word of what we run on."""
WITH = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
"""RFC 9110, 15.5.2 and 15.5.6; RFC 6585, 4."""


def faults(answer: TestResponse) -> Iterator[str]:
    """What is wrong with the headers of an answer."""
    for name, value in ALWAYS.items():
        if answer.headers.getlist(name) != [value]:
            yield f"{name}: {answer.headers.getlist(name)}"
    policies = answer.headers.getlist("Content-Security-Policy")
    wanted = ("default-src 'none'", "frame-ancestors 'none'")
    if len(policies) != 1 or not all(part in policies[0] for part in wanted):
        yield f"policy: {policies}"
    if not re.fullmatch(r"[0-9a-f]{16}", answer.headers.get("X-Request-Id", "")):
        yield "no request id"
    yield from (name for name, _ in answer.headers if name.lower().startswith(NEVER))
    if answer.content_type not in TYPES and (answer.data or answer.content_type):
        yield f"type: {answer.content_type}"
    if (name := WITH.get(answer.status_code)) and not answer.headers.get(name):
        yield f"{answer.status_code} without {name}"
    if 300 <= answer.status_code < 400:
        yield f"a redirect: {answer.status_code}"


def test_every_answer_to_everybody_has_them(rt: Runtime, cast: Cast) -> None:
    matrix = Matrix(rt, cast)
    callers = ("nothing", "acme's sender", "acme's admin")
    told, seen = {}, set()
    for cell in matrix.cells(Size.BOUNDED):
        if cell.caller.name in callers:
            answer = matrix.answer(cell)
            seen.add(answer.status_code)
            if found := list(faults(answer)):
                told[str(cell)] = found
    assert not told
    assert seen >= {200, 201, 204, 401, 403, 405}


def test_a_405_says_what_there_is(ask: Asker) -> None:
    for path, allowed in (
        ("/v1/check", {"POST"}),
        ("/v1/topics", {"GET", "HEAD", "POST"}),
        ("/healthz", {"GET", "HEAD"}),
        ("/hooks/twilio/messages", {"POST"}),
        ("/docs", {"GET", "HEAD"}),
    ):
        answer = ask.client.open(path, method="TRACE", headers=ask.headers("admin", {}))
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == allowed, path


def test_a_refusal_of_any_other_kind_has_them_too(rt: Runtime, ask: Asker) -> None:
    big = b" " * (rt.settings.max_body_bytes + 1)
    admin = ask.headers("admin", {})
    answers = [
        ask.client.get("/nowhere"),
        ask.client.get("/v1/nowhere"),
        ask.client.get("/u/nobodys-token"),
        ask.client.post("/v1/check", data=big, content_type="application/json", headers=admin),
        ask.client.post("/hooks/twilio/messages", data=big),
        ask.client.post("/u/x", data=big, content_type="application/x-www-form-urlencoded"),
        ask.client.get("/v1/suppressions/export?format=csv", headers=admin),
        ask.client.get("/v1/suppressions/export?format=ndjson", headers=admin),
        ask.client.post("/v1/scrub?channel=email", data=b"x", content_type="text/csv"),
    ]
    with rt.writing() as connection:
        connection.execute(text("ALTER TABLE suppression RENAME TO away"))
    answers.append(ask.post("/v1/check", BODIES["/v1/check"], by="admin"))
    assert answers[-1].status_code == 503
    for answer in answers:
        assert list(faults(answer)) == [], answer.request.path


def test_no_answer_tells_how_it_came_to_fail(
    rt: Runtime, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        secret = "owned by whoever reads a traceback"
        raise RuntimeError(f"{secret} in /etc/optout")

    monkeypatch.setattr(Runtime, "reading", broken)
    for path in ("/v1/topics", "/readyz", "/u/-/request"):
        answer = ask.get(path, by="admin")
        assert list(faults(answer)) == [], path
        for word in ("owned", "Traceback", "RuntimeError", "File ", "/etc", "runtime.py"):
            assert word not in answer.text
