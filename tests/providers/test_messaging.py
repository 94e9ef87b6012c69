"""Texts through the whole stack, as Twilio posts them."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.scope import Kind, Scope
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from optout_service.store import feed, senders
from optout_service.store.tables import event
from tests import payloads, stage
from tests.cast import ANA
from tests.stage import Cast

PATH = "/hooks/twilio/messages"
SILENCE = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
PHONE = Address.parse(Kind.PHONE, ANA.phone)
SMS = Scope("sms", "*", "marketing")
Post = Callable[..., TestResponse]


def fields(name: str, **changes: str) -> dict[str, str]:
    recorded = parse_qsl(payloads.load(f"twilio/{name}").decode(), keep_blank_values=True)
    return dict(recorded) | changes


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """Post a recorded body as Twilio does; ``token`` and ``query`` make it another's."""

    def send(
        name: str, *, token: str = stage.TOKEN, query: str = "", **changes: str
    ) -> TestResponse:
        form = fields(name, **changes)
        url = f"{stage.PUBLIC_URL}{PATH}{query}"
        return client.post(
            f"{PATH}{query}",
            data=form,
            headers={"X-Twilio-Signature": twilio.sign(token, url, form)},
            environ_overrides={"RAW_URI": f"{PATH}{query}"},
        )

    return send


def events(rt: Runtime) -> int:
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(event)).scalar_one()


def test_a_stop_stops_everything_to_that_phone(rt: Runtime, cast: Cast, post: Post) -> None:
    answer = post("stop_long_code")
    assert (answer.status_code, answer.text) == (200, SILENCE), "Twilio answers for a long code"
    assert answer.mimetype == "text/xml"
    for channel in ("sms", "voice", "whatsapp"):
        for purpose in ("marketing", "transactional"):
            verdict = rt.check(cast.acme, PHONE, Scope(channel, "*", purpose))
            assert verdict.matches[0].source is Source.TEXT
    assert not rt.check(cast.bolt, PHONE, SMS).suppressed


def test_a_start_brings_back_what_the_stop_took(rt: Runtime, cast: Cast, post: Post) -> None:
    post("stop_long_code")
    assert post("start_long_code").status_code == 200
    assert not rt.check(cast.acme, PHONE, SMS).suppressed


def test_an_old_start_that_comes_again_changes_nothing(rt: Runtime, cast: Cast, post: Post) -> None:
    post("stop_long_code")
    first = post("start_long_code")
    post("stop_long_code", MessageSid="SM99", SmsSid="SM99", SmsMessageSid="SM99")
    again = post("start_long_code")
    assert again.data == first.data
    assert rt.check(cast.acme, PHONE, SMS).suppressed
    assert events(rt) == 3


def test_a_message_that_is_delivered_twice_is_counted_once(rt: Runtime, post: Post) -> None:
    first, second = post("stop_short_code"), post("stop_short_code")
    assert first.data == second.data
    assert b"START" in first.data
    assert events(rt) == 1


def test_a_second_stop_gets_no_second_confirmation(post: Post) -> None:
    assert "Acme Shop" in post("stop_short_code").text
    assert post("stop_short_code", MessageSid="SM98").text == SILENCE


def test_help_is_answered_where_nobody_else_does(rt: Runtime, post: Post) -> None:
    assert post("help_long_code").text == SILENCE
    answer = post("help_long_code", To=stage.SHORT_CODE)
    assert "help@acme.example" in answer.text
    assert events(rt) == 0


def test_what_advanced_opt_out_matched_is_recorded_in_silence(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    assert post("stop_advanced_opt_out", Body="QUITALL").text == SILENCE
    assert rt.check(cast.acme, PHONE, SMS).suppressed


@pytest.mark.parametrize("name", ["media_only", "from_a_name", "umlaut_and_emoji"])
def test_what_says_nothing_of_the_kind_is_answered_and_not_stored(
    rt: Runtime, post: Post, name: str
) -> None:
    answer = post(name, OptOutType="")
    assert (answer.status_code, answer.text) == (200, SILENCE)
    assert events(rt) == 0


def test_a_stop_by_a_short_code_has_nobody_to_stop(rt: Runtime, post: Post) -> None:
    assert post("from_a_short_code").status_code == 200
    assert events(rt) == 0


def test_a_whatsapp_stop_is_the_same_phone(rt: Runtime, cast: Cast, post: Post) -> None:
    assert post("stop_whatsapp").status_code == 200
    assert rt.check(cast.acme, PHONE, Scope("whatsapp", "*", "marketing")).suppressed


def test_a_doubtful_word_stops_marketing_alone(rt: Runtime, cast: Cast, post: Post) -> None:
    post("stop_short_code", Body="wrong number")
    assert rt.check(cast.acme, PHONE, SMS).suppressed
    assert not rt.check(cast.acme, PHONE, Scope("sms", "*", "transactional")).suppressed


def test_a_stop_to_an_unknown_number_stops_all_of_the_account(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    with rt.writing() as connection:
        senders.put_account(
            connection, cast.bolt, "twilio", stage.ACCOUNT, stage.TOKEN, keys=rt.keys
        )
    assert post("unknown_number").text == SILENCE
    for tenant in (cast.acme, cast.bolt):
        assert rt.check(tenant, PHONE, SMS).suppressed
    post("unknown_number", Body="START", MessageSid="SM97")
    for tenant in (cast.acme, cast.bolt):
        assert rt.check(tenant, PHONE, SMS).suppressed, "a START must say to whom"


def test_a_token_speaks_only_for_the_tenant_that_gave_it(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    with rt.writing() as connection:
        senders.put_account(connection, cast.bolt, "twilio", stage.ACCOUNT, "of-bolt", keys=rt.keys)
    assert post("stop_long_code", token="of-bolt").status_code == 200
    assert not rt.check(cast.acme, PHONE, SMS).suppressed


def test_start_lifts_no_complaint_and_says_where_to_turn(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    with rt.writing() as connection:
        rt.record(
            connection,
            Evidence(
                cast.acme,
                Action.OPT_OUT,
                PHONE,
                Scope("*", "*", "*"),
                Source.PROVIDER,
                Authority.PROVIDER,
                "provider:twilio",
                reason=Reason.COMPLAINT,
            ),
        )
    answer = post("start_long_code", To=stage.SHORT_CODE)
    assert "help@acme.example" in answer.text
    assert rt.check(cast.acme, PHONE, SMS).suppressed
    assert events(rt) == 2, "that it was asked for is evidence too"


@pytest.mark.parametrize(
    "change",
    [
        {"token": "54321"},
        {"AccountSid": "AC00000000000000000000000000000009"},
        {"query": "?x=1", "token": ""},
    ],
    ids=["another token", "another account", "no token"],
)
def test_what_is_not_signed_for_its_account_is_refused(
    rt: Runtime, post: Post, change: dict[str, str]
) -> None:
    answer = post("stop_long_code", **change)
    assert (answer.status_code, answer.data) == (403, b"")
    assert events(rt) == 0


def test_what_is_not_signed_at_all_is_refused(rt: Runtime, client: FlaskClient) -> None:
    for body in (fields("stop_long_code"), {}, "junk"):
        assert client.post(PATH, data=body).status_code == 403
    assert client.post(PATH, json={"Body": "STOP"}).status_code == 403
    assert client.get(PATH).status_code == 405
    assert events(rt) == 0


def test_a_rotated_token_works_beside_the_old_one(rt: Runtime, cast: Cast, post: Post) -> None:
    with rt.writing() as connection:
        senders.put_account(connection, cast.acme, "twilio", stage.ACCOUNT, "newer", keys=rt.keys)
    assert post("stop_long_code", token="newer").status_code == 200
    assert post("start_long_code").status_code == 200


def test_the_query_is_signed_as_it_came(rt: Runtime, cast: Cast, post: Post) -> None:
    assert post("stop_long_code", query="?brand=acme%27s&x=%7E").status_code == 200
    assert rt.check(cast.acme, PHONE, SMS).suppressed


def test_the_evidence_is_what_was_said(rt: Runtime, cast: Cast, post: Post) -> None:
    post("stop_long_code", Body="  Stop ")
    with rt.reading() as connection:
        (told,) = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert told.evidence["text"] == "  Stop "
    assert told.evidence["rule"] == "per_se:en:stop"
    assert told.message_id == fields("stop_long_code")["MessageSid"]
    assert told.actor == "recipient"


def test_a_body_over_the_limit_is_refused_and_never_taken_for_unsigned(
    rt: Runtime, client: FlaskClient
) -> None:
    big = b"Body=" + b"a" * rt.settings.max_body_bytes
    answer = client.post(PATH, data=big, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
