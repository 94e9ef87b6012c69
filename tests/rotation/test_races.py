"""A rotation under fire: acts, checks and other movers at the same time, in several processes."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.evidence import Action
from optout_service.core.scope import Kind
from optout_service.rotation import pepper
from optout_service.runtime import Connection, Runtime
from optout_service.store import chain, regimes, rotating, tenants
from tests.rotation.ground import RING, process
from tests.rotation.test_pepper import stored
from tests.stage import Cast
from tests.store.acts import MAIL, MARKETING, NEWSLETTER, act

CROWD = [Address.parse(Kind.EMAIL, f"c{number}@example.com") for number in range(24)]


@pytest.fixture
def two(rt: Runtime, cast: Cast) -> Iterator[tuple[Runtime, Runtime]]:
    """Two processes with the new pepper, and a crowd that has left."""
    with rt.writing() as connection:
        rt.record_many(connection, [act(cast.acme, address=one) for one in CROWD])
        for one in CROWD[::5]:
            rt.record(connection, act(cast.bolt, address=one))
    with ExitStack() as stack:
        yield stack.enter_context(process(rt)), stack.enter_context(process(rt))


def test_no_acknowledged_act_is_missed_by_the_very_next_check(
    two: tuple[Runtime, Runtime], cast: Cast
) -> None:
    writers, ended = 4, threading.Event()

    def live(number: int) -> int:
        """Leave and come back, and ask in the other process each time."""
        rounds = 0
        writes, asks = two[number % 2], two[(number + 1) % 2]
        mine = CROWD[number::writers]
        while not (ended.is_set() and rounds):
            for address in mine:
                for action in (Action.OPT_IN, Action.OPT_OUT):
                    with writes.writing(cast.acme) as connection:
                        writes.record(connection, act(cast.acme, action, address=address))
                    found = asks.check(cast.acme, address, NEWSLETTER).suppressed
                    assert found is (action is Action.OPT_OUT)
            rounds += 1
        return rounds

    with ThreadPoolExecutor(writers + 1) as pool:
        lives = [pool.submit(live, number) for number in range(writers)]
        second = pool.submit(pepper.rotate, two[1], step=2)
        try:
            first = pepper.rotate(two[0], step=1)
            assert first.done or second.result().done
            second.result()
        finally:
            ended.set()
        assert all(one.result() for one in lives)
    assert stored(two[0]) == {RING.forms(RING.digest(address))[1] for address in CROWD}
    assert all(two[1].check(cast.acme, one, NEWSLETTER).suppressed for one in CROWD)
    with two[0].reading() as connection:
        assert chain.verify(connection, cast.acme, RING).whole


def waits(connection: Connection) -> bool:
    """Whether somebody stands before a lock that this connection's database holds."""
    held_up = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return bool(connection.execute(text(held_up)).scalar())


def until_it_waits(rt: Runtime, act: "Future[Any]") -> None:
    """On SQLite nothing tells; there all writers stand in one line anyway."""
    if rt.database.dialect == "postgresql":
        waiting = False
        while not waiting and not act.done():
            with rt.reading() as connection:
                waiting = waits(connection)


def test_who_waited_while_a_rotation_began_writes_under_the_new_pepper(
    two: tuple[Runtime, Runtime], cast: Cast
) -> None:
    def leave() -> None:
        with two[1].writing(cast.acme) as connection:
            two[1].record(connection, act(cast.acme, address=MAIL))

    with ThreadPoolExecutor(1) as pool:
        with two[0].writing() as connection:
            rotating.begin(connection, RING)
            left = pool.submit(leave)
            until_it_waits(two[0], left)
        left.result()
    assert two[1].check(cast.acme, MAIL, NEWSLETTER).suppressed
    assert RING.forms(RING.digest(MAIL))[1] in stored(two[0])
    assert RING.digest(MAIL) not in stored(two[0])


def test_a_rotation_waits_for_who_writes_under_the_old_pepper(
    two: tuple[Runtime, Runtime], cast: Cast
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with two[1].writing(cast.acme) as connection:
            two[1].record(connection, act(cast.acme, address=MAIL))
            rotated = pool.submit(pepper.rotate, two[0])
            until_it_waits(two[1], rotated)
        assert rotated.result().done
    assert two[1].check(cast.acme, MAIL, NEWSLETTER).suppressed
    assert stored(two[0]) == {RING.forms(RING.digest(one))[1] for one in (*CROWD, MAIL)}


def test_a_rotation_waits_for_a_tenant_that_is_being_made(two: tuple[Runtime, Runtime]) -> None:
    def begin() -> None:
        with two[0].writing() as connection:
            rotating.begin(connection, RING)

    with ThreadPoolExecutor(1) as pool:
        with two[1].writing() as connection:
            made = tenants.create(connection, "late", name="Late", at=two[1].now())
            begun = pool.submit(begin)
            until_it_waits(two[1], begun)
        begun.result()
    with two[0].reading() as connection:
        assert regimes.current(connection, made.id, RING).moving
    assert not two[0].check(made.id, MAIL, MARKETING).suppressed
