"""Late acts and acts taken back, on a ledger that remembers."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from optout_service.core.address import Address
from optout_service.core.errors import LiftCap
from optout_service.core.evidence import Action, Authority, Evidence, Reason
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import chain, feed, ledger, suppressions
from optout_service.store.ledger import Outcome
from optout_service.store.tables import event
from tests.cast import BO
from tests.stage import Cast
from tests.store.acts import AT, MAIL, MARKETING, NEWSLETTER, act


def minute(number: int) -> Any:
    return AT + timedelta(minutes=number)


def recorded(rt: Runtime, *acts: Evidence, lift_cap: int = 100) -> Outcome:
    """Record acts, each received a minute after the one before; give the last outcome."""
    for evidence in acts:
        with rt.writing() as connection:
            seen = len(feed.history(connection, evidence.tenant, evidence.address, rt.keys))
            outcome = ledger.record(
                connection, evidence, at=minute(60 + seen), keys=rt.keys, lift_cap=lift_cap
            )
    return outcome


def standing(rt: Runtime, tenant: int, address: Address = MAIL) -> list[int]:
    """The events of what stands."""
    with rt.reading() as connection:
        rows = suppressions.standing(connection, tenant, rt.keys.digest(address), rt.keys)
    return sorted(row.event for row in rows)


def undo(tenant: int, number: int, **changes: Any) -> Evidence:
    return act(tenant, Action.OPT_IN, undoes=number, **changes)


def test_an_opt_in_older_than_an_opt_out_is_written_down_and_changes_nothing(
    rt: Runtime, cast: Cast
) -> None:
    recorded(rt, act(cast.acme, occurred_at=minute(1)), act(cast.acme, occurred_at=minute(3)))
    late = recorded(rt, act(cast.acme, Action.OPT_IN, occurred_at=minute(3)))
    assert (late.event, late.changed, late.overtaken) == (3, False, True)
    assert late.suppression is not None, "what stands is told"
    assert standing(rt, cast.acme) == [1]
    newer = recorded(rt, act(cast.acme, Action.OPT_IN, occurred_at=minute(4)))
    assert (newer.changed, newer.overtaken) == (True, False)
    assert standing(rt, cast.acme) == []


@pytest.mark.parametrize(
    "elsewhere", [{"address": Address.parse(Kind.EMAIL, BO.email)}, {"tenant": 2}]
)
def test_anothers_opt_out_makes_nobodys_opt_in_late(
    rt: Runtime, cast: Cast, elsewhere: dict[str, Any]
) -> None:
    recorded(rt, act(cast.acme, occurred_at=minute(1)))
    recorded(rt, act(**({"tenant": cast.acme, "occurred_at": minute(9)} | elsewhere)))
    assert recorded(rt, act(cast.acme, Action.OPT_IN, occurred_at=minute(5))).changed


def test_undoing_takes_back_what_one_event_put(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme), act(cast.acme, scope=MARKETING))
    outcome = recorded(rt, undo(cast.acme, 2, scope=MARKETING))
    assert (outcome.changed, outcome.suppression) == (True, None)
    assert standing(rt, cast.acme) == [1]


def test_undoing_lifts_nothing_once_another_opt_out_came(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme), act(cast.acme, scope=MARKETING))
    outcome = recorded(rt, undo(cast.acme, 1))
    assert (outcome.event, outcome.changed, outcome.overtaken) == (3, False, True)
    assert standing(rt, cast.acme) == [1, 2]


def test_undoing_lifts_nothing_that_stood_before(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme, reason=Reason.BOUNCED), act(cast.acme), act(cast.acme))
    assert not recorded(rt, undo(cast.acme, 2)).changed
    assert not recorded(rt, undo(cast.acme, 3)).changed
    assert standing(rt, cast.acme) == [2]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_what_was_taken_back_is_remembered(rt: Runtime, cast: Cast, order: tuple[int, int]) -> None:
    recorded(rt, act(cast.acme), act(cast.acme))
    first, last = (undo(cast.acme, number) for number in order)
    assert not recorded(rt, first).changed
    assert recorded(rt, last).changed
    assert standing(rt, cast.acme) == []


def test_an_opt_in_whose_words_were_erased_takes_nothing_back(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme), act(cast.acme), undo(cast.acme, 1))
    with rt.writing() as connection:
        connection.execute(update(event).values(salt=None, private=None))
    assert not recorded(rt, undo(cast.acme, 2)).changed
    assert standing(rt, cast.acme) == [1]


def test_nothing_takes_back_what_is_still_to_come(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme), undo(cast.acme, 3), act(cast.acme))
    assert not recorded(rt, undo(cast.acme, 1)).changed, "the third event stands for itself"
    assert standing(rt, cast.acme) == [1]


def test_anothers_event_cannot_be_undone(rt: Runtime, cast: Cast) -> None:
    bo = Address.parse(Kind.EMAIL, BO.email)
    recorded(rt, act(cast.acme), act(cast.acme, address=bo))
    assert not recorded(rt, undo(cast.acme, 2)).changed
    assert (standing(rt, cast.acme), standing(rt, cast.acme, bo)) == ([1], [2])


def test_undoing_is_capped_like_every_lift_but_for_the_recipient(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme))
    with pytest.raises(LiftCap):
        recorded(rt, undo(cast.acme, 1, authority=Authority.AGENT), lift_cap=0)
    assert recorded(rt, undo(cast.acme, 1), lift_cap=0).changed


def test_which_event_was_undone_is_evidence_and_the_chain_is_whole(rt: Runtime, cast: Cast) -> None:
    recorded(rt, act(cast.acme), undo(cast.acme, 1, private={"ip": "192.0.2.1"}))
    with rt.reading() as connection:
        told = feed.history(connection, cast.acme, MAIL, rt.keys)[-1]
        assert told.evidence == {"ip": "192.0.2.1", "undoes": "1"}
        assert chain.verify(connection, cast.acme, rt.keys).whole
    assert told.scope == NEWSLETTER
