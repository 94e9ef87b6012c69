"""The only writer of suppressions."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from optout_service.core.errors import LiftCap, NotFound, NotLiftable, StoreUnavailable
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.scope import ANY, Scope
from optout_service.runtime import Runtime
from optout_service.store import chain, feed, ledger, suppressions, tenants
from optout_service.store.ledger import Outcome
from optout_service.store.tables import event, tenant
from tests.stage import Cast
from tests.store.acts import AT, MAIL, MARKETING, NEWSLETTER, act, message


def recorded(rt: Runtime, evidence: Evidence, lift_cap: int = 100) -> Outcome:
    with rt.writing() as connection:
        return ledger.record(connection, evidence, at=AT, keys=rt.keys, lift_cap=lift_cap)


def standing(rt: Runtime, tenant_id: int) -> set[Scope]:
    with rt.reading() as connection:
        rows = suppressions.standing(connection, tenant_id, rt.keys.digest(MAIL), rt.keys)
    return {row.scope for row in rows}


def position(rt: Runtime, tenant_id: int) -> int:
    with rt.reading() as connection:
        return connection.execute(select(tenant.c.seq).where(tenant.c.id == tenant_id)).scalar_one()


def test_an_opt_out_is_an_event_and_a_suppression(rt: Runtime, cast: Cast) -> None:
    outcome = recorded(rt, act(cast.acme))
    assert (outcome.event, outcome.changed) == (1, True)
    assert outcome.suppression is not None
    assert outcome.suppression.scope == NEWSLETTER
    assert outcome.suppression.since == AT
    assert standing(rt, cast.acme) == {NEWSLETTER}


def test_the_same_act_again_is_another_event_that_changes_nothing(rt: Runtime, cast: Cast) -> None:
    first = recorded(rt, act(cast.acme))
    second = recorded(rt, act(cast.acme))
    assert (second.event, second.changed) == (2, False)
    assert second.suppression == first.suppression


def test_leaving_coming_back_and_leaving_again_by_the_same_link(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme))
    back = recorded(rt, act(cast.acme, Action.OPT_IN))
    assert (back.changed, back.suppression) == (True, None)
    assert standing(rt, cast.acme) == set()
    assert recorded(rt, act(cast.acme)).changed
    assert standing(rt, cast.acme) == {NEWSLETTER}


def test_a_providers_message_counts_once_for_ever(rt: Runtime, cast: Cast) -> None:
    start = act(
        cast.acme,
        Action.OPT_IN,
        authority=Authority.RECIPIENT_PHONE,
        provider_message=message(1),
    )
    recorded(rt, act(cast.acme, provider_message=message(0)))
    recorded(rt, start)
    recorded(rt, act(cast.acme, provider_message=message(2)))
    assert recorded(rt, start) == Outcome(2, changed=True, replayed=True), "what it did then"
    assert standing(rt, cast.acme) == {NEWSLETTER}, "an old START after a newer STOP lifts nothing"
    assert position(rt, cast.acme) == 3


def test_an_act_at_an_unknown_tenant_is_refused(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        recorded(rt, act(4711))


def test_what_may_not_be_lifted_is_refused_and_leaves_no_trace(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme, reason=Reason.COMPLAINT))
    with pytest.raises(NotLiftable) as refusal:
        recorded(rt, act(cast.acme, Action.OPT_IN, authority=Authority.AGENT))
    assert refusal.value.extra["liftable_by"] == ["admin", "platform", "recipient_page"]
    assert position(rt, cast.acme) == 1
    assert standing(rt, cast.acme) == {NEWSLETTER}


def test_what_a_recipient_may_not_lift_is_written_down_as_asked_for(
    rt: Runtime, cast: Cast
) -> None:
    recorded(rt, act(cast.acme, reason=Reason.COMPLAINT))
    outcome = recorded(rt, act(cast.acme, Action.OPT_IN, authority=Authority.RECIPIENT_PHONE))
    assert (outcome.event, outcome.changed, len(outcome.refused)) == (2, False, 1)
    assert standing(rt, cast.acme) == {NEWSLETTER}


def test_opt_ins_that_are_not_the_recipients_are_capped_a_day(rt: Runtime, cast: Cast) -> None:
    lift = act(cast.acme, Action.OPT_IN, authority=Authority.INTEGRATION, source=Source.API)
    for _ in range(2):
        recorded(rt, act(cast.acme))
        recorded(rt, lift, lift_cap=2)
    recorded(rt, act(cast.acme))
    with pytest.raises(LiftCap):
        recorded(rt, lift, lift_cap=2)
    assert standing(rt, cast.acme) == {NEWSLETTER}
    by_the_person = replace(lift, authority=Authority.RECIPIENT_PAGE)
    assert recorded(rt, by_the_person, lift_cap=2).changed, "the person is never capped"
    recorded(rt, act(cast.acme))
    with rt.writing() as connection:
        tomorrow = AT + timedelta(days=1)
        assert ledger.record(connection, lift, at=tomorrow, keys=rt.keys, lift_cap=2).changed


def test_coming_back_for_one_topic_keeps_the_others_stopped(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme, scope=MARKETING))
    recorded(rt, act(cast.acme, Action.OPT_IN))
    allowed = {
        topic: not rt.check(cast.acme, MAIL, Scope("email", topic, "marketing")).suppressed
        for topic in ("newsletter", "offers", "events", ANY)
    }
    assert allowed == {"newsletter": True, "offers": False, "events": False, "*": False}


def test_a_topic_made_later_is_stopped_for_who_came_back_for_one(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme, scope=MARKETING))
    recorded(rt, act(cast.acme, Action.OPT_IN))
    with rt.writing() as connection:
        tenants.create_topic(connection, cast.acme, "surveys")
    assert rt.check(cast.acme, MAIL, Scope("email", "surveys", "marketing")).suppressed


def test_tenants_have_ledgers_of_their_own(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme))
    assert recorded(rt, act(cast.bolt)).event == 1
    assert recorded(rt, act(cast.acme)).event == 2


def test_an_event_that_could_not_be_applied_is_not_there_either(rt: Runtime, cast: Cast) -> None:
    def fail_after_recording() -> None:
        with rt.writing() as connection:
            ledger.record(connection, act(cast.acme), at=AT, keys=rt.keys, lift_cap=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_recording()
    assert position(rt, cast.acme) == 0
    assert standing(rt, cast.acme) == set()


def test_the_chain_verifies(rt: Runtime, cast: Cast) -> None:
    for _ in range(3):
        recorded(rt, act(cast.acme))
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys) == chain.Verification(
            3, head_of(rt, cast.acme)
        )


def head_of(rt: Runtime, tenant_id: int) -> bytes:
    with rt.reading() as connection:
        return connection.execute(
            select(tenant.c.head).where(tenant.c.id == tenant_id)
        ).scalar_one()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE event SET reason = 6 WHERE number = 2",
        "UPDATE event SET digest = (SELECT digest FROM suppression LIMIT 1), actor = 'x'"
        " WHERE number = 2",
        "DELETE FROM event WHERE number = 2",
        "DELETE FROM event WHERE number = 3",
        "UPDATE event SET number = 9 WHERE number = 3",
        "UPDATE tenant SET head = (SELECT hash FROM event WHERE number = 2)",
        "UPDATE event SET private = (SELECT e.private FROM event e WHERE e.number = 3),"
        " salt = (SELECT e.salt FROM event e WHERE e.number = 3) WHERE number = 2",
    ],
)
def test_an_edited_ledger_does_not_verify(rt: Runtime, cast: Cast, tampering: str) -> None:
    for _ in range(3):
        recorded(rt, act(cast.acme))
    with rt.writing() as connection:
        without_guards(connection)
        connection.execute(text(tampering))
    with rt.reading() as connection:
        assert not chain.verify(connection, cast.acme, rt.keys).whole


def without_guards(connection: object) -> None:
    """What only who owns the database can do: take the triggers away."""
    drop = connection.exec_driver_sql  # type: ignore[attr-defined]
    names = ["event_is_not_edited", "event_is_only_moved", "event_is_only_erased"]
    names += ["event_is_not_deleted"]
    for name in names:
        on = "" if connection.dialect.name == "sqlite" else " ON event"  # type: ignore[attr-defined]
        drop(f"DROP TRIGGER {name}{on}")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM event",
        "UPDATE event SET reason = 3",
        "UPDATE event SET private = salt",
    ],
)
def test_the_database_itself_refuses_to_edit_the_ledger(
    rt: Runtime, cast: Cast, statement: str
) -> None:
    recorded(rt, act(cast.acme))
    with pytest.raises(StoreUnavailable) as refusal, rt.writing() as connection:
        connection.execute(text(statement))
    assert isinstance(refusal.value.__cause__, DBAPIError)
    assert "append-only" in str(refusal.value.__cause__.orig)


def test_erasing_the_private_part_leaves_the_chain_whole(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme))
    recorded(rt, act(cast.acme))
    with rt.writing() as connection:
        connection.execute(update(event).values(salt=None, private=None))
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).whole
        assert feed.history(connection, cast.acme, MAIL, rt.keys)[0].evidence == {}


def test_the_history_tells_everything_that_happened(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme, private={"ip": "192.0.2.1"}))
    recorded(rt, act(cast.acme, Action.OPT_IN, source=Source.OPERATOR))
    with rt.reading() as connection:
        first, second = feed.history(connection, cast.acme, MAIL, rt.keys)
        assert feed.history(connection, cast.bolt, MAIL, rt.keys) == []
    assert (first.action, first.evidence) == (Action.OPT_OUT, {"ip": "192.0.2.1"})
    assert (second.action, second.source) == (Action.OPT_IN, Source.OPERATOR)
    assert second.address == MAIL


def test_without_an_address_book_no_address_is_kept(rt: Runtime) -> None:
    with rt.writing() as connection:
        lean = tenants.create(connection, "lean", name="Lean", address_book=False, at=AT)
    recorded(rt, act(lean.id, scope=MARKETING))
    with rt.reading() as connection:
        assert feed.page(connection, lean.id, after=0, limit=9, keys=rt.keys)[0].address is None
    assert rt.check(lean.id, MAIL, MARKETING).suppressed
