"""Twilio's proof at the door: what ``test_security`` asks of every provider is not asked again."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterator
from itertools import product
from urllib.parse import quote_plus, urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from optout_service.providers import twilio
from optout_service.providers.hooks import MOST_FIELDS
from optout_service.runtime import Runtime
from optout_service.store import senders
from tests import stage
from tests.cast import ANA
from tests.providers.playing import Post, events, fields, share_account, suppressed
from tests.stage import Cast

HOOKS = ["messages", "status", "events"]
BODIES = {"messages": "stop_long_code", "status": "status_undelivered", "events": "stop_long_code"}
FORM = "application/x-www-form-urlencoded"


class Lines(logging.Handler):
    """What the hooks say in the log."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def said(self, message: str) -> list[logging.LogRecord]:
        return [record for record in self.records if record.getMessage() == message]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logger = logging.getLogger("optout_service.providers.hooks")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def post_raw(
    client: FlaskClient, body: bytes, form: dict[str, str], *, content_type: str = FORM
) -> TestResponse:
    """Post bytes under the signature of what a parser would make of them."""
    url = f"{stage.PUBLIC_URL}/hooks/twilio/messages"
    signature = twilio.sign(stage.TOKEN, url, form)
    return client.post(
        "/hooks/twilio/messages",
        data=body,
        content_type=content_type,
        headers={"X-Twilio-Signature": signature},
    )


REFUSED: list[dict[str, str]] = [
    {"token": "54321"},
    {"token": ""},
    {"AccountSid": "AC00000000000000000000000000000009"},
    {"AccountSid": ""},
]


def test_what_is_not_signed_for_its_account_is_refused(rt: Runtime, post: Post) -> None:
    for hook, change in product(HOOKS, REFUSED):
        answer = post(BODIES[hook], hook=hook, **change)
        assert (answer.status_code, answer.data) == (403, b""), (hook, change)
        assert answer.mimetype == "text/xml"
    assert events(rt) == 0


def test_what_is_not_signed_at_all_is_refused(rt: Runtime, client: FlaskClient) -> None:
    for hook in HOOKS:
        path, form = f"/hooks/twilio/{hook}", fields("stop_long_code")
        for body in (form, {}, "junk"):
            assert client.post(path, data=body).status_code == 403
        assert client.post(path, json={"Body": "STOP"}).status_code == 403
        multipart = client.post(path, data=form, content_type="multipart/form-data")
        assert multipart.status_code == 403
        assert client.get(path).status_code == 405
    assert events(rt) == 0


def test_a_field_beside_the_signed_ones_is_refused(rt: Runtime, client: FlaskClient) -> None:
    form = fields("stop_long_code")
    for extra in ("OptOutType=STOP", "Body=START", "X="):
        body = f"{urlencode(form)}&{extra}".encode()
        assert post_raw(client, body, form).status_code == 403
    assert events(rt) == 0


def test_a_part_without_a_name_proves_nothing_and_is_no_fault_of_ours(
    rt: Runtime, client: FlaskClient
) -> None:
    account = f"Content-Disposition: form-data; name=AccountSid\r\n\r\n{stage.ACCOUNT}"
    body = f"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b\r\n{account}\r\n--b--\r\n"
    answer = client.post(
        "/hooks/twilio/messages",
        data=body,
        content_type="multipart/form-data; boundary=b",
        headers={"X-Twilio-Signature": "x" * 28},
    )
    assert answer.status_code == 403
    assert events(rt) == 0


def test_new_fields_of_any_name_are_taken_when_they_are_signed(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    post("stop_long_code", **{"ChannelMetadata": "{}", "Neu€": "&=+%", "Empty": ""})
    assert suppressed(rt, cast.acme)


def test_a_refused_hook_leaves_a_line_for_an_alert(lines: Lines, post: Post) -> None:
    post("stop_long_code", token="54321")
    post("stop_long_code", AccountSid=ANA.phone)
    known = [record.__dict__["account_known"] for record in lines.said("a hook was refused")]
    assert known == [True, False]


def test_a_sub_accounts_own_token_signs_for_it_and_its_parents_does_not(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    sub = "AC000000000000000000000000000000aa"
    with rt.writing() as connection:
        senders.put_account(connection, cast.acme, "twilio", sub, "sub-token", keys=rt.keys)
    assert post("stop_long_code", AccountSid=sub).status_code == 403
    assert post("stop_long_code", AccountSid=sub, token="sub-token").status_code == 200
    assert suppressed(rt, cast.acme)


def test_the_query_is_signed_as_it_came(rt: Runtime, cast: Cast, post: Post) -> None:
    assert post("stop_long_code", query="?brand=acme%27s&x=%7E%2F%C3%A9").status_code == 200
    assert suppressed(rt, cast.acme)


def test_a_proxy_that_changes_the_host_and_the_scheme_changes_nothing(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    form = fields("stop_long_code")
    url = f"{stage.PUBLIC_URL}/hooks/twilio/messages"
    answer = client.post(
        "/hooks/twilio/messages",
        base_url="http://10.0.0.7:8000",
        data=form,
        headers={
            "X-Twilio-Signature": twilio.sign(stage.TOKEN, url, form),
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "http",
        },
    )
    assert answer.status_code == 200
    assert suppressed(rt, cast.acme)


def test_a_proxy_that_changes_the_query_breaks_the_signature(client: FlaskClient) -> None:
    form = fields("stop_long_code")
    path = "/hooks/twilio/messages"
    signature = twilio.sign(stage.TOKEN, f"{stage.PUBLIC_URL}{path}?a=1&b=2", form)
    headers = {"X-Twilio-Signature": signature}
    for query in ("?b=2&a=1", "?a=1&b=2&c", "?a=%201&b=2", ""):
        assert client.post(f"{path}{query}", data=form, headers=headers).status_code == 403
    assert client.post(f"{path}?a=1&b=2", data=form, headers=headers).status_code == 200


def test_a_trailing_slash_is_no_redirect_that_would_lose_the_form(post: Post) -> None:
    assert post("stop_long_code", hook="messages/").status_code == 200


def test_as_many_fields_as_the_limit_are_taken(rt: Runtime, cast: Cast, post: Post) -> None:
    extra = MOST_FIELDS - len(fields("stop_long_code"))
    post("stop_long_code", **{f"F{number}": "" for number in range(extra)})
    assert suppressed(rt, cast.acme)


def test_a_form_that_is_not_utf_8_is_refused(rt: Runtime, client: FlaskClient) -> None:
    form = fields("stop_long_code", Body="STOP \ufffd")
    whole = urlencode(form)
    for broken in ("STOP+%FF", "STOP+%C3", "STOP+\xff"):
        body = whole.replace(quote_plus("STOP \ufffd"), broken).encode("latin-1")
        assert post_raw(client, body, form).status_code == 400
    assert post_raw(client, whole.encode(), form).status_code == 200


def test_a_signature_of_the_newer_scheme_is_taken(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    form = fields("stop_long_code")
    url = f"{stage.PUBLIC_URL}/hooks/twilio/messages"
    signed = (url + "".join(f"{name}{form[name]}" for name in sorted(form))).encode()
    digest = hmac.new(stage.TOKEN.encode(), signed, hashlib.sha256).digest()
    headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
    scheme = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=HMAC_SHA256"}
    path = "/hooks/twilio/messages"
    assert client.post(path, data=form, headers=headers).status_code == 403
    assert client.post(path, data=form, headers=headers | scheme).status_code == 200
    assert suppressed(rt, cast.acme)


def test_a_shared_account_is_proven_for_each_of_its_tenants(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    share_account(rt, cast.bolt)
    post("unknown_number")
    assert suppressed(rt, cast.acme)
    assert suppressed(rt, cast.bolt)
