"""A doubtful text from the hold to the decision, and what stands then."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from optout_service.core.address import Address
from optout_service.core.errors import Conflict, InvalidRequest, LiftCap, NotFound
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.review import ReviewDecision, ReviewState, Why
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from optout_service.store import chain, decisions, feed, reviews, tenants
from optout_service.store.decisions import Grounds
from optout_service.store.reviews import Doubt, Review
from optout_service.store.tables import address_book, review
from tests.cast import ANA, BO
from tests.stage import Cast
from tests.store.acts import PHONE, act, doubt
from tests.store.test_concurrency import at_once
from tests.store.test_reviews import found

OUT, NOT_OUT = ReviewDecision
SMS = Scope("sms", "*", "marketing")
RECEIPTS = Scope("sms", "*", "transactional")
EVERYTHING = Scope("*", "*", "*")
GROUNDS = Grounds(Authority.AGENT, "key:7", "She asked for fewer peppers.", "T-1")


def say(tenant: int, scope: Scope, action: Action = Action.OPT_OUT) -> Evidence:
    return act(
        tenant,
        action,
        address=PHONE,
        scope=scope,
        source=Source.TEXT,
        authority=Authority.RECIPIENT_PHONE,
    )


def held(rt: Runtime, tenant: int, **changes: Any) -> Review:
    """What a door does with a doubtful text: hold marketing, and open a review."""
    topic = changes.get("topic", "*")
    with rt.writing(tenant) as connection:
        hold = rt.record(connection, say(tenant, Scope("*", topic, "marketing")))
        given = replace(doubt(tenant, **changes), hold_event=hold.event)
        return reviews.open_review(connection, given, at=rt.now(), keys=rt.keys)


def unheld(rt: Runtime, given: Doubt) -> Review:
    with rt.writing() as connection:
        return reviews.open_review(connection, given, at=rt.now(), keys=rt.keys)


def decide(
    rt: Runtime,
    tenant: int,
    number: int,
    decision: ReviewDecision,
    grounds: Grounds = GROUNDS,
    *,
    lift_cap: int = 100,
    address: str | None = None,
) -> Review:
    # Not of one tenant's turn: another process would not wait for it either.
    with rt.writing() as connection:
        return decisions.decide(
            connection,
            tenant,
            number,
            decision,
            grounds,
            at=rt.now(),
            keys=rt.keys,
            lift_cap=lift_cap,
            address=address,
        )


def suppressed(rt: Runtime, tenant: int, scope: Scope = SMS, address: Address = PHONE) -> bool:
    return rt.check(tenant, address, scope).suppressed


def history(rt: Runtime, tenant: int, address: Address = PHONE) -> list[feed.Event]:
    with rt.reading() as connection:
        return feed.history(connection, tenant, address, rt.keys)


def test_a_doubtful_text_stops_marketing_until_it_is_decided_to_be_no_opt_out(
    rt: Runtime, cast: Cast
) -> None:
    held(rt, cast.acme)
    assert suppressed(rt, cast.acme)
    assert not suppressed(rt, cast.acme, RECEIPTS)
    decided = decide(rt, cast.acme, 1, NOT_OUT).decided
    assert decided is not None
    assert (decided.decision, decided.event, decided.changed) == (NOT_OUT, 2, True)
    assert not suppressed(rt, cast.acme)


def test_with_a_stop_in_between_it_stays_stopped(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    with rt.writing() as connection:
        rt.record(connection, say(cast.acme, EVERYTHING))
    decided = decide(rt, cast.acme, 1, NOT_OUT).decided
    assert decided is not None
    assert (decided.event, decided.changed) == (3, False), "written down all the same"
    for scope in (SMS, RECEIPTS):
        assert suppressed(rt, cast.acme, scope)


def test_what_stood_before_the_text_stands_after_it(rt: Runtime, cast: Cast) -> None:
    with rt.writing() as connection:
        rt.record(connection, say(cast.acme, Scope("*", "*", "marketing")))
    held(rt, cast.acme)
    decide(rt, cast.acme, 1, NOT_OUT)
    assert suppressed(rt, cast.acme)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("topic", ["*", "offers"])
def test_two_doubtful_texts_hold_until_both_are_decided(
    rt: Runtime, cast: Cast, order: tuple[int, int], topic: str
) -> None:
    held(rt, cast.acme)
    held(rt, cast.acme, topic=topic)
    scope = Scope("sms", "offers", "marketing")
    seen = []
    for number in order:
        decide(rt, cast.acme, number, NOT_OUT)
        seen.append(suppressed(rt, cast.acme, scope))
    assert seen == [True, False]


def test_decided_to_be_an_opt_out_it_stops_everything_to_that_phone(
    rt: Runtime, cast: Cast
) -> None:
    opened = held(rt, cast.acme)
    decided = decide(rt, cast.acme, 1, OUT).decided
    assert decided is not None
    assert (decided.event, decided.changed, decided.by) == (2, True, "key:7")
    for scope in (SMS, RECEIPTS, Scope("voice", "*", "marketing")):
        assert suppressed(rt, cast.acme, scope)
    written = history(rt, cast.acme)[-1]
    assert (written.source, written.actor) == (Source.OPERATOR, "key:7")
    assert written.occurred_at == opened.received_at, "it was said when it came"
    assert written.evidence == {
        "review": "1",
        "reason": "She asked for fewer peppers.",
        "reference": "T-1",
    }


def test_of_a_narrowed_sender_an_opt_out_stops_its_topic(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme, topic="offers")
    decide(rt, cast.acme, 1, OUT)
    assert suppressed(rt, cast.acme, Scope("sms", "offers", "transactional"))
    assert not suppressed(rt, cast.acme, Scope("sms", "newsletter", "marketing"))


def test_of_a_mailbox_an_opt_out_stops_marketing(rt: Runtime, cast: Cast) -> None:
    mailbox = Address.parse(Kind.EMAIL, ANA.email)
    unheld(rt, doubt(cast.acme, address=mailbox, channel="email", why=Why.MAIL))
    decide(rt, cast.acme, 1, OUT)
    assert suppressed(rt, cast.acme, Scope("email", "*", "marketing"), mailbox)
    assert not suppressed(rt, cast.acme, Scope("email", "*", "transactional"), mailbox)


def test_why_it_was_decided_so_is_kept(rt: Runtime, cast: Cast) -> None:
    unheld(rt, doubt(cast.acme))
    decided = decide(rt, cast.acme, 1, NOT_OUT).decided
    assert decided is not None
    assert (decided.reason, decided.reference) == (GROUNDS.reason, "T-1")
    assert (decided.event, decided.changed) == (None, False), "nothing was held"
    assert history(rt, cast.acme) == []


def test_the_same_decision_again_changes_nothing(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    first = decide(rt, cast.acme, 1, NOT_OUT)
    other = Grounds(Authority.ADMIN, "key:8", "I think so too.")
    assert decide(rt, cast.acme, 1, NOT_OUT, other) == first
    assert len(history(rt, cast.acme)) == 2


@pytest.mark.parametrize("first", [OUT, NOT_OUT])
def test_a_decision_is_not_turned_round(rt: Runtime, cast: Cast, first: ReviewDecision) -> None:
    held(rt, cast.acme)
    decide(rt, cast.acme, 1, first)
    other = NOT_OUT if first is OUT else OUT
    with pytest.raises(Conflict):
        decide(rt, cast.acme, 1, other)
    assert suppressed(rt, cast.acme) is (first is OUT)


def test_two_agents_who_decide_at_once_record_one_act(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    first, second = at_once(2, lambda _: decide(rt, cast.acme, 1, NOT_OUT))
    assert first == second
    assert len(history(rt, cast.acme)) == 2


def test_taking_a_hold_back_counts_against_the_cap(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    with pytest.raises(LiftCap):
        decide(rt, cast.acme, 1, NOT_OUT, lift_cap=0)
    assert found(rt, cast.acme, 1).decided is None, "to be decided another day"
    assert suppressed(rt, cast.acme)
    assert decide(rt, cast.acme, 1, OUT, lift_cap=0).decided


def test_another_tenants_review_cannot_be_decided(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    for tenant, number in ((cast.bolt, 1), (cast.acme, 2), (cast.acme, 2**63)):
        with pytest.raises(NotFound):
            decide(rt, tenant, number, NOT_OUT)
    assert suppressed(rt, cast.acme)


def test_whom_a_damaged_link_is_about_is_found_out_by_who_decides(rt: Runtime, cast: Cast) -> None:
    unheld(rt, doubt(cast.acme, address=None, why=Why.DAMAGED_LINK))
    with pytest.raises(InvalidRequest):
        decide(rt, cast.acme, 1, OUT)
    decided = decide(rt, cast.acme, 1, OUT, address=ANA.phone)
    assert decided.address == PHONE
    assert suppressed(rt, cast.acme)


def test_of_nobody_it_can_be_decided_that_it_was_no_opt_out(rt: Runtime, cast: Cast) -> None:
    unheld(rt, doubt(cast.acme, address=None, why=Why.DAMAGED_LINK))
    assert decide(rt, cast.acme, 1, NOT_OUT).decided


def test_a_review_of_one_person_cannot_be_decided_for_another(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    with pytest.raises(InvalidRequest):
        decide(rt, cast.acme, 1, OUT, address=BO.phone)
    assert decide(rt, cast.acme, 1, OUT, address=ANA.phone).decided


def test_it_can_be_decided_without_an_address_book(rt: Runtime) -> None:
    with rt.writing() as connection:
        lean = tenants.create(connection, "lean", name="Lean", address_book=False, at=rt.now())
    held(rt, lean.id)
    assert decide(rt, lean.id, 1, NOT_OUT).decided
    assert not suppressed(rt, lean.id)


def test_after_an_erasure_whoever_decides_gives_the_address(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    with rt.writing() as connection:
        connection.execute(update(review).values(private=None))
        connection.execute(address_book.delete())
    with pytest.raises(InvalidRequest):
        decide(rt, cast.acme, 1, NOT_OUT)
    assert decide(rt, cast.acme, 1, NOT_OUT, address=ANA.phone).decided


def test_a_decided_review_is_neither_open_nor_overdue(rt: Runtime, cast: Cast) -> None:
    opened = held(rt, cast.acme)
    held(rt, cast.acme)
    decide(rt, cast.acme, 1, NOT_OUT)
    late = opened.due_at + timedelta(days=1)
    with rt.reading() as connection:
        assert reviews.open_count(connection) == 1
        assert reviews.overdue_count(connection, late) == 1
        rows, _ = reviews.page(
            connection,
            cast.acme,
            state=ReviewState.DECIDED,
            at=late,
            after=0,
            limit=9,
            keys=rt.keys,
        )
    assert [row.number for row in rows] == [1]


def test_the_ledger_stays_whole(rt: Runtime, cast: Cast) -> None:
    for decision in (OUT, NOT_OUT):
        decide(rt, cast.acme, held(rt, cast.acme).number, decision)
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).events == 4
