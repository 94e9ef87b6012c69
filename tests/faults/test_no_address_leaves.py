"""A canary address goes through every door of the real server, and comes out nowhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.providers import twilio
from tests import stage
from tests.cast import ANA, BO, CANARIES
from tests.mailroom.sending import eml
from tests.server import Server
from tests.stage import Cast

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "text/plain"}
CSV = {"Content-Type": "text/csv"}
MAIL_SECRET = "a-secret-of-the-mail-server"
MESSAGE = {"Content-Type": "message/rfc822"}


@pytest.fixture
def server(tmp_path: Path, empty_database_url: str) -> Iterator[Server]:
    sqlite = empty_database_url.startswith("sqlite")
    running = Server(
        tmp_path, "" if sqlite else empty_database_url, OPTOUT_MAIL_SECRETS=MAIL_SECRET
    )
    yield running
    running.stop()


def knock(server: Server, cast: Cast, link: str) -> list[httpx.Response]:
    """Every door, well and badly used, with the canaries wherever an address can be put."""
    base = server.base_url
    fields = {
        "AccountSid": stage.ACCOUNT,
        "MessageSid": "SM1",
        "From": ANA.phone,
        "To": stage.LONG_CODE,
        "Body": f"STOP writing to {ANA.email}",
    }
    hook = f"{base}/hooks/twilio/messages"
    signed = {"X-Twilio-Signature": twilio.sign(stage.TOKEN, hook, fields)}
    status = f"{base}/hooks/twilio/status"
    blocked = fields | {"To": ANA.phone, "ErrorCode": "21610", "MessageStatus": ANA.email}
    reported = {"X-Twilio-Signature": twilio.sign(stage.TOKEN, status, blocked)}
    call = fields | {"CallSid": "CA1", "Direction": "inbound", "Digits": "9"}
    pressed = f"{base}/hooks/twilio/voice/opt-out"
    calling = {"X-Twilio-Signature": twilio.sign(stage.TOKEN, pressed, call)}
    key = {"Authorization": f"Bearer {cast.keys['admin']}"}
    mailed = MESSAGE | {"Optout-Mail-Secret": MAIL_SECRET}
    token = link.rpartition("/")[2]
    mail = {"channel": "email", "address": ANA.email}
    with httpx.Client(timeout=10) as client:
        post, get = client.post, client.get
        return [
            get(link),
            post(link),
            post(link, data={"action": "all", "email": ANA.email}),
            get(f"{link}x"),
            get(f"{base}/u/{quote(ANA.email)}"),
            get(f"{base}/u/x?email={ANA.email}"),
            get(f"{base}/{ANA.email}?phone={quote(ANA.phone)}"),
            client.request("PUT", f"{base}/u/{ANA.email}"),
            post(hook, data=fields, headers=signed),
            post(hook, data=fields),
            post(hook, data=fields | {"AccountSid": ANA.phone}),
            post(status, data=blocked, headers=reported),
            post(f"{base}/hooks/twilio/events?AccountSid={ANA.email}", json=[blocked]),
            post(pressed, data=call, headers=calling),
            post(pressed, data=call),
            post(f"{base}/hooks/twilio/voice/fallback", data=call | {"ErrorUrl": ANA.phone}),
            *(
                post(f"{base}/hooks/mail/inbound", content=eml(name, token), headers=mailed)
                for name in ("gmail_mailto", "words_proven", "arf_yahoo", "dsn_gmail", "dsn_policy")
            ),
            post(f"{base}/hooks/mail/inbound", content=ANA.email, headers=mailed),
            post(f"{base}/hooks/mail/inbound", content=ANA.email, headers=MESSAGE),
            post(f"{base}/v1/check", json=mail),
            post(f"{base}/v1/check", json=mail, headers={"Authorization": f"Bearer {ANA.email}"}),
            post(f"{base}/v1/check", json=mail | {ANA.email: 1}, headers=key),
            post(f"{base}/v1/check", json=mail | {"topic": ANA.email}, headers=key),
            post(f"{base}/v1/check", json=mail | {"channel": ANA.email}, headers=key),
            post(f"{base}/v1/check", json=mail | {"address": [ANA.email]}, headers=key),
            post(f"{base}/v1/check", content=ANA.email, headers=key | JSON),
            post(f"{base}/v1/check", content=ANA.email, headers=key),
            post(f"{base}/v1/opt-outs", json=mail | {"reason": ANA.email}, headers=key),
            post(f"{base}/v1/opt-outs", json=mail, headers=key | {"Idempotency-Key": ANA.email}),
            post(f"{base}/v1/links", json={"address": BO.email}, headers=key),
            post(f"{base}/v1/check", json=mail | {"clearance": True}, headers=key),
            post(f"{base}/v1/recipients/lookup", json=mail, headers=key),
            post(f"{base}/v1/recipients/evidence", json=mail, headers=key),
            post(f"{base}/v1/recipients/evidence", json=mail | {"format": ANA.email}, headers=key),
            post(f"{base}/v1/clearances/verify", json={"clearance": ANA.email}, headers=key),
            get(f"{base}/v1/stats?from={ANA.email}", headers=key),
            get(f"{base}/v1/checkpoints?before={ANA.email}", headers=key),
            post(f"{base}/v1/imports", content=f"{ANA.email}\n{BO.email}@\n", headers=key | LINES),
            post(f"{base}/v1/imports?topic={ANA.email}", content=ANA.email, headers=key | LINES),
            post(f"{base}/v1/imports", content=f'[{{"{ANA.email}"', headers=key | JSON),
            get(f"{base}/v1/suppressions/export?reason={ANA.email}", headers=key),
            get(f"{base}/v1/suppressions/export", headers=key),
            post(f"{base}/v1/scrub?channel=email", content=ANA.email, headers=key | CSV),
            post(f"{base}/v1/scrub?channel=sms&column={ANA.email}", content="a", headers=key | CSV),
            post(f"{base}/v1/scrub?channel=sms", content=f'"{ANA.email}', headers=key | CSV),
            get(f"{base}/v1/events?after={ANA.email}", headers=key),
            get(f"{base}/v1/events", headers=key | {"Optout-Tenant": ANA.email}),
            get(f"{base}/v1/suppressions?topic={ANA.email}", headers=key),
        ]


def test_no_address_and_no_token_is_in_a_line_an_error_or_the_database(
    server: Server, empty_database_url: str
) -> None:
    cast = server.set_up()
    with server.looking_in() as rt:
        mailbox = Address.parse(Kind.EMAIL, ANA.email)
        token = rt.links.mint(Claim(cast.acme, "email", mailbox, "newsletter"))
    server.start()
    link = f"{server.base_url}/u/{token}"
    answers = knock(server, cast, link)
    assert {answer.status_code for answer in answers} >= {200, 201, 400, 401, 403, 404, 422}
    with server.looking_in() as rt, rt.writing() as connection:
        connection.execute(text("ALTER TABLE tenant RENAME TO away"))
    broken = knock(server, cast, link)
    assert {answer.status_code for answer in broken} >= {503}
    with server.looking_in() as rt, rt.writing() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO tenant"))

    for answer in (*answers, *broken):
        if answer.status_code >= 400:
            assert_clean(answer.text, "an error")
        assert_clean(str(answer.headers), "a header")
    log = server.log.read_text()
    assert_clean(log, "the log")
    for secret in (token, token[:40], *cast.keys.values()):
        assert secret not in log
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) >= len(answers)
    assert {line["route"] for line in requests} >= {"/u/<rest:token>", "/v1/check", "-"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", line["request_id"]) for line in requests)
    assert_clean(everything_stored(server, empty_database_url), "the database")


def assert_clean(text_: str, where: str) -> None:
    for canary in CANARIES:
        assert canary not in text_, f"{canary} is in {where}"


def everything_stored(server: Server, url: str) -> str:
    """The whole database, as a thief would have it."""
    if url.startswith("sqlite"):
        files = server.data_dir.glob("optout.db*")
        return "".join(path.read_bytes().decode("latin-1") for path in files)
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
            "'public'::regnamespace"
        ).fetchall()
        rows: list[Any] = []
        for (name,) in names:
            rows += connection.execute(f'SELECT * FROM "{name}"').fetchall()  # type: ignore[call-overload]
    return "".join(
        part.decode("latin-1") if isinstance(part, bytes) else str(part)
        for row in rows
        for part in row
    )
