"""Undo, and coming back: by the reader alone, deliberately, and never more than was meant."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from optout_service.core import offer
from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Reason, Source
from optout_service.core.offer import Offer
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import feed
from tests.cast import ANA, BO
from tests.recipients.pages import Page
from tests.stage import Cast
from tests.store.acts import act

MAIL = Address.parse(Kind.EMAIL, ANA.email)
ELSE = Address.parse(Kind.EMAIL, BO.email)
NEWSLETTER = Scope("email", "newsletter", "marketing")
OFFERS = Scope("email", "offers", "marketing")
ALL = Scope("*", "*", "marketing")


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


def tap(client: FlaskClient, link: str, action: str, **fields: str) -> Page:
    answer = client.post(link, data={"action": action} | fields)
    assert answer.status_code == 200
    return Page(answer.text)


def stopped(rt: Runtime, cast: Cast, scope: Scope = NEWSLETTER) -> bool:
    return rt.check(cast.acme, MAIL, scope).suppressed


def events(rt: Runtime, cast: Cast) -> int:
    with rt.reading() as connection:
        return len(feed.history(connection, cast.acme, MAIL, rt.keys))


def record(rt: Runtime, tenant: int, action: Action, scope: Scope, **facts: object) -> None:
    with rt.writing() as connection:
        rt.record(connection, act(tenant, action, address=MAIL, scope=scope, **facts))


@pytest.mark.parametrize("action", ["topic", "all"])
@pytest.mark.parametrize("taps", [1, 2, 3])
def test_undo_takes_back_what_was_tapped_however_often_it_was_tapped(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, action: str, taps: int
) -> None:
    done = [tap(client, link, action) for _ in range(taps)][-1]
    assert stopped(rt, cast)
    page = tap(client, link, "undo", offer=done.offer)
    assert not stopped(rt, cast)
    assert "Undone" in page.words
    assert page.actions[0] == "topic"


def test_undo_after_a_mail_clients_click_and_a_tap_takes_back_both(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    client.post(link, data={"List-Unsubscribe": "One-Click"})
    tap(client, link, "undo", offer=tap(client, link, "topic").offer)
    assert not stopped(rt, cast)


def test_undo_leaves_what_stood_before(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    tap(client, link, "topic")
    page = tap(client, link, "undo", offer=tap(client, link, "all").offer)
    assert stopped(rt, cast)
    assert not stopped(rt, cast, OFFERS)
    assert "Undone" in page.words
    assert "You are unsubscribed" in page.words


@pytest.mark.parametrize(
    "before",
    [
        {"source": Source.OPERATOR, "authority": Authority.AGENT},
        {"source": Source.MAIL},
        {"source": Source.PAGE, "reason": Reason.COMPLAINT},
    ],
)
def test_undo_of_a_tap_that_changed_nothing_leaves_what_another_door_stopped(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, before: dict[str, object]
) -> None:
    record(rt, cast.acme, Action.OPT_OUT, NEWSLETTER, **before)
    tap(client, link, "undo", offer=tap(client, link, "topic").offer)
    assert stopped(rt, cast)


def test_an_opt_out_that_came_after_it_keeps_undo_from_lifting_anything(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    done = tap(client, link, "topic")
    record(rt, cast.acme, Action.OPT_OUT, NEWSLETTER, source=Source.OPERATOR)
    page = tap(client, link, "undo", offer=done.offer)
    assert stopped(rt, cast)
    assert "no longer be undone" in page.words
    assert "return" in page.actions, "and there is another way back"


def test_undo_twice_is_undo_once_and_an_old_one_never_undoes_a_new_opt_out(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    done = tap(client, link, "topic")
    tap(client, link, "undo", offer=done.offer)
    assert "Undone" in tap(client, link, "undo", offer=done.offer).words
    tap(client, link, "topic")
    tap(client, link, "undo", offer=done.offer)
    assert stopped(rt, cast)


def test_what_was_chosen_together_is_undone_together(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    both = {"action": "choose", "stop": ["topic:newsletter", "topic:offers"]}
    client.post(link, data=both)
    done = Page(client.post(link, data=both).text)
    assert stopped(rt, cast)
    assert stopped(rt, cast, OFFERS)
    assert "acme-3, acme-4" in done.words
    tap(client, link, "undo", offer=done.offer)
    assert not stopped(rt, cast)
    assert not stopped(rt, cast, OFFERS)


def an_offer(rt: Runtime, tenant: int, address: Address, *numbers: int, age: int = 0) -> str:
    made = Offer(tenant, rt.keys.digest(address), numbers)
    return offer.sign(made, rt.keys, at=rt.now() - timedelta(minutes=age))


@pytest.mark.parametrize("action", ["undo", "return"])
@pytest.mark.parametrize("kind", ["none", "junk", "huge", "old", "of another", "elsewhere"])
def test_without_a_good_offer_nothing_is_written(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, action: str, kind: str
) -> None:
    tap(client, link, "topic")
    numbers = (1,) if action == "undo" else ()
    text = {
        "none": "",
        "junk": "é~x",
        "huge": "A" * 100_000,
        "old": an_offer(rt, cast.acme, MAIL, *numbers, age=30),
        "of another": an_offer(rt, cast.acme, ELSE, *numbers),
        "elsewhere": an_offer(rt, cast.bolt, MAIL, *numbers),
    }[kind]
    page = tap(client, link, action, offer=text)
    assert stopped(rt, cast)
    assert events(rt, cast) == 1
    assert "return" in page.actions


def test_the_offer_of_one_act_is_none_of_the_other(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    done = tap(client, link, "topic")
    question = tap(client, link, "return", offer=done.offer)
    tap(client, link, "undo", offer=question.offer)
    assert stopped(rt, cast)
    assert events(rt, cast) == 1


def test_an_event_of_somebody_else_is_not_undone(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    tap(client, link, "topic")
    other = f"/u/{rt.links.mint(Claim(cast.acme, 'email', ELSE, 'newsletter'))}"
    tap(client, other, "undo", offer=an_offer(rt, cast.acme, ELSE, 1))
    assert stopped(rt, cast)


def test_coming_back_takes_a_question_and_an_answer(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    tap(client, link, "topic")
    question = tap(client, link, "return")
    assert "Receive these messages again?" in question.words
    assert stopped(rt, cast)
    page = tap(client, link, "return", offer=question.offer)
    assert not stopped(rt, cast)
    assert "You will receive these messages again." in page.words
    again = tap(client, link, "return", offer=question.offer)
    assert "You will receive these messages again." in again.words
    assert events(rt, cast) == 2


def test_coming_back_for_one_topic_leaves_all_the_others_stopped(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    tap(client, link, "all")
    tap(client, link, "return", offer=tap(client, link, "return").offer)
    assert not stopped(rt, cast)
    for topic in ("offers", "events", "*"):
        assert stopped(rt, cast, Scope("email", topic, "marketing"))


def test_another_topic_can_come_back_too(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    client.post(link, data={"action": "choose", "stop": ["topic:newsletter", "topic:offers"]})
    question = tap(client, link, "return", again="topic:offers")
    assert "Offers" in question.words
    tap(client, link, "return", again="topic:offers", offer=question.offer)
    assert not stopped(rt, cast, OFFERS)
    assert stopped(rt, cast)


@pytest.mark.parametrize("again", ["topic:nothing", "topic:*", "*", "channel:sms", "'\"<b>"])
def test_what_there_is_none_of_does_not_come_back(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, again: str
) -> None:
    tap(client, link, "all")
    page = tap(client, link, "return", again=again, offer=an_offer(rt, cast.acme, MAIL))
    assert "You are unsubscribed" in page.words
    assert events(rt, cast) == 1


@pytest.mark.parametrize(
    ("reason", "tenant", "free"),
    [
        (Reason.COMPLAINT, "acme", True),
        (Reason.BOUNCED, "acme", False),
        (Reason.LEGAL, "acme", False),
        (Reason.OPTED_OUT, "platform", False),
    ],
)
def test_coming_back_lifts_what_the_ladder_allows_and_else_says_whom_to_ask(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str, reason: Reason, tenant: str, free: bool
) -> None:
    record(rt, cast.acme if tenant == "acme" else 0, Action.OPT_OUT, ALL, reason=reason)
    page = Page(client.get(link).text)
    assert ("return" in page.actions) is free
    forged = an_offer(rt, cast.acme, MAIL)
    answer = tap(client, link, "return", offer=forged)
    assert stopped(rt, cast) is not free
    assert ("cannot be changed here" in answer.words) is not free


def test_an_offer_lasts_half_an_hour_and_is_nobody_elses(rt: Runtime) -> None:
    made = datetime(2026, 11, 24, 12, tzinfo=UTC)
    mine = Offer(1, b"d" * 16, (7, 9))
    text = offer.sign(mine, rt.keys, at=made)

    def read(text: str, tenant: int, digest: bytes, minutes: float) -> Offer | None:
        at = made + timedelta(minutes=minutes)
        return offer.find(text, rt.keys, tenant=tenant, digest=digest, at=at)

    assert read(text, 1, mine.digest, 29.9) == mine
    assert read(text, 1, mine.digest, 30) is None
    assert read(text, 2, mine.digest, 0) is None
    assert read(text, 1, b"e" * 16, 0) is None
    assert all(
        read(text[:n] + "A" + text[n + 1 :], 1, mine.digest, 0) in (None, mine)
        for n in range(len(text))
        if text[n] != "A"
    )
