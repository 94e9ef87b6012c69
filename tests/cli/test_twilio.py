"""Twilio's hooks, tried from the command line: verify a capture, replay a recording."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from optout_service.cli.main import main as group
from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from tests import payloads, stage
from tests.cast import ANA, CANARIES
from tests.cli.test_commands import Run, told
from tests.providers.playing import fields
from tests.stage import Cast

URL = f"{stage.PUBLIC_URL}/hooks/twilio/messages"
STOP = fields("stop_long_code")
PHONE = Address.parse(Kind.PHONE, ANA.phone)
SMS = Scope("sms", "*", "marketing")


def capture(signed: str = URL, token: str = stage.TOKEN) -> str:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": twilio.sign(token, signed, STOP),
    }
    return json.dumps({"method": "POST", "url": URL, "headers": headers, "body": urlencode(STOP)})


@pytest.fixture
def account(run: Run, acme: str, tmp_path: Path) -> str:
    """Acme's account, whose token was replaced once."""
    for token in (stage.TOKEN, "its-newer-token"):
        (tmp_path / "token").write_text(f"{token}\n")
        run(
            *("account", "add", "--tenant", acme, "--account", stage.ACCOUNT),
            *("--token-file", str(tmp_path / "token")),
        )
    return stage.ACCOUNT


def test_what_was_signed_by_a_registered_token_holds(run: Run, account: str) -> None:
    found = told(run("twilio", "verify", "--json", stdin=capture()))
    assert found["holds"] is True
    assert found["signed_by"] == "acme, token 2 of 2, newest first"
    assert found["causes"] == []


def test_what_does_not_hold_is_explained_and_names_nobody(run: Run, account: str) -> None:
    http = capture(URL.replace("https", "http"))
    shown = run("twilio", "verify", stdin=http, ok=False).output
    assert "scheme" in shown
    assert "OPTOUT_PUBLIC_URL" in shown
    forged = run("twilio", "verify", stdin=capture(token="x"), ok=False).output
    for secret in (*CANARIES, stage.TOKEN, "its-newer-token"):
        assert secret not in shown + forged


def test_a_token_in_a_file_needs_no_database(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{stage.TOKEN}\n")
    (tmp_path / "captured").write_text(capture())
    result = CliRunner().invoke(
        group,
        [
            *("twilio", "verify", str(tmp_path / "captured"), "--json"),
            *("--token-file", str(tmp_path / "token"), "--data-dir", str(tmp_path / "none")),
        ],
    )
    assert result.exit_code == 0, result.output


def test_an_account_that_nobody_registered_has_nothing_to_try(run: Run, acme: str) -> None:
    assert "--token-file" in run("twilio", "verify", stdin=capture(), ok=False).output


def test_what_is_no_capture_is_refused(run: Run, acme: str) -> None:
    assert "captured request" in run("twilio", "verify", stdin="junk", ok=False).output


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application behind a socket of the loopback."""
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def replay(tmp_path: Path, to: str, *arguments: str) -> Result:
    (tmp_path / "token").write_text(stage.TOKEN)
    return CliRunner().invoke(
        group,
        [
            *("twilio", "replay", "--to", to, "--token-file", str(tmp_path / "token")),
            *("--data-dir", str(tmp_path / "none"), "--json", *arguments),
        ],
    )


def test_a_recording_is_posted_with_a_signature_that_holds(
    app: Flask, rt: Runtime, cast: Cast, tmp_path: Path
) -> None:
    (tmp_path / "stop.txt").write_bytes(payloads.load("twilio/stop_long_code"))
    (tmp_path / "calls.jsonl").write_text(
        capture().replace("SM00000000000000000000000000000002", "SM7") + "\n\n" + capture() + "\n"
    )
    with served(app) as base:
        result = replay(
            tmp_path,
            base,
            *(str(tmp_path / "stop.txt"), str(tmp_path / "calls.jsonl")),
            *("--public-url", stage.PUBLIC_URL),
        )
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["request"] for row in rows] == ["stop.txt", "calls.jsonl:1", "calls.jsonl:3"]
    assert {row["status"] for row in rows} == {200}
    assert all("<Response" in row["body"] for row in rows)
    assert rt.check(cast.acme, PHONE, SMS).suppressed


def test_a_field_can_be_changed_and_a_call_goes_to_its_own_door(
    app: Flask, rt: Runtime, cast: Cast, tmp_path: Path
) -> None:
    (tmp_path / "call.txt").write_bytes(payloads.load("twilio/call_inbound"))
    with served(app) as base:
        arguments = (str(tmp_path / "call.txt"), "--public-url", stage.PUBLIC_URL)
        rings = replay(tmp_path, base, *arguments)
        pressed = replay(
            tmp_path, f"{base}/hooks/twilio/voice/opt-out", *arguments, "--set", "Digits=9"
        )
    assert "press 9" in rings.output
    assert "removed" in pressed.output
    assert rt.check(cast.acme, PHONE, SMS).suppressed


def test_what_is_refused_there_is_a_failure_here(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "stop.txt").write_bytes(payloads.load("twilio/stop_long_code"))
    with served(app) as base:
        result = replay(tmp_path, base, str(tmp_path / "stop.txt"))
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]["status"] == 403, "signed over another URL than the public"


@pytest.mark.parametrize(
    "to",
    [
        "https://other.example",
        "http://192.0.2.1:8000",
        "ftp://127.0.0.1",
        "127.0.0.1",
        "http://x:y",
    ],
)
def test_nothing_is_sent_to_a_stranger(tmp_path: Path, to: str) -> None:
    (tmp_path / "stop.txt").write_bytes(payloads.load("twilio/stop_long_code"))
    result = replay(tmp_path, to, str(tmp_path / "stop.txt"))
    assert result.exit_code == 1
    assert "--to" in result.output


def test_where_nobody_answers_it_says_so(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "stop.txt").write_bytes(payloads.load("twilio/stop_long_code"))
    with served(app) as base:
        pass
    result = replay(tmp_path, base, str(tmp_path / "stop.txt"))
    assert result.exit_code == 1
    assert "Nobody answers" in result.output
