"""Many at once: clicks, readers of the feed, and one shared commit that fails."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from optout_service.core.address import Address
from optout_service.core.errors import StoreUnavailable
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import chain, feed
from tests.stage import Cast, settings_for
from tests.store.acts import MAIL, NEWSLETTER, act

T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    barrier = threading.Barrier(count)

    def start(number: int) -> T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def click(rt: Runtime, tenant: int, address: Address = MAIL) -> tuple[int, bool]:
    with rt.writing(tenant) as connection:
        outcome = rt.record(connection, act(tenant, address=address))
    return outcome.event, outcome.changed


def test_two_clicks_at_once_are_one_suppression_and_two_events(rt: Runtime, cast: Cast) -> None:
    clicks = at_once(2, lambda _: click(rt, cast.acme))
    assert sorted(event for event, _ in clicks) == [1, 2]
    assert sorted(changed for _, changed in clicks) == [False, True]
    assert len(rt.check(cast.acme, MAIL, NEWSLETTER).matches) == 1


def test_what_was_acknowledged_is_seen_by_the_very_next_check_of_any_process(
    rt: Runtime, cast: Cast, database_url: str
) -> None:
    other = Runtime.build(settings_for(database_url), rt.keys)
    try:
        for number in range(50):
            address = Address.parse(Kind.EMAIL, f"r{number}@example.com")
            assert not other.check(cast.acme, address, NEWSLETTER).suppressed
            click(rt, cast.acme, address)
            assert other.check(cast.acme, address, NEWSLETTER).suppressed
    finally:
        other.close()


def test_who_follows_the_feed_while_others_write_misses_nothing(
    rt: Runtime, cast: Cast, database_url: str
) -> None:
    writers, each = 6, 25
    second = Runtime.build(settings_for(database_url), rt.keys)
    done = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        while True:
            last = done.is_set()
            with rt.reading() as connection:
                page = feed.page(
                    connection,
                    cast.acme,
                    after=seen[-1] if seen else 0,
                    limit=7,
                    keys=rt.keys,
                )
            seen.extend(event.number for event in page)
            if last and not page:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    try:

        def write(number: int) -> None:
            for turn in range(each):
                address = Address.parse(Kind.EMAIL, f"w{number}-{turn}@example.com")
                click((rt, second)[number % 2], cast.acme, address)

        at_once(writers, write)
    finally:
        done.set()
        reader.join()
        second.close()
    assert seen == list(range(1, writers * each + 1))
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).whole


def test_an_act_that_fails_takes_none_of_its_neighbours_with_it(rt: Runtime, cast: Cast) -> None:
    def work(number: int) -> str:
        address = Address.parse(Kind.EMAIL, f"r{number}@example.com")
        try:
            with rt.writing() as connection:
                rt.record(connection, act(cast.acme, address=address))
                if number % 3 == 0:
                    raise ValueError
        except ValueError:
            return "refused"
        return "stored"

    outcomes = at_once(12, work)
    for number, outcome in enumerate(outcomes):
        address = Address.parse(Kind.EMAIL, f"r{number}@example.com")
        suppressed = rt.check(cast.acme, address, NEWSLETTER).suppressed
        assert suppressed == (outcome == "stored")
    assert outcomes.count("refused") == 4
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).events == 8


def test_a_reader_never_waits_for_a_writer(rt: Runtime, cast: Cast) -> None:
    with rt.writing() as connection:
        rt.record(connection, act(cast.acme))
        assert not rt.check(cast.acme, MAIL, NEWSLETTER).suppressed, "not committed, not seen"
    assert rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


def test_when_the_database_takes_no_writes_everybody_hears_of_it_soon(
    rt: Runtime, cast: Cast, database_url: str
) -> None:
    impatient = Runtime.build(settings_for(database_url, busy_timeout_ms=300), rt.keys)

    def refused(_: int) -> bool:
        try:
            click(impatient, cast.acme)
        except StoreUnavailable:
            return True
        return False

    try:
        with rt.writing() as connection:
            rt.record(connection, act(cast.acme))
            assert all(at_once(6, refused))
        assert click(impatient, cast.acme) == (2, False), "and it goes on by itself afterwards"
    finally:
        impatient.close()


@pytest.mark.parametrize("number", range(3))
def test_a_block_that_raised_leaves_the_store_usable(rt: Runtime, cast: Cast, number: int) -> None:
    with pytest.raises(ZeroDivisionError), rt.writing():
        _ = number / 0
    assert click(rt, cast.acme) == (1, True)
