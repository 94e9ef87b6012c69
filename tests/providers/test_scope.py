"""How much a STOP stops and a START gives back: the sender's own, and never another's."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from optout_service.store import feed, reviews, senders
from optout_service.store.senders import Sender, SenderKind
from tests import stage
from tests.providers.playing import PHONE, Person, events, register, share_account, suppressed
from tests.stage import Cast

OFFERS, NEWS, CHAT = "55001", "55002", "55003"
EVERYTHING = Scope("*", "*", "*")


def on(rt: Runtime, *, days_to_revoke_all: int | None) -> Runtime:
    """The same store, where the day of revoke-all is so far ahead, or never comes."""
    day: date | None = None
    if days_to_revoke_all is not None:
        day = rt.now().date() + timedelta(days=days_to_revoke_all)
    return replace(rt, settings=replace(rt.settings, revoke_all_from=day))


@pytest.fixture
def narrow(rt: Runtime, cast: Cast) -> None:
    """Acme writes about offers, about news, and on WhatsApp, each from a sender of its own."""
    register(rt, cast.acme, OFFERS, SenderKind.SHORT_CODE, topic="offers")
    register(rt, cast.acme, NEWS, SenderKind.SHORT_CODE, topic="newsletter")
    register(rt, cast.acme, CHAT, SenderKind.SHORT_CODE, channel="whatsapp")


def stopped(rt: Runtime, tenant: int) -> set[str]:
    """Which of the streams are stopped; ``other`` is a message that belongs to no topic."""
    streams = {"offers": ("sms", "offers"), "news": ("sms", "newsletter"), "other": ("sms", "*")}
    streams |= {"chat": ("whatsapp", "*"), "calls": ("voice", "*")}
    return {name for name, (c, t) in streams.items() if suppressed(rt, tenant, c, t)}


ALL = {"offers", "news", "other", "chat", "calls"}


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(
    ("to", "days", "taken"),
    [
        (stage.LONG_CODE, 1, ALL),
        (OFFERS, 1, {"offers"}),
        (OFFERS, None, {"offers"}),
        (CHAT, 1, {"chat"}),
        (OFFERS, 0, ALL),
        (CHAT, -1, ALL),
    ],
    ids=["wide", "a topic", "for ever", "a channel", "from the day on", "a channel, after it"],
)
def test_a_stop_is_narrow_only_as_far_as_the_tenant_says_and_the_law_allows(
    rt: Runtime, cast: Cast, to: str, days: int | None, taken: set[str]
) -> None:
    ana = Person(on(rt, days_to_revoke_all=days), cast.acme)
    ana.says("STOP", to)
    assert stopped(rt, cast.acme) == taken
    ana.says("START", to)
    assert stopped(rt, cast.acme) == set(), "what a STOP took, a START to the same gives back"


def test_until_the_last_day_of_january_2027_has_come_a_sender_may_be_narrow(rt: Runtime) -> None:
    assert rt.settings.revoke_all_from == date(2027, 1, 31)


@pytest.mark.usefixtures("narrow")
def test_a_stop_from_before_the_day_is_given_back_after_it(rt: Runtime, cast: Cast) -> None:
    ana = Person(on(rt, days_to_revoke_all=1), cast.acme)
    ana.says("STOP", OFFERS)
    ana.rt = on(rt, days_to_revoke_all=0)
    ana.says("START", OFFERS)
    assert stopped(rt, cast.acme) == set()


@pytest.mark.usefixtures("narrow")
def test_two_stops_before_and_after_the_day_are_given_back_by_one_start(
    rt: Runtime, cast: Cast
) -> None:
    ana = Person(on(rt, days_to_revoke_all=1), cast.acme)
    ana.says("STOP", OFFERS)
    ana.rt = on(rt, days_to_revoke_all=0)
    ana.says("STOP", OFFERS)
    assert stopped(rt, cast.acme) == ALL
    ana.says("START", OFFERS)
    assert stopped(rt, cast.acme) == set()


@pytest.mark.usefixtures("narrow")
def test_a_start_gives_back_nothing_that_another_narrow_senders_stop_took(
    rt: Runtime, cast: Cast
) -> None:
    ana = Person(on(rt, days_to_revoke_all=1), cast.acme)
    ana.says("STOP", NEWS)
    ana.says("STOP", OFFERS)
    ana.says("START", OFFERS)
    assert stopped(rt, cast.acme) == {"news"}


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("order", [(NEWS,), (NEWS, OFFERS), (OFFERS, NEWS)])
def test_after_the_day_a_start_lifts_all_only_if_all_of_it_was_said_to_that_sender(
    rt: Runtime, cast: Cast, order: tuple[str, ...]
) -> None:
    ana = Person(on(rt, days_to_revoke_all=0), cast.acme)
    for to in order:
        ana.says("STOP", to)
    assert "could not" in (ana.says("START", OFFERS) or "")
    assert stopped(rt, cast.acme) == ALL


WIDE = {"topic": "*", "channel": "*"}
TO_OFFERS = {"topic": "offers", "channel": "*"}
TO_SMS = {"topic": "*", "channel": "sms"}


CHANGES = [(WIDE, TO_OFFERS), (WIDE, TO_SMS), (TO_OFFERS, WIDE), (TO_OFFERS, TO_SMS)]


def turn(rt: Runtime, made: Sender, to: dict[str, str]) -> None:
    with rt.writing() as connection:
        senders.change(connection, senders.changed(made, **to))


@pytest.mark.parametrize(("was", "becomes"), CHANGES, ids=str)
def test_what_a_stop_took_stays_when_the_sender_is_changed_and_a_start_gives_it_back(
    rt: Runtime, cast: Cast, was: dict[str, str], becomes: dict[str, str]
) -> None:
    made = register(rt, cast.acme, OFFERS, SenderKind.SHORT_CODE, **was)
    ana = Person(on(rt, days_to_revoke_all=None), cast.acme)
    ana.says("STOP", OFFERS)
    before = stopped(rt, cast.acme)
    turn(rt, made, becomes)
    assert stopped(rt, cast.acme) == before
    assert "again" in (ana.says("START", OFFERS) or "")
    assert stopped(rt, cast.acme) == set()


def test_of_what_a_changed_sender_took_a_start_leaves_what_others_were_told_too(
    rt: Runtime, cast: Cast
) -> None:
    made = register(rt, cast.acme, OFFERS, SenderKind.SHORT_CODE, **TO_OFFERS)
    register(rt, cast.acme, NEWS, SenderKind.SHORT_CODE, **TO_OFFERS)
    ana = Person(on(rt, days_to_revoke_all=None), cast.acme)
    for to in (OFFERS, NEWS):
        ana.says("STOP", to)
    turn(rt, made, TO_SMS)
    ana.says("START", OFFERS)
    assert stopped(rt, cast.acme) == {"offers"}


@pytest.mark.usefixtures("narrow")
def test_a_narrow_senders_doubtful_words_hold_its_own_stream(rt: Runtime, cast: Cast) -> None:
    ana = Person(on(rt, days_to_revoke_all=1), cast.acme)
    ana.says("enough", OFFERS)
    assert stopped(rt, cast.acme) == {"offers"}
    with rt.reading() as connection:
        assert reviews.get(connection, cast.acme, 1, rt.keys).topic == "offers"


def test_a_start_gives_back_nothing_that_was_not_taken_by_text(rt: Runtime, cast: Cast) -> None:
    for number, source in enumerate(set(Source) - {Source.TEXT, Source.PROVIDER}):
        phone = Address.parse(Kind.PHONE, f"+1415555{number:04d}")
        evidence = Evidence(
            cast.acme, Action.OPT_OUT, phone, EVERYTHING, source, Authority.AGENT, "key:1"
        )
        with rt.writing() as connection:
            rt.record(connection, evidence)
        person = Person(rt, cast.acme)
        for text in ("STOP", "START"):
            person.says(text, person=phone.value, message_id=f"SM-{source}-{text}")
        assert suppressed(rt, cast.acme, phone=phone), source


def test_a_start_to_one_brand_leaves_another_brands_stop(rt: Runtime, cast: Cast) -> None:
    share_account(rt, cast.bolt)
    register(rt, cast.bolt, "80000", SenderKind.SHORT_CODE)
    ana = Person(rt, cast.acme, cast.bolt)
    ana.says("STOP", stage.SHORT_CODE)
    ana.says("STOP", "80000")
    ana.says("START", "80000")
    assert (suppressed(rt, cast.acme), suppressed(rt, cast.bolt)) == (True, False)


def test_on_a_number_that_two_brands_share_stop_stops_both_and_start_lifts_neither(
    rt: Runtime, cast: Cast
) -> None:
    share_account(rt, cast.bolt)
    register(rt, cast.bolt, stage.SHORT_CODE, SenderKind.SHORT_CODE)
    ana = Person(rt, cast.acme, cast.bolt)
    assert "Acme Shop" in (ana.says("STOP", stage.SHORT_CODE) or ""), "one reply, of the first"
    assert "could not" in (ana.says("START", stage.SHORT_CODE) or "")
    assert (suppressed(rt, cast.acme), suppressed(rt, cast.bolt)) == (True, True)


def test_a_stop_to_an_unknown_sender_stops_all_of_the_account_and_is_reviewed(
    rt: Runtime, cast: Cast
) -> None:
    ana = Person(rt, cast.acme, cast.bolt)
    for _ in range(2):
        assert ana.says("STOP", "+15005550099", message_id="SM-unknown") is None
    for tenant in (cast.acme, cast.bolt):
        assert everything_is_stopped(rt, tenant)
        with rt.reading() as connection:
            assert reviews.get(connection, tenant, 1, rt.keys).why == "unknown_sender"
    with rt.reading() as connection:
        assert reviews.open_count(connection) == 2
    ana.says("START", "+15005550099")
    for tenant in (cast.acme, cast.bolt):
        assert everything_is_stopped(rt, tenant), "a START must say to whom"


def everything_is_stopped(rt: Runtime, tenant: int) -> bool:
    return all(
        suppressed(rt, tenant, channel, purpose=purpose)
        for channel in ("sms", "whatsapp", "rcs", "voice")
        for purpose in ("marketing", "transactional")
    )


def test_small_talk_and_help_to_an_unknown_sender_are_nobodys(rt: Runtime, cast: Cast) -> None:
    ana = Person(rt, cast.acme)
    assert ana.says("HELP", "+15005550099") is None
    assert ana.says("hello", "+15005550099") is None
    assert events(rt) == 0


def test_the_number_goes_before_the_service_and_the_channels_own_before_both(
    rt: Runtime, cast: Cast
) -> None:
    register(rt, cast.acme, "MG1", SenderKind.MESSAGING_SERVICE, topic="events")
    register(rt, cast.acme, "+15005550077", SenderKind.LONG_CODE, topic="offers")
    register(rt, cast.acme, "whatsapp:+15005550077", SenderKind.WHATSAPP, topic="newsletter")
    ana = Person(on(rt, days_to_revoke_all=None), cast.acme)
    ana.says("STOP", "+15005550088", service="MG1")
    ana.says("STOP", "+15005550077", service="MG1")
    ana.says("STOP", "+15005550077", service="MG1", channel="whatsapp")
    with rt.reading() as connection:
        told = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert [event.scope.topic for event in told] == ["events", "offers", "newsletter"]
