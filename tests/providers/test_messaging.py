"""Texts through the whole stack, as Twilio posts them: what is recorded, and what is said back."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.keyword import Intent
from optout_service.core.scope import Scope
from optout_service.core.texts import Said
from optout_service.runtime import Runtime
from optout_service.store import feed, reviews, tenants, texts
from optout_service.store.senders import SenderKind
from tests import stage
from tests.cast import ANA
from tests.providers.playing import (
    PHONE,
    SILENCE,
    SMS,
    Person,
    Post,
    events,
    fields,
    register,
    share_account,
    suppressed,
)
from tests.stage import Cast


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
    answer = post("help_long_code", To=stage.SHORT_CODE, MessageSid="SM96")
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


def test_the_evidence_is_what_was_said(rt: Runtime, cast: Cast, post: Post) -> None:
    post("stop_long_code", Body="  Stop ")
    with rt.reading() as connection:
        (told,) = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert told.evidence["text"] == "  Stop "
    assert told.evidence["rule"] == "per_se:en:stop"
    assert told.message_id == fields("stop_long_code")["MessageSid"]
    assert told.actor == "recipient"


@pytest.fixture
def ana(rt: Runtime, cast: Cast) -> Person:
    """Ana, who texts Acme."""
    return Person(rt, cast.acme)


def say(rt: Runtime, tenant: int, said: Said, text: str, language: str = "en") -> None:
    with rt.writing() as connection:
        texts.put(connection, tenant, said, language, text)


def test_whoever_comes_back_is_told_so_once(ana: Person) -> None:
    ana.says("STOP", stage.SHORT_CODE)
    assert "again" in (ana.says("START", stage.SHORT_CODE) or "")
    assert ana.says("START", stage.SHORT_CODE) is None, "nothing was taken, nothing comes back"


def test_a_start_that_could_not_bring_it_back_says_who_can(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    ana.says("STOP", stage.SHORT_CODE)
    record_elsewhere(rt, cast.acme, Scope("sms", "*", "marketing"), Source.OPERATOR)
    told = ana.says("START", stage.SHORT_CODE) or ""
    assert "could not bring your messages back" in told
    assert "help@acme.example" in told
    assert suppressed(rt, cast.acme)


def record_elsewhere(rt: Runtime, tenant: int, scope: Scope, source: Source) -> None:
    authority = Authority.AGENT
    with rt.writing() as connection:
        evidence = Evidence(tenant, Action.OPT_OUT, PHONE, scope, source, authority, "key:1")
        rt.record(connection, evidence)


def test_a_confirmation_speaks_the_language_of_the_words(ana: Person) -> None:
    assert "Répondez START" in (ana.says("désabonnement", stage.SHORT_CODE) or "")


def test_the_carriers_words_are_answered_in_the_senders_language(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    register(rt, cast.acme, "38000", SenderKind.SHORT_CODE, language="fr-FR")
    assert "Répondez START" in (ana.says("Stop !", "38000") or "")
    assert "Häufigkeit" in (ana.says("Hilfe", "38000") or "")


def test_a_tenants_own_words_are_said(rt: Runtime, cast: Cast, ana: Person) -> None:
    say(rt, cast.acme, Said.STOP, "{brand} is silent now. START wakes us.")
    assert ana.says("STOP", stage.SHORT_CODE) == "Acme Shop is silent now. START wakes us."


def test_a_retry_gets_the_same_answer_though_the_words_have_changed(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    first = {
        name: post(name, To=stage.SHORT_CODE) for name in ("stop_short_code", "help_long_code")
    }
    say(rt, cast.acme, Said.STOP, "{brand}: other words. START.")
    say(rt, cast.acme, Said.HELP, "{brand} {contact}: weekly, fees may apply. STOP.")
    for name, answer in first.items():
        assert b"Acme Shop" in answer.data
        assert post(name, To=stage.SHORT_CODE).data == answer.data
    assert "other words" not in post("stop_short_code").text
    assert "weekly" in post("help_long_code", To=stage.SHORT_CODE, MessageSid="SM9").text


def test_a_retry_gets_the_same_silence_though_the_state_has_changed(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    register(rt, cast.acme, "MG1", SenderKind.MESSAGING_SERVICE, advanced_opt_out=True)
    ana.says("STOP", "MG1", matched=Intent.OPT_OUT)
    assert ana.says("ayuda", "MG1", message_id="SM-help") is None
    ana.says("START", "MG1", matched=Intent.OPT_IN)
    assert ana.says("ayuda", "MG1", message_id="SM-help") is None
    assert ana.says("ayuda", "MG1") is not None, "another HELP is answered"


def test_a_message_that_was_answered_is_not_read_another_way_later(
    rt: Runtime, ana: Person
) -> None:
    first = ana.says("HELP", stage.SHORT_CODE, message_id="SM-once")
    assert ana.says("STOP", stage.SHORT_CODE, message_id="SM-once") == first
    assert events(rt) == 0


def test_a_short_code_answers_help_also_to_who_has_left(ana: Person) -> None:
    ana.says("STOP", stage.SHORT_CODE)
    assert "STOP" in (ana.says("HELP", stage.SHORT_CODE) or "")


def test_a_stop_that_comes_later_than_five_minutes_is_recorded_in_silence(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    long_ago = rt.now() - timedelta(minutes=6)
    assert ana.says("STOP", stage.SHORT_CODE, occurred_at=long_ago) is None
    assert suppressed(rt, cast.acme)


def test_a_stop_of_a_minute_ago_is_confirmed(rt: Runtime, ana: Person) -> None:
    just_now = rt.now() - timedelta(minutes=1)
    assert ana.says("STOP", stage.SHORT_CODE, occurred_at=just_now) is not None


def test_an_old_start_that_is_heard_late_lifts_no_newer_stop(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    ana.says("STOP", stage.SHORT_CODE)
    earlier = rt.now() - timedelta(minutes=2)
    ana.says("START", stage.SHORT_CODE, occurred_at=earlier)
    assert suppressed(rt, cast.acme)


def test_doubtful_words_hold_marketing_alone_and_open_a_review(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    assert ana.says("wrong number", stage.SHORT_CODE) is None, "nothing is built in for it"
    assert suppressed(rt, cast.acme)
    assert not suppressed(rt, cast.acme, purpose="transactional")
    with rt.reading() as connection:
        review = reviews.get(connection, cast.acme, 1, rt.keys)
    assert (review.why, review.private["text"], review.hold_event) == (
        "doubtful",
        "wrong number",
        1,
    )


def test_a_doubtful_message_that_comes_again_opens_no_second_review(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    for _ in range(2):
        ana.says("wrong number", message_id="SM-again")
    with rt.reading() as connection:
        assert reviews.open_count(connection) == 1
    assert events(rt) == 1


def test_where_doubts_hold_nothing_a_review_is_opened_all_the_same(rt: Runtime, cast: Cast) -> None:
    lenient = replace(rt, settings=replace(rt.settings, review_holds=False))
    ana = Person(lenient, cast.acme)
    for _ in range(2):
        assert ana.says("wrong number", message_id="SM-again") is None
    assert not suppressed(rt, cast.acme)
    with rt.reading() as connection:
        assert reviews.get(connection, cast.acme, 1, rt.keys).hold_event is None
        assert reviews.open_count(connection) == 1


def test_a_tenant_may_answer_doubtful_words_once(rt: Runtime, cast: Cast, ana: Person) -> None:
    say(rt, cast.acme, Said.REVIEW, "{brand}: we pause. Reply STOP to end it for good.")
    assert "we pause" in (ana.says("wrong number", stage.SHORT_CODE) or "")
    assert ana.says("enough", stage.SHORT_CODE) is None
    assert "no more messages" in (ana.says("STOP", stage.SHORT_CODE) or "")


def test_a_start_ends_the_hold_of_ones_own_doubtful_words(
    rt: Runtime, cast: Cast, ana: Person
) -> None:
    ana.says("wrong number", stage.SHORT_CODE)
    assert "again" in (ana.says("START", stage.SHORT_CODE) or "")
    assert not suppressed(rt, cast.acme)


def test_a_text_in_base64_is_read_and_kept_as_it_came(rt: Runtime, cast: Cast, ana: Person) -> None:
    wrapped = base64.b64encode("Désabonner".encode()).decode()
    ana.says(wrapped)
    assert suppressed(rt, cast.acme)
    with rt.reading() as connection:
        (told,) = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert told.evidence["text"] == wrapped
    assert told.evidence["rule"].startswith("base64:")


NO_PHONES = [
    ("sms", "22000"),
    ("sms", "BANKINFO"),
    ("whatsapp", "US.1234567890"),
    ("messenger", "1234567890"),
    ("rcs", "agent@rbm.goog"),
    ("sms", "+"),
    ("sms", "4155552671"),
    ("sms", "+1"),
]


def test_who_has_no_phone_is_answered_with_silence_and_not_stored(rt: Runtime, ana: Person) -> None:
    for channel, person in NO_PHONES:
        assert ana.says("STOP", stage.SHORT_CODE, channel=channel, person=person) is None, person
    assert events(rt) == 0


@pytest.mark.parametrize("channel", ["whatsapp", "rcs", "carrier-pigeon"])
def test_a_stop_on_any_channel_stops_that_phone(
    rt: Runtime, cast: Cast, ana: Person, channel: str
) -> None:
    ana.says("STOP", channel=channel)
    assert suppressed(rt, cast.acme)


def test_a_whatsapp_id_stands_for_its_phone_where_the_sender_hides_it(
    rt: Runtime, cast: Cast, post: Post
) -> None:
    post("stop_whatsapp", From="whatsapp:US.1234567890", WaId=ANA.phone[1:])
    assert suppressed(rt, cast.acme)


def test_a_brand_without_a_contact_is_answered_in_whole_sentences(rt: Runtime, cast: Cast) -> None:
    with rt.writing() as connection:
        shy = tenants.create(connection, "shy", name="Shy & Sons", at=rt.now()).id
    share_account(rt, shy)
    register(rt, shy, "70000", SenderKind.SHORT_CODE)
    assert Person(rt, shy).says("STOP", "70000") == (
        "Shy & Sons: you will get no more messages. Reply START to come back."
    )
