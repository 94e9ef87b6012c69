"""One contract for every provider's hook: what is not proven is not read, whoever sends it."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from optout_service.app import create_app
from optout_service.metrics import Metrics
from optout_service.runtime import Runtime
from optout_service.store import senders
from optout_service.store.senders import Sender, SenderKind
from tests.providers.playing import events, suppressed
from tests.providers.security import PLAYERS, Player, Sent
from tests.stage import Cast

OURS, NEWER, BOLTS, NOBODYS = "ours", "newer", "of-bolt", "of-nobody"
STOP, START = "please stop texting me", "START"
Lines = list[tuple[str, str | None]]


class Counting(Metrics):
    """Which hooks were refused, and why."""

    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []

    def hook_refused(self, provider: str, why: str) -> None:
        self.refused.append((provider, why))


class Hook:
    """A provider's hook of Acme's, and a second account of Bolt's."""

    def __init__(self, rt: Runtime, cast: Cast, player: Player) -> None:
        self.counting = Counting()
        self.rt = replace(rt, metrics=self.counting)
        self.player = player
        self.register(cast.acme, player.accounts[0], OURS)
        self.register(cast.bolt, player.accounts[1], BOLTS)
        made = Sender(
            *(cast.acme, player.name, player.accounts[0], player.sender),
            *(SenderKind.LONG_CODE, "*", False),
        )
        with rt.writing() as connection:
            known = senders.of_account(connection, cast.acme, player.name, player.accounts[0])
            if made.address not in {one.address for one in known}:
                senders.create(connection, made)
        app = create_app(self.rt)
        player.set_up(app)
        self.client: FlaskClient = app.test_client()

    def register(self, tenant: int, account: str, secret: str) -> None:
        with self.rt.writing() as connection:
            senders.put_account(
                connection,
                *(tenant, self.player.name, account, self.player.token(secret)),
                keys=self.rt.keys,
            )

    def made(
        self,
        said: str = STOP,
        message: str = "m-1",
        *,
        secret: str = OURS,
        account: int = 0,
        ago: timedelta = timedelta(0),
        **more: str,
    ) -> Sent:
        """A signed request; ``account``: which of the two it says it is from."""
        at = self.rt.now() - ago
        body = self.player.body(said, message, self.player.accounts[account], at, **more)
        return self.player.sign(body, secret, at)

    def signed(self, body: bytes) -> Sent:
        return self.player.sign(body, OURS, self.rt.now())

    def post(self, said: str = STOP, message: str = "m-1", **more: str) -> TestResponse:
        return self.made(said, message, **more).post(self.client)

    def refuses(self, sent: Sent, status: int, why: str | None) -> None:
        answer = sent.post(self.client)
        assert (answer.status_code, answer.data) == (status, b"")
        assert events(self.rt) == 0
        assert self.counting.refused == ([(self.player.name, why)] if why else [])


@pytest.fixture(params=PLAYERS)
def hook(request: pytest.FixtureRequest, rt: Runtime, cast: Cast) -> Hook:
    return Hook(rt, cast, PLAYERS[request.param]())


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the proof says in the log, and of which account, if it is known."""
    said: Lines = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(  # type: ignore[method-assign]
        (record.getMessage(), getattr(record, "account", None))
    )
    logger = logging.getLogger("optout_service.providers.hooks")
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)


def test_what_is_proven_is_recorded_for_its_tenant_alone(hook: Hook, cast: Cast) -> None:
    assert hook.post().status_code == 200
    assert suppressed(hook.rt, cast.acme)
    assert not suppressed(hook.rt, cast.bolt)
    assert hook.counting.refused == []


def test_what_nobodys_secret_signed_is_refused(hook: Hook, lines: Lines) -> None:
    hook.refuses(hook.made(secret=NOBODYS), 403, "signature")
    assert lines == [("a hook was refused", None)]


def test_what_lacks_any_part_of_its_proof_is_refused(hook: Hook) -> None:
    whole = hook.made()
    for header in whole.proof:
        answer = whole.less(header).post(hook.client)
        assert answer.status_code in (401, 403)
    assert replace(whole, proof={}).post(hook.client).status_code in (401, 403)
    assert events(hook.rt) == 0


def test_both_secrets_are_good_while_they_are_rotated(hook: Hook, cast: Cast) -> None:
    hook.register(cast.acme, hook.player.accounts[0], NEWER)
    assert hook.post(message="m-1", secret=OURS).status_code == 200
    assert hook.post(message="m-2", secret=NEWER).status_code == 200
    assert events(hook.rt) == 2


def test_an_old_secret_leaves_a_line_for_an_alert(hook: Hook, cast: Cast, lines: Lines) -> None:
    hook.register(cast.acme, hook.player.accounts[0], NEWER)
    hook.post(secret=NEWER)
    assert lines == []
    hook.post(secret=OURS)
    assert lines == [("a hook was signed with an old token", hook.player.accounts[0])]


def test_a_retired_secret_is_refused(hook: Hook, cast: Cast) -> None:
    account = hook.player.accounts[0]
    hook.register(cast.acme, account, NEWER)
    with hook.rt.writing() as connection:
        senders.retire_tokens(connection, cast.acme, hook.player.name, account, keys=hook.rt.keys)
    hook.refuses(hook.made(secret=OURS), 403, "signature")


def test_what_is_sent_again_counts_once(hook: Hook) -> None:
    sent = hook.made()
    answers = [sent.post(hook.client) for _ in range(3)]
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, answers[0].data)}
    assert events(hook.rt) == 1


def test_an_old_start_that_is_sent_again_lifts_nothing(hook: Hook, cast: Cast) -> None:
    start = hook.made(START, "m-2", ago=timedelta(seconds=2))
    hook.made(STOP, "m-1", ago=timedelta(seconds=4)).post(hook.client)
    start.post(hook.client)
    assert not suppressed(hook.rt, cast.acme)
    hook.post(STOP, "m-3")
    assert start.post(hook.client).status_code == 200
    assert suppressed(hook.rt, cast.acme)


@pytest.mark.parametrize("ago", [timedelta(days=1), timedelta(days=-1)])
def test_a_stop_is_taken_while_our_clock_is_a_day_off(
    hook: Hook, cast: Cast, ago: timedelta
) -> None:
    assert hook.made(STOP, ago=ago).post(hook.client).status_code == 200
    assert suppressed(hook.rt, cast.acme)


@pytest.mark.parametrize("ago", [timedelta(hours=27), timedelta(hours=-26)])
def test_what_is_of_another_time_is_refused_where_the_proof_says_when(
    hook: Hook, ago: timedelta
) -> None:
    sent = hook.made(ago=ago)
    if hook.player.says_when:
        hook.refuses(sent, 403, "stale")
    else:
        assert sent.post(hook.client).status_code == 200


def test_an_account_that_nobody_registered_is_refused(hook: Hook, cast: Cast) -> None:
    strange = hook.player.accounts[0].replace("1", "2").replace("0f", "1f")
    body = hook.player.body(STOP, "m-1", strange, hook.rt.now())
    hook.refuses(hook.signed(body), 403, "account")


def test_a_body_that_was_changed_after_it_was_signed_is_refused(hook: Hook) -> None:
    sent = hook.made()
    hook.refuses(replace(sent, body=sent.body.replace(b"m-1", b"m-2")), 403, "signature")


def test_another_tenants_secret_does_not_speak_for_an_account(hook: Hook) -> None:
    hook.refuses(hook.made(secret=BOLTS), 403, "signature")


def test_whoever_registers_anothers_account_speaks_for_himself_alone(
    hook: Hook, cast: Cast
) -> None:
    hook.register(cast.bolt, hook.player.accounts[0], BOLTS)
    assert hook.post(secret=BOLTS).status_code == 200
    assert not suppressed(hook.rt, cast.acme)
    assert suppressed(hook.rt, cast.bolt)


def test_a_body_over_the_limit_is_refused(hook: Hook) -> None:
    sent = hook.made()
    big = replace(sent, body=sent.body + b" " * hook.rt.settings.max_body_bytes)
    hook.refuses(big, 413, "size")


def test_ten_thousand_fields_are_refused_before_they_are_taken_apart(hook: Hook) -> None:
    many = {f"F{number}": "" for number in range(10_000)}
    hook.refuses(hook.made(**many), 413, "size")


def test_a_body_of_another_type_is_refused(hook: Hook) -> None:
    sent = hook.made()
    for content_type in ("multipart/form-data; boundary=x", "image/png", ""):
        answer = replace(sent, content_type=content_type).post(hook.client)
        assert answer.status_code in (403, 415), content_type
    assert events(hook.rt) == 0


def test_what_is_not_utf_8_is_refused(hook: Hook) -> None:
    sent = hook.made()
    broken = b"%FF" if hook.player.name == "twilio" else b"\xff"
    hook.refuses(replace(sent, body=sent.body.replace(b"m-1", broken)), 400, "form")


def test_junk_is_refused_and_nothing_is_read(hook: Hook) -> None:
    sent = hook.made()
    for junk in (b"", b"null", b"[]", b'"STOP"', b"{", b"[" * 100_000, b'{"data":[]}', b"\x00"):
        answer = replace(sent, body=junk).post(hook.client)
        assert answer.status_code in (400, 403), junk[:10]
    assert events(hook.rt) == 0


def test_an_account_that_no_database_could_hold_is_refused(hook: Hook) -> None:
    for strange in ("\x00", "\ud800", "a\x00b"):
        body = hook.player.body(STOP, "m-1", "@@", hook.rt.now())
        spelt = json.dumps(strange)[1:-1].encode()
        odd = body.replace(b"@@", spelt).replace(b"%40%40", b"%00")
        assert hook.signed(odd).post(hook.client).status_code == 403
    assert events(hook.rt) == 0


@pytest.mark.parametrize("person", ["54321", "Acme", "+1", "anonymous", "+1415555267a"])
def test_who_is_no_phone_has_nothing_to_suppress(hook: Hook, person: str) -> None:
    assert hook.post(person=person).status_code == 200
    assert events(hook.rt) == 0


def test_what_could_not_be_stored_is_not_confirmed_and_may_come_again(
    hook: Hook, cast: Cast
) -> None:
    sent = hook.made()
    with hook.rt.writing() as connection:
        connection.execute(text("ALTER TABLE suppression RENAME TO away"))
    assert sent.post(hook.client).status_code == 503
    with hook.rt.writing() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO suppression"))
    assert sent.post(hook.client).status_code == 200
    assert suppressed(hook.rt, cast.acme)


def test_get_does_nothing(hook: Hook) -> None:
    assert hook.client.get(hook.made().path).status_code == 405
