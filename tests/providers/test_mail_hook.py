"""Mail that is posted: who may post it, in which form, and how it is refused."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from optout_service.app import create_app
from optout_service.knobs import Secret
from optout_service.providers import mail
from optout_service.runtime import Runtime
from tests.mailroom.sending import ADDRESS, NAMES, NEWSLETTER, eml, mint
from tests.stage import Cast

OLD, NEW = "an-old-secret-of-the-mail-server", "the-newest-secret-of-the-mail-server"
PATH = "/hooks/mail/inbound"
HOUR = 3600
MESSAGE = "message/rfc822"
SHOWN = {"Optout-Mail-Secret": NEW}
Send = Callable[..., TestResponse]


@pytest.fixture
def app(rt: Runtime, cast: Cast) -> Flask:
    secrets = (Secret(OLD), Secret(NEW))
    return create_app(replace(rt, settings=replace(rt.settings, mail_secrets=secrets)))


@pytest.fixture
def raw(rt: Runtime, cast: Cast) -> bytes:
    """Ana leaves Acme's newsletter."""
    return eml("gmail_mailto", mint(rt, cast.acme))


@pytest.fixture
def send(client: FlaskClient) -> Send:
    def post(
        data: Any, headers: Mapping[str, str] = SHOWN, content_type: str = MESSAGE
    ) -> TestResponse:
        return client.post(PATH, data=data, headers=headers, content_type=content_type)

    return post


def left(rt: Runtime, cast: Cast) -> bool:
    return rt.check(cast.acme, ADDRESS, NEWSLETTER).suppressed


def signed(rt: Runtime, body: bytes, *, secret: str = NEW, late: int = 0) -> dict[str, str]:
    timestamp = str(int(rt.now().timestamp()) - late)
    signature = mail.sign(secret, timestamp, body)
    return {"Optout-Timestamp": timestamp, "Optout-Signature": signature}


def basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'mx:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("secret", [OLD, NEW])
@pytest.mark.parametrize("proof", ["header", "basic", "signature"])
def test_every_proof_is_good_with_every_secret_of_the_ring(
    rt: Runtime, cast: Cast, raw: bytes, send: Send, proof: str, secret: str
) -> None:
    shown = {
        "header": {"Optout-Mail-Secret": secret},
        "basic": basic(secret),
        "signature": signed(rt, raw, secret=secret),
    }[proof]
    answer = send(raw, shown)
    assert (answer.status_code, answer.text) == (200, "recorded\n")
    assert left(rt, cast)


@pytest.mark.parametrize("late", [24, -24])
def test_a_signature_is_good_while_our_clock_is_a_day_off(
    rt: Runtime, cast: Cast, raw: bytes, send: Send, late: int
) -> None:
    assert send(raw, signed(rt, raw, late=late * HOUR)).status_code == 200
    assert left(rt, cast)


def test_what_is_not_proven_is_refused(rt: Runtime, cast: Cast, raw: bytes, send: Send) -> None:
    good = signed(rt, raw)
    for shown in (
        {},
        {"Optout-Mail-Secret": ""},
        {"Optout-Mail-Secret": NEW[:-1]},
        {"Optout-Mail-Secret": "schlüssel"},
        basic("wrong"),
        {"Authorization": f"Bearer {NEW}"},
        {"Authorization": "Basic !"},
        signed(rt, raw, secret="another-secret-altogether"),
        signed(rt, raw + b"."),
        signed(rt, raw, late=26 * HOUR),
        signed(rt, raw, late=-26 * HOUR),
        good | {"Optout-Timestamp": good["Optout-Timestamp"] + "0"},
        good | {"Optout-Timestamp": "²"},
        good | {"Optout-Timestamp": "9" * 5000},
        {"Optout-Signature": good["Optout-Signature"]},
    ):
        answer = send(raw, shown)
        assert (answer.status_code, answer.data) == (403, b""), shown
    assert not left(rt, cast)


def test_where_no_secret_is_set_nothing_is_taken_in(rt: Runtime, raw: bytes) -> None:
    client = create_app(rt).test_client()
    for shown in ({}, {"Optout-Mail-Secret": ""}, basic(""), signed(rt, raw, secret="")):
        answer = client.post(PATH, data=raw, headers=shown, content_type=MESSAGE)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "form",
    [
        lambda raw: {"email": raw.decode(), "to": "x", "envelope": '{"to":["x@y.example"]}'},
        lambda raw: {
            "body-mime": raw.decode(),
            "recipient": "x@y.example",
            "sender": "a@b.example",
        },
        lambda raw: {"email": (BytesIO(raw), "message.eml")},
    ],
    ids=["a field email", "a field body-mime", "a file"],
)
def test_a_raw_message_may_come_in_a_form(
    rt: Runtime, cast: Cast, raw: bytes, send: Send, form: Callable[[bytes], dict[str, Any]]
) -> None:
    answer = send(form(raw), content_type="multipart/form-data")
    assert answer.status_code == 200
    assert left(rt, cast)


def test_a_raw_message_may_come_in_an_urlencoded_form(
    rt: Runtime, cast: Cast, raw: bytes, send: Send
) -> None:
    form = {"body-mime": raw.decode()}
    assert send(form, content_type="application/x-www-form-urlencoded").status_code == 200
    assert left(rt, cast)


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"sender": ""}, {}),
        ({"envelope": '{"from":"","to":["x@y.example"]}'}, {}),
        (None, {"Optout-Sender": ""}),
    ],
)
def test_the_null_return_path_is_told_beside_the_message(
    rt: Runtime,
    cast: Cast,
    raw: bytes,
    send: Send,
    form: dict[str, str] | None,
    headers: dict[str, str],
) -> None:
    if form is None:
        answer = send(raw, SHOWN | headers)
    else:
        answer = send(form | {"email": raw.decode()}, content_type="multipart/form-data")
    assert answer.text == "ignored\n"
    assert not left(rt, cast)


def test_the_recipient_told_beside_the_message_may_carry_the_link(
    rt: Runtime, cast: Cast, send: Send
) -> None:
    token = mint(rt, cast.acme)
    headers = SHOWN | {"Optout-Recipient": f"unsubscribe+{token}@mail.acme.example"}
    assert send(eml("nothing_at_all", ""), headers).text == "recorded\n"
    assert left(rt, cast)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", MESSAGE, 400),
        (b"\r\n\r\nno headers, just a text", MESSAGE, 400),
        (b"\x00\xff\xfe" * 100, MESSAGE, 400),
        (b"{}", "application/json", 415),
        (b"Subject: x\r\n\r\n", "text/plain", 415),
        (b"Subject: x\r\n\r\n", "application/x-www-form-urlencoded", 400),
        (b"--x--", "multipart/form-data; boundary=x", 400),
    ],
)
def test_what_is_no_message_is_refused_with_a_clear_status(
    send: Send, body: bytes, content_type: str, status: int
) -> None:
    answer = send(body, content_type=content_type)
    assert (answer.status_code, answer.data) == (status, b"")


def test_a_body_over_the_limit_is_refused(rt: Runtime, send: Send) -> None:
    big = b"Subject: x\r\n\r\n" + b"a" * rt.settings.max_body_bytes
    assert send(big).status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_told_which_one_there_is(client: FlaskClient, method: str) -> None:
    answer = client.open(PATH, method=method, headers=SHOWN)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_what_could_not_be_stored_is_5xx_so_that_it_comes_again(
    rt: Runtime, cast: Cast, send: Send
) -> None:
    messages = [eml(name, mint(rt, cast.acme)) for name in ("gmail_mailto", "words_proven")]
    messages += [eml(name, mint(rt, cast.acme)) for name in ("dsn_postfix", "arf_without_link")]
    with rt.writing() as connection:
        connection.execute(text("ALTER TABLE tenant RENAME TO away"))
    assert [send(raw).status_code for raw in messages] == [503] * 4


def test_every_recorded_message_is_answered_200(rt: Runtime, cast: Cast, send: Send) -> None:
    token = mint(rt, cast.acme)
    assert {send(eml(name, token)).status_code for name in NAMES} == {200}
