"""Whatever stands where a text belongs: a clear answer, never a fault of ours, never an echo."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, inspect
from werkzeug.test import TestResponse

from optout_service import telemetry
from optout_service.api.operations import OPERATIONS
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store.metadata import metadata
from tests.api.asking import Asker, path_of
from tests.api.test_auth import BODIES, OTHERS
from tests.providers.security import PLAYERS
from tests.providers.test_security import Hook
from tests.security import hostile
from tests.security.hostile import MARK
from tests.stage import Cast
from tests.store.acts import MAIL

DOORS = sorted(OPERATIONS)
FEW = (*hostile.ONE_OF_EACH, *hostile.STATEMENTS[1:3], *hostile.CHARACTERS[1:3])
sqlite = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture(autouse=True)
def watched(rt: Runtime) -> Iterator[None]:
    """Nothing of it becomes a statement, a line of its own, or the end of a table."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.formatter())
    logging.getLogger().addHandler(handler)
    with statements() as made:
        yield
    logging.getLogger().removeHandler(handler)
    assert [one for one in made if MARK in one] == []
    for line in stream.getvalue().splitlines():
        assert "forged" not in (found := json.loads(line)).get("event", ""), found
    with rt.reading() as connection:
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())


@contextmanager
def statements() -> Iterator[set[str]]:
    made: set[str] = set()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        made.add(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def refused_well(answer: TestResponse, what: object) -> None:
    """Taken, or refused clearly and without a word of it."""
    assert answer.status_code < 500, what
    assert MARK not in str(answer.headers).lower(), what
    if answer.status_code >= 400:
        assert MARK not in answer.text.lower(), what


def bodies(method: str, rule: str) -> tuple[dict[str, Any], list[str]]:
    """A good body of a route, and the names of all fields that it can have."""
    shape = OPERATIONS[method, rule].body
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return {}, []
    good = BODIES.get(path_of(rule)) or OTHERS.get(path_of(rule)) or {}
    return good, list(shape.__struct_encode_fields__)


def texts(dialect: str) -> tuple[str, ...]:
    """Some of each; on the second database those that a database may stumble over."""
    if dialect == "sqlite":
        return FEW
    return hostile.STATEMENTS[0], hostile.CHARACTERS[0], hostile.CHARACTERS[4], hostile.HEADERS[2]


def test_no_field_of_any_body_takes_a_text_for_something_else(dialect: str, ask: Asker) -> None:
    for method, rule in DOORS:
        good, names = bodies(method, rule)
        for name in names:
            for text in texts(dialect):
                answer = ask.send(method, path_of(rule), good | {name: text}, by="admin")
                refused_well(answer, (method, rule, name, text))


def test_no_query_takes_a_text_for_something_else(dialect: str, ask: Asker) -> None:
    for method, rule in DOORS:
        shape = OPERATIONS[method, rule].query
        for name in () if shape is None else shape.__struct_encode_fields__:
            for text in texts(dialect):
                query = dict(OPERATIONS[method, rule].asked) | {name: text}
                answer = ask.send(method, path_of(rule), by="admin", query=query)
                refused_well(answer, (method, rule, name, text))


def test_no_path_takes_a_text_for_something_else(dialect: str, ask: Asker) -> None:
    for method, rule in [door for door in DOORS if "<" in door[1]] + [("GET", "/docs/<name>")]:
        parts = rule.split("/")
        for place, part in enumerate(parts):
            if part.startswith("<"):
                for text in texts(dialect):
                    named = [*parts[:place], quote(text, safe=""), *parts[place + 1 :]]
                    for by in ("admin", "platform"):
                        answer = ask.send(method, path_of("/".join(named)), {}, by=by)
                        assert answer.status_code >= 400, (method, rule, text)
                        refused_well(answer, (method, rule, text))


@sqlite
def test_no_body_is_read_as_something_that_it_is_not(ask: Asker) -> None:
    for method, rule in DOORS:
        if bodies(method, rule)[1]:
            for what, body in hostile.JSON.items():
                answer = ask.client.open(
                    path_of(rule),
                    method=method,
                    data=body,
                    content_type="application/json",
                    headers=ask.headers("admin", {}),
                )
                refused_well(answer, (method, rule, what))


@sqlite
def test_no_body_of_a_hook_is_read_as_something_that_it_is_not(
    app: Flask, client: FlaskClient
) -> None:
    hooks = [one.rule for one in app.url_map.iter_rules() if one.rule.startswith("/hooks/")]
    for path in hooks:
        for what, body in hostile.JSON.items():
            for media in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
                # What a JSON document holds, and an envelope that names an account, are read first.
                for given in (body, b'{"Message": %b, "data": %b}' % (body, body)):
                    answer = client.post(path, data=given, content_type=media)
                    refused_well(answer, (path, what, media))


HEADERS = (
    *("Authorization", "Optout-Tenant", "Idempotency-Key", "Content-Type", "Content-Encoding"),
    *("Accept", "Accept-Language", "Accept-Encoding", "User-Agent", "Referer", "Cookie", "Host"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-HTTP-Method-Override", "Range", "If-None-Match"),
    *("Origin", "Content-Length", "Expect", "X-Twilio-Signature", "X-Request-Id", "Sec-GPC"),
    *("Optout-Mail-Secret", "telnyx-signature-ed25519", "telnyx-timestamp", "X-Amz-Sns-Topic-Arn"),
)


TELLING = (hostile.STATEMENTS[0], hostile.LINES[2], hostile.MARKUP[0], *hostile.CHARACTERS[:2])


@sqlite
def test_no_header_takes_a_text_for_something_else(rt: Runtime, cast: Cast, ask: Asker) -> None:
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"
    doors = [("POST", "/v1/opt-outs"), ("GET", "/v1/events"), ("GET", link), ("POST", link)]
    doors += [("POST", f"/hooks/{name}/messages") for name in PLAYERS]
    for method, path in (*doors, ("POST", "/hooks/mail/inbound"), ("POST", "/v1/scrub")):
        for name in HEADERS:
            for text in TELLING:
                shown = ask.headers("admin", {}) | {name: hostile.as_header(text)}
                data = json.dumps(BODIES["/v1/opt-outs"]) if method == "POST" else None
                kind = {} if name == "Content-Type" else {"content_type": "application/json"}
                answer = ask.client.open(path, method=method, headers=shown, data=data, **kind)
                refused_well(answer, (method, path, name, text))


@sqlite
def test_no_field_of_a_recipients_form_takes_a_text_for_something_else(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"
    for path, fields in (
        (link, {"action": "choose", "stop": "topic:offers", "again": "", "offer": "", "lang": ""}),
        (link, {"action": "return", "offer": "", "again": "topic:offers"}),
        (link, {"List-Unsubscribe": "Two-Clicks"}),
        ("/u/-/request", {"address": MAIL.value, "text": "", "link": "", "lang": ""}),
    ):
        for name in fields:
            for text in FEW:
                answer = client.post(path, data=fields | {name: text})
                refused_well(answer, (path, name, text))
                assert MARK not in answer.text, (path, name, text)
                looked = client.get(path, query_string=fields | {name: text})
                assert (looked.status_code, MARK in looked.text) == (200, False), (name, text)
    for text in hostile.ALL:
        damaged = client.get(f"/u/{quote(text, safe='')}")
        assert (damaged.status_code, MARK in damaged.text) == (404, False), text


@sqlite
@pytest.mark.parametrize("name", PLAYERS)
def test_no_field_of_a_signed_hook_takes_a_text_for_something_else(
    rt: Runtime, cast: Cast, name: str
) -> None:
    hook = Hook(rt, cast, PLAYERS[name]())
    for number, body in enumerate(signed_bodies(hook)):
        answer = hook.signed(body).post(hook.client)
        refused_well(answer, body[:2000])
        assert answer.status_code in (200, 400, 403), (number, body[:2000])
        assert MARK not in answer.text


def signed_bodies(hook: Hook) -> Iterator[bytes]:
    """What the provider posts, with each of its texts replaced in turn; each is signed."""
    for number, text in enumerate((*hostile.ONE_OF_EACH, *hostile.CHARACTERS)):
        whole = hook.made(message=f"m-{number}").body
        if hook.player.name == "twilio":
            fields = dict(parse_qsl(whole.decode(), keep_blank_values=True))
            yield from (urlencode(fields | {one: text}).encode() for one in fields)
        else:
            for document in hostile.leaves(json.loads(whole), text):
                yield json.dumps(document).encode()
