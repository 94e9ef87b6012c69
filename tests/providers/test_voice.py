"""Calls through the whole stack, as Twilio posts them and a person hears them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from xml.etree import ElementTree

import psycopg
import pytest
from flask.testing import FlaskClient

from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.evidence import Source
from optout_service.core.scope import Kind, Scope
from optout_service.providers import twilio
from optout_service.providers.phrases import languages, phrases
from optout_service.runtime import Runtime
from optout_service.store import feed, reviews, scripts, senders
from optout_service.store.scripts import CallScript
from optout_service.store.senders import SenderKind
from tests import stage
from tests.cast import ANA, BO
from tests.docs.pages import ROOT, blocks
from tests.providers import playing
from tests.providers.calling import PATH, Phone, path_of, post
from tests.providers.playing import PHONE, events, fields, register, share_account
from tests.stage import Cast

TOLL_FREE = "+18005550199"
Ring = Callable[..., Phone]
Speak = Callable[..., None]


@pytest.fixture
def ring(client: FlaskClient) -> Ring:
    """A call comes in or goes out."""
    return lambda name="call_outbound", **changes: Phone.rings(client, name, **changes)


@pytest.fixture
def speak(rt: Runtime, cast: Cast) -> Speak:
    """Give the number that calls a script of its own."""

    def give(**parts: str) -> None:
        with rt.writing() as connection:
            sender = senders.get(connection, cast.acme, "twilio", stage.ACCOUNT, stage.LONG_CODE)
            scripts.put(connection, sender, CallScript(**parts))

    return give


def suppressed(rt: Runtime, tenant: int, phone: str = ANA.phone) -> bool:
    return playing.suppressed(rt, tenant, "voice", phone=Address.parse(Kind.PHONE, phone))


@pytest.mark.parametrize("name", ["call_outbound", "call_inbound"])
def test_a_call_says_who_is_calling_and_in_the_same_breath_which_key_opts_out(
    ring: Ring, rt: Runtime, name: str
) -> None:
    phone = ring(name)
    first = phone.document.find("Gather/Say")
    assert first is not None
    assert first.text == "This is Acme Shop. To be removed from our list, press 9."
    assert events(rt) == 0, "to be called is not an act"


def test_the_page_shows_what_is_answered(ring: Ring, speak: Speak) -> None:
    speak(message="https://media.acme.example/autumn.mp3")
    (shown,) = [block for block in blocks(ROOT / "docs" / "calls.md") if block.language == "xml"]
    expected = shown.text.replace("https://<your host>", stage.PUBLIC_URL)
    whole = partial(ElementTree.canonicalize, strip_text=True)
    assert whole(ring().answer.text) == whole(expected)


def test_a_key_counts_while_something_is_still_being_said(ring: Ring, speak: Speak) -> None:
    speak(message="https://acme.example/autumn.mp3")
    phone = ring()
    assert phone.verbs == ["Gather", "Say", "Play", "Hangup"]
    assert [element.tag for element in phone.gather] == ["Say", "Play"]
    asked = {name: value for name, value in phone.gather.attrib.items() if name != "action"}
    assert asked == {
        "input": "dtmf",
        "numDigits": "1",
        "timeout": "5",
        "actionOnEmptyResult": "true",
        "method": "POST",
    }


@pytest.mark.parametrize("name", ["call_outbound", "call_inbound"])
def test_the_key_stops_everything_to_that_phone_and_ends_the_call(
    ring: Ring, rt: Runtime, cast: Cast, name: str
) -> None:
    phone = ring(name).press("9")
    assert phone.said == "Your number has been removed from our list. Goodbye."
    assert phone.verbs == ["Say", "Hangup"]
    for channel in ("voice", "sms", "whatsapp"):
        for purpose in ("marketing", "transactional"):
            verdict = rt.check(cast.acme, PHONE, Scope(channel, "*", purpose))
            assert verdict.matches[0].source is Source.CALL
    assert not suppressed(rt, cast.bolt)


def test_the_evidence_says_which_call_and_which_key(ring: Ring, rt: Runtime, cast: Cast) -> None:
    ring().press("9")
    with rt.reading() as connection:
        (told,) = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert told.message_id == fields("call_outbound")["CallSid"]
    assert told.evidence["key"] == "9"
    assert told.evidence["call"] == "outbound"


def test_a_key_that_is_delivered_twice_is_counted_once_and_answered_alike(
    ring: Ring, rt: Runtime
) -> None:
    phone = ring()
    action = phone.action
    first = post(phone.client, action, phone.form | {"Digits": "9"})
    again = post(phone.client, action, phone.form | {"Digits": "9"})
    assert first.data == again.data
    assert events(rt) == 1


@pytest.mark.parametrize("digits", ["1", "0", "5"])
def test_another_key_records_nothing_and_is_asked_again(
    ring: Ring, rt: Runtime, digits: str
) -> None:
    phone = ring().press(digits)
    assert "press 9" in phone.said
    assert events(rt) == 0


def test_who_listens_to_the_end_is_let_go(ring: Ring, rt: Runtime) -> None:
    assert ring().press("").verbs == ["Hangup"]
    assert events(rt) == 0


@pytest.mark.parametrize("name", ["call_inbound", "call_withheld"])
def test_who_calls_and_presses_nothing_is_asked_three_times_and_told_that_nothing_was_recorded(
    ring: Ring, rt: Runtime, name: str
) -> None:
    phone = ring(name).press("").press("")
    assert not phone.over
    phone.press("")
    assert phone.over
    assert "Nothing has been recorded" in phone.said
    assert "help@acme.example" in phone.said
    assert events(rt) == 0


def test_a_machine_is_told_a_number_that_leads_to_the_same_key(
    ring: Ring, speak: Speak, rt: Runtime, cast: Cast
) -> None:
    register(rt, cast.acme, TOLL_FREE, SenderKind.VOICE)
    speak(call_back=TOLL_FREE, message="Our autumn sale begins today.")
    left = ring("call_outbound_voicemail")
    assert "at any time, call 1 8 0 0 5 5 5 0 1 9 9." in left.said
    assert "autumn sale" in left.said
    back = ring("call_inbound", To=TOLL_FREE)
    assert "press 9" in back.said, "at once, with nothing before it"
    back.press("9")
    assert suppressed(rt, cast.acme)


def test_without_such_a_number_nothing_is_left_on_a_machine(ring: Ring, speak: Speak) -> None:
    speak(message="Our autumn sale begins today.")
    assert ring("call_outbound_voicemail").verbs == ["Hangup"]


@pytest.mark.parametrize(
    "caller", ["anonymous", "Restricted", "+266696687", "+7378742833", "", "sip:jo@pbx.example"]
)
def test_who_withholds_the_number_is_asked_for_it(ring: Ring, caller: str) -> None:
    phone = ring("call_inbound", From=caller, Caller=caller)
    assert "enter your phone number" in phone.said
    assert phone.gather.attrib["finishOnKey"] == "#"
    assert "numDigits" not in phone.gather.attrib
    assert path_of(phone.action) == f"{PATH}/number"


@pytest.mark.parametrize("keyed", ["4155552671", "14155552671", "01114155552671"])
def test_the_number_that_is_keyed_in_is_the_one_that_is_stopped(
    ring: Ring, rt: Runtime, cast: Cast, keyed: str
) -> None:
    phone = ring("call_withheld").press(keyed)
    assert phone.over
    assert "removed" in phone.said
    assert suppressed(rt, cast.acme)


def test_what_is_no_number_is_asked_for_again_and_not_for_ever(ring: Ring, rt: Runtime) -> None:
    phone = ring("call_withheld").press("12345")
    assert "not a phone number we can use" in phone.said
    phone.press("12345").press("12345")
    assert phone.over
    assert events(rt) == 0


def test_no_number_is_in_a_url(ring: Ring) -> None:
    for name in ("call_outbound", "call_inbound", "call_withheld"):
        assert path_of(ring(name).action).startswith(PATH)
        assert ring(name).action.partition("?")[2] == "language=en&try=1"


def test_a_key_on_a_number_that_nobody_registered_stops_all_of_the_account(
    ring: Ring, rt: Runtime, cast: Cast
) -> None:
    share_account(rt, cast.bolt)
    phone = ring("call_inbound", To="+15005550001")
    assert "Acme Shop, Bolt" in phone.said
    phone.press("9")
    assert suppressed(rt, cast.acme)
    assert suppressed(rt, cast.bolt)
    with rt.reading() as connection:
        assert reviews.open_count(connection) == 2, "somebody finds out whose number it is"


@pytest.mark.parametrize(("channel", "stopped"), [("voice", "voice"), ("sms", "*"), ("*", "*")])
def test_a_narrowed_sender_stops_its_own_topic_and_calls_in_any_case(
    rt: Runtime, cast: Cast, ring: Ring, channel: str, stopped: str
) -> None:
    narrow = "+15005550007"
    register(rt, cast.acme, narrow, SenderKind.VOICE, topic="offers", channel=channel)
    ring("call_inbound", To=narrow).press("9")
    with rt.reading() as connection:
        (told,) = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert told.scope == Scope(stopped, "offers", "*")


def test_a_number_that_two_tenants_share_speaks_for_both(
    rt: Runtime, cast: Cast, ring: Ring
) -> None:
    share_account(rt, cast.bolt)
    register(rt, cast.bolt, stage.LONG_CODE, SenderKind.LONG_CODE)
    phone = ring("call_inbound")
    assert "Acme Shop, Bolt" in phone.said
    phone.press("9")
    assert suppressed(rt, cast.acme)
    assert suppressed(rt, cast.bolt)


@pytest.mark.parametrize("language", languages())
def test_each_language_is_spoken_from_the_first_word_to_the_last(
    ring: Ring, speak: Speak, rt: Runtime, cast: Cast, language: str
) -> None:
    speak(language=language)
    phone = ring()
    voice = phrases(language).voice
    assert "Acme Shop" in phone.said
    assert "9" in phone.said
    assert phone.languages == [voice.language]
    phone.press("9")
    assert phone.languages == [voice.language]
    assert suppressed(rt, cast.acme)


@pytest.mark.parametrize("name", ["call_inbound", "call_withheld"])
def test_a_second_language_is_a_key_away(ring: Ring, speak: Speak, name: str) -> None:
    speak(second_language="es")
    phone = ring(name)
    assert phone.languages == ["en-US", "es-MX"]
    phone.press("1")
    assert "Acme Shop" in phone.said
    assert phone.languages == ["es-MX"]
    phone.press("")
    assert phone.languages == ["es-MX"], "and it stays"
    phone.press("1").press("1")
    assert phone.over, "nobody goes round in a circle"


def test_the_key_is_the_one_that_is_said(ring: Ring, speak: Speak, rt: Runtime, cast: Cast) -> None:
    speak(opt_out_key="1", second_language="es")
    phone = ring("call_inbound")
    assert "press 1." in phone.said
    assert "oprima 2." in phone.said
    phone.press("9")
    assert not suppressed(rt, cast.acme)
    phone.press("1")
    assert suppressed(rt, cast.acme)


@pytest.mark.parametrize("path", ["", "/opt-out", "/number"])
def test_what_is_not_signed_is_refused(client: FlaskClient, rt: Runtime, path: str) -> None:
    form = fields("call_outbound", Digits="9")
    assert post(client, f"{PATH}{path}", form, token="54321").status_code == 403
    assert client.post(f"{PATH}{path}", data=form).status_code == 403
    assert client.get(f"{PATH}{path}").status_code == 405
    assert events(rt) == 0


def test_a_query_that_somebody_changed_is_refused(ring: Ring, rt: Runtime) -> None:
    phone = ring()
    form = phone.form | {"Digits": "5"}
    target = phone.action.removeprefix(stage.PUBLIC_URL)
    answer = phone.client.post(
        f"{target}&key=any",
        data=form,
        headers={"X-Twilio-Signature": twilio.sign(stage.TOKEN, phone.action, form)},
        environ_overrides={"RAW_URI": f"{target}&key=any"},
    )
    assert answer.status_code == 403
    assert events(rt) == 0


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process holds the ledger, and does not let go."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as holding:
            holding.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(url) as holding:
        holding.execute("SELECT seq FROM tenant FOR UPDATE")
        yield


def test_an_act_that_waits_for_the_store_is_answered_in_time_and_not_confirmed(
    rt: Runtime, cast: Cast, database_url: str
) -> None:
    # Were the wait not bounded, the answer would never come: the lock is let go after it.
    hurried = Runtime.build(
        stage.settings_for(database_url, statement_timeout_ms=300, busy_timeout_ms=300), stage.KEYS
    )
    phone = Phone.rings(create_app(hurried).test_client(), "call_inbound")
    failed = phone.action
    with locked(database_url):
        phone.press("9")
        assert (phone.status, phone.answer.data) == (503, b"")
        phone.fall_back(failed)
        assert "Nothing has been recorded yet" in phone.said
    assert not suppressed(rt, cast.acme)
    phone.press("5")
    assert "removed" in phone.said, "asked so, any key is the one"
    assert suppressed(rt, cast.acme)
    hurried.close()


def test_the_longest_wait_for_the_store_is_shorter_than_twilios() -> None:
    set_ = stage.settings_for("sqlite:///x")
    reads, writes = 2, 1
    waits = (reads + writes) * set_.statement_timeout_ms + writes * set_.busy_timeout_ms
    assert waits < 15_000


def test_after_the_fallback_any_key_is_the_one_even_that_of_the_other_language(
    ring: Ring, speak: Speak, rt: Runtime, cast: Cast
) -> None:
    speak(second_language="es")
    phone = ring()
    phone.fall_back(phone.action).press("1")
    assert phone.over
    assert suppressed(rt, cast.acme)


def test_the_fallback_speaks_the_language_of_the_call_and_gives_up_in_the_end(
    client: FlaskClient,
) -> None:
    phone = Phone(client, fields("call_inbound"))
    phone.fall_back(f"{stage.PUBLIC_URL}{PATH}/opt-out?language=es&try=2")
    assert phone.languages == ["es-MX"]
    phone.fall_back(phone.action)
    assert phone.over
    assert "no se pudo registrar" in phone.said.lower()


@pytest.mark.parametrize(
    "url",
    ["", "junk", "http://[", "https://x.example/?try=99999999999&language=%00&key=any", "?try=-1"],
)
def test_the_fallback_answers_whatever_it_is_asked(client: FlaskClient, url: str) -> None:
    phone = Phone(client, {"ErrorUrl": url})
    answer = client.post(f"{PATH}/fallback", data={"ErrorUrl": url})
    phone._hear(answer)
    assert "press any key" in phone.said


def test_a_brand_with_signs_in_its_name_is_said_as_it_is(
    rt: Runtime, ring: Ring, speak: Speak
) -> None:
    speak(message='Fish & "Chips" <today> {brand}')
    assert 'Fish & "Chips" <today> {brand}' in ring().said


def test_a_call_without_an_id_is_refused(client: FlaskClient, rt: Runtime) -> None:
    form = fields("call_outbound", CallSid="")
    assert post(client, PATH, form).status_code == 400


def test_two_people_who_call_are_two(ring: Ring, rt: Runtime, cast: Cast) -> None:
    ring("call_inbound", From=BO.phone).press("9")
    assert suppressed(rt, cast.acme, BO.phone)
    assert not suppressed(rt, cast.acme)
