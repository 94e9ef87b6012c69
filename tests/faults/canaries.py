"""R14: addresses of three people go through every door of the real server, and come out nowhere.

First each door as it is meant, by the whole street; then badly, with addresses wherever one can be
put; then both again over a database that is broken.
"""

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import quote

import httpx
import psycopg
from sqlalchemy import text

from optout_service.app import FACES
from optout_service.backups import making
from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.evidence import checkpoints
from optout_service.providers import twilio
from tests import stage
from tests.api.asking import path_of
from tests.cast import ANA, BO, CANARIES, CY
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.street import MAIL_SECRET, Street
from tests.faults.writing_doors import doors
from tests.mailroom.sending import eml
from tests.postgres import binaries
from tests.server import Server
from tests.stage import Cast

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "text/plain"}
CSV = {"Content-Type": "text/csv"}
MESSAGE = {"Content-Type": "message/rfc822"}
_PEOPLE: Final = (ANA, BO, CY)
_NOT_PLAYED: Final = "STOP by aws"
"""Amazon's key is fetched from Amazon, and no test goes there."""


class _Canaries(Street):
    """Whoever comes by is one of the three."""

    def email(self, number: int) -> str:
        return _PEOPLE[number % 3].email

    def phone(self, number: int) -> str:
        return _PEOPLE[number % 3].phone


def run(ground: Ground, _: Size) -> Figure:
    """Send it all, and look into all that is left of it."""
    database = "" if ground.dialect == "sqlite" else ground.database()
    temporary = ground.folder / "temporary"
    temporary.mkdir()
    server = ground.server(
        database,
        OPTOUT_MAIL_SECRETS=MAIL_SECRET,
        OPTOUT_TABLE_ROWS="1",
        TMPDIR=str(temporary),
    )
    cast = server.set_up()
    server.start()
    with server.looking_in() as rt:
        street = _Canaries(rt, cast)
        mailbox = Address.parse(Kind.EMAIL, ANA.email)
        token = rt.links.mint(Claim(cast.acme, "email", mailbox, "newsletter"))
        link = f"{server.base_url}/u/{token}"
        answers = [*_walk(street, server), *_knock(server, cast, link)]
        titles = [_title(pid) for pid in (server.pid, *server.workers())]
        checkpoints.write(rt)
        with patch.dict(os.environ, PATH=f"{binaries()}{os.pathsep}{os.environ['PATH']}"):
            making.make(rt, ground.folder / "backup")
        with rt.writing() as connection:
            connection.execute(text("ALTER TABLE tenant RENAME TO away"))
        answers += _knock(server, cast, link)
        with rt.writing() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO tenant"))
    stored = _everything_stored(server, database)
    server.stop()
    said = server.log.read_text()
    places = {
        "the log": said,
        "the database": stored,
        "a process's title": "".join(titles),
        "a header": "".join(str(answer.headers) for answer in answers),
        "an error": "".join(answer.text for answer in answers if answer.status_code >= 400),
        "the backup": _unpacked(ground.folder / "backup"),
    }
    files = [*server.data_dir.rglob("*"), *temporary.rglob("*")]
    places |= {str(path.relative_to(ground.folder)): _read(path) for path in files}
    secrets = (token, token[:40], *cast.keys.values())
    found = [
        f"{mark} is in {name}" for name, held in places.items() for mark in CANARIES if mark in held
    ]
    broken = [
        *found,
        *("a secret is in the log" for secret in secrets if secret in said),
        *_of_the_log(said, len(answers)),
        *_of_the_answers(answers),
    ]
    return Figure(
        f"{len(answers):,} requests by every route but one; {len(found)} marks of three people in "
        f"{len(said.splitlines()):,} log lines, the database, its backup, errors, headers, titles "
        f"of processes and {len(files)} files",
        tuple(broken),
    )


def _walk(street: Street, server: Server) -> list[httpx.Response]:
    """Each door as it is meant, and each page that is only read."""
    numbers, got = count(2000), []
    shown = {"Authorization": f"Bearer {street.cast.keys['admin']}"}
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        for door in doors():
            if door.name == _NOT_PLAYED:
                continue
            knock = door.make(street, next(numbers))
            media = {"Content-Type": knock.content_type} if knock.content_type else {}
            headers = dict(knock.headers) | media
            got.append(
                client.request(knock.method, knock.path, content=knock.body, headers=headers)
            )
        for rule in sorted(
            {route.rule for face in FACES for route in face.routes if "GET" in route.methods}
        ):
            path = path_of(rule).replace("<rest:token>", ANA.email).replace("<name>", ANA.email)
            got += [
                client.get(path, headers=shown, params=asked) for asked in ({}, {"q": BO.email})
            ]
    return got


def _of_the_answers(answers: list[httpx.Response]) -> Iterator[str]:
    seen = {answer.status_code for answer in answers}
    if not seen >= {200, 201, 400, 401, 403, 404, 422, 503}:
        yield f"not everything was met: {sorted(seen)}"


def _of_the_log(said: str, answers: int) -> Iterator[str]:
    """What is wrong with the lines themselves: each request leaves one, by its rule."""
    requests = [line for line in map(json.loads, said.splitlines()) if line["event"] == "request"]
    if len(requests) < answers:
        yield f"{len(requests)} lines of {answers} requests"
    if not {line["route"] for line in requests} >= {"/u/<rest:token>", "/v1/check", "-"}:
        yield "a request is not logged by its rule"
    if not all(re.fullmatch(r"[0-9a-f]{16}", line["request_id"]) for line in requests):
        yield "a request's id is another thing"


def _title(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cmdline")) + _read(Path(f"/proc/{pid}/comm"))


def _read(path: Path) -> str:
    return path.read_bytes().decode("latin-1") if path.is_file() else path.name


def _unpacked(backup: Path) -> str:
    """All that is in a backup; what PostgreSQL has compressed, as it would be put back."""
    folder = backup.with_name("unpacked")
    with tarfile.open(backup) as archive:
        archive.extractall(folder)  # one of our own making
    whole = [_read(path) for path in folder.iterdir()]
    for dump in folder.glob("*.dump"):
        command = [binaries() / "pg_restore", "--file=-", dump]
        whole.append(subprocess.run(command, capture_output=True, check=True).stdout.decode())
    return "".join(whole)


def _knock(server: Server, cast: Cast, link: str) -> list[httpx.Response]:
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


def _everything_stored(server: Server, url: str) -> str:
    """The whole database, as a thief would have it."""
    if not url:
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
