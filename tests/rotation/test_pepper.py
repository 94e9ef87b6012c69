"""A new pepper, while people opt out and senders ask: nobody is missed at any moment."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from optout_service.core.errors import Conflict, StoreUnavailable, WrongKeys
from optout_service.core.evidence import Action
from optout_service.rotation import pepper
from optout_service.runtime import Runtime
from optout_service.store import rotating, seal, tenants
from optout_service.store.regimes import MARKED
from optout_service.store.tables import event, suppression, tenant
from tests.rotation.ground import (
    EVERYWHERE,
    HELD_ONLY,
    LONGER,
    PEOPLE,
    RING,
    clearance,
    fill,
    of,
    process,
    rotate,
    say,
)
from tests.stage import KEYS, Cast
from tests.store.acts import MAIL, MARKETING, NEWSLETTER, act


@pytest.fixture
def old(rt: Runtime, cast: Cast) -> Runtime:
    """A process with the old ring, over a full database."""
    fill(rt, cast)
    return rt


@pytest.fixture
def new(old: Runtime) -> Iterator[Runtime]:
    """One with the new pepper in its ring, started before the rotation."""
    with process(old) as made:
        yield made


@pytest.fixture
def other(old: Runtime) -> Iterator[Runtime]:
    """Another such, which hears nothing of what ``new`` does."""
    with process(old) as made:
        yield made


def stored(rt: Runtime) -> set[bytes]:
    """All that is in any column for a digest."""
    with rt.reading() as connection:
        return {
            form
            for table in (*MARKED, suppression)
            for form in connection.scalars(select(table.c.digest))
            if form is not None
        }


def test_every_reader_says_the_same_before_during_and_after(
    new: Runtime, other: Runtime, cast: Cast
) -> None:
    before, moments = say(new, cast), 0
    while rotate(new, transactions=1) is None:
        moments += 1
        either = new if moments % 2 else other
        either.belief.regime = RING.regimes.all[0]
        assert say(either, cast) == before, f"after {moments} transactions"
    assert moments > 10
    other.belief.regime = RING.regimes.all[1]
    assert say(other, cast) == say(new, cast) == before


def test_nothing_is_left_under_the_old_pepper_alone(new: Runtime, cast: Cast) -> None:
    digests = {RING.digest(address) for address in PEOPLE}
    assert stored(new) == digests
    rotate(new)
    assert stored(new) == {RING.forms(digest)[1] for digest in digests}


def test_it_can_be_done_again_and_again(new: Runtime, cast: Cast) -> None:
    before = say(new, cast)
    rotate(new)
    with process(new, LONGER) as later:
        rotate(later, transactions=7)
        assert say(later, cast) == before
        rotate(later, step=100)
        assert say(later, cast) == before
        assert stored(later) == {LONGER.forms(RING.digest(address))[2] for address in PEOPLE}
        assert rotate(later).done is False  # type: ignore[union-attr]


@pytest.mark.parametrize("after", range(1, 13, 3))
def test_who_acts_while_it_moves_is_heard_by_every_process_at_once(
    new: Runtime, other: Runtime, cast: Cast, after: int
) -> None:
    rotate(new, transactions=after)
    free = [address for address in PEOPLE if address not in EVERYWHERE]
    with other.writing(cast.acme) as connection:
        acts = [act(cast.acme, address=address, scope=of(address)) for address in free[:2]]
        other.record_many(connection, acts)
    for address in free:
        asked = of(address)
        for action in (Action.OPT_OUT, Action.OPT_IN, Action.OPT_OUT, Action.OPT_IN):
            other.belief.regime = RING.regimes.all[0]
            with other.writing(cast.acme) as connection:
                other.record(connection, act(cast.acme, action, address=address, scope=asked))
            for any_ in (new, other):
                found = any_.check(cast.acme, address, asked)
                assert found.suppressed is (action is Action.OPT_OUT)
    with other.writing(cast.acme) as connection:
        acts = [act(cast.acme, address=address, scope=of(address)) for address in free]
        other.record_many(connection, acts)
    rotate(new)
    assert all(new.check(cast.acme, address, of(address)).suppressed for address in free)
    assert stored(new) == {RING.forms(RING.digest(address))[1] for address in PEOPLE}


def test_a_process_without_the_new_pepper_answers_nothing_and_writes_nothing(
    old: Runtime, new: Runtime, cast: Cast
) -> None:
    assert old.check(cast.acme, MAIL, MARKETING).suppressed
    rotate(new, transactions=1)
    with new.reading() as connection:
        before = connection.scalar(select(func.count()).select_from(event))
    for ask in (
        lambda: old.check(cast.acme, MAIL, MARKETING),
        lambda: old.check_many(cast.acme, [b"x" * 16], MARKETING),
        lambda: old.snapshot(cast.acme, MARKETING).__enter__(),
        lambda: say(old, cast),
    ):
        with pytest.raises(WrongKeys):
            ask()
    for tenant_id in (0, cast.acme):
        with pytest.raises(WrongKeys), old.writing(tenant_id) as connection:
            old.record(connection, act(tenant_id, address=HELD_ONLY))
        with pytest.raises(WrongKeys), old.writing(tenant_id) as connection:
            old.record_many(connection, [act(tenant_id, address=HELD_ONLY)])
    with new.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(event)) == before


@pytest.mark.parametrize("transactions", [1, None])
def test_what_a_release_without_generations_writes_is_refused_from_the_beginning_on(
    new: Runtime, cast: Cast, transactions: int | None
) -> None:
    copied = [c.name for c in event.columns if c.name not in ("number", "generation")]
    columns = ", ".join(f'"{name}"' for name in copied)
    statement = text(
        f"INSERT INTO event (number, {columns}) SELECT number + 900, {columns} FROM event"
        " WHERE tenant = 1"
    )
    rotate(new, transactions=transactions)
    with pytest.raises(StoreUnavailable) as refusal, new.writing() as connection:
        connection.execute(statement)
    assert "pepper that was rotated" in str(refusal.value.__cause__)


@pytest.mark.parametrize("transactions", [1, None])
@pytest.mark.parametrize("ring", [KEYS, replace(KEYS, covers=(b"x" * 31 + b"9",))])
def test_it_does_not_start_with_a_ring_that_lacks_the_new_pepper_or_has_another(
    new: Runtime, ring: object, transactions: int | None
) -> None:
    rotate(new, transactions=transactions)
    with pytest.raises(WrongKeys), process(new, ring):
        pass


def test_two_movers_at_once_and_one_that_comes_after_do_no_harm(
    new: Runtime, other: Runtime, cast: Cast
) -> None:
    before = say(new, cast)
    rotate(new, transactions=4)
    rotate(other, transactions=3, step=2)
    assert rotate(new, step=3) is not None
    done = rotate(other)
    assert done is not None
    assert not done.done
    assert say(other, cast) == before


def test_who_has_counted_in_one_rotation_does_not_end_another(new: Runtime) -> None:
    rotate(new, transactions=1)
    counted = new.belief.look()
    rotate(new)
    with process(new, LONGER) as later:
        rotate(later, transactions=1)
        with later.writing() as connection:
            rotating.settle(connection, LONGER, counted)
        assert later.belief.look() == LONGER.regimes.all[3]


def test_without_a_next_pepper_there_is_nothing_to_do(old: Runtime) -> None:
    done = pepper.rotate(old)
    assert (done.done, done.before, done.after) == (False, *[KEYS.fingerprints.pepper] * 2)


def test_a_tenant_made_meanwhile_is_in_it(new: Runtime, other: Runtime, cast: Cast) -> None:
    rotate(new, transactions=1)
    with other.writing() as connection:
        made = tenants.create(connection, "late", name="Late", at=other.now())
        tenants.create_topic(connection, made.id, "newsletter")
    with other.writing(made.id) as connection:
        other.record(connection, act(made.id))
    rotate(new)
    assert new.check(made.id, MAIL, NEWSLETTER).suppressed
    with new.reading() as connection:
        assert set(connection.scalars(select(tenant.c.regime))) == {2}


def test_in_quarantine_it_neither_begins_nor_ends(new: Runtime, cast: Cast) -> None:
    for transactions, regime in ((1, 0), (None, 1)):
        with new.writing() as connection:
            assert seal.quarantine(connection, RING)
        with pytest.raises(Conflict, match="quarantine"):
            rotate(new)
        with new.writing() as connection:
            assert seal.release(connection, RING)
            assert seal.regime_of(connection, RING).number == regime
        rotate(new, transactions=transactions)
    assert new.check(cast.acme, MAIL, MARKETING).suppressed


def test_rows_that_no_event_names_are_told_before_anything_begins(new: Runtime) -> None:
    with new.writing() as connection:
        connection.execute(text("UPDATE suppression SET event = 999 WHERE event = 3"))
    with pytest.raises(Conflict, match="suppression"):
        rotate(new)
    assert new.belief.look() == RING.regimes.all[0]


def test_what_was_left_behind_keeps_it_from_ending(new: Runtime) -> None:
    rotate(new, transactions=1)
    with new.writing() as connection:
        connection.execute(text("UPDATE legal_hold SET generation = 7"))
    with pytest.raises(Conflict, match="legal_hold"):
        rotate(new)
    assert new.belief.look().moving


def test_a_clearance_is_known_whenever_it_was_given(new: Runtime, cast: Cast) -> None:
    given = [clearance(new, cast.acme, MAIL)]
    rotate(new, transactions=1)
    new.belief.look()
    given.append(clearance(new, cast.acme, MAIL))
    rotate(new)
    given.append(clearance(new, cast.acme, MAIL))
    assert len({one.digest for one in given}) == 2
    for one in given:
        assert RING.digest(MAIL) in RING.digests_behind(one.digest)
        assert new.suppressed_now(one)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET digest = salt",
        "UPDATE event SET generation = 2",
        "UPDATE event SET generation = 2, digest = salt, hash = salt",
        "UPDATE event SET generation = 3, digest = salt",
    ],
)
def test_the_database_lets_an_event_move_once_and_only_while_it_moves(
    new: Runtime, statement: str
) -> None:
    def refused() -> bool:
        try:
            with new.writing() as connection:
                connection.execute(text(f"{statement} WHERE tenant = 1 AND number = 5"))
        except Exception as fault:
            return "append-only" in str(fault.__cause__)
        return False

    assert refused()
    rotate(new, transactions=1)
    if "generation = 2" not in statement or "hash" in statement:
        assert refused()
    rotate(new)
    assert refused()


def test_an_event_that_was_turned_to_somebody_else_is_found(new: Runtime, cast: Cast) -> None:
    rotate(new, transactions=1)
    with new.writing() as connection:
        connection.execute(
            text(
                "UPDATE event SET generation = 2, digest = (SELECT digest FROM event"
                " WHERE tenant = 1 AND number = 2) WHERE tenant = 1 AND number = 5"
            )
        )
    found = say(new, cast)["chain 1"]
    assert found.broken_at == 5
