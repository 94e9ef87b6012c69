"""Nobody holds all threads but people: by the rules of who may begin, and who is turned away."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.worker import turns
from optout_service.worker.turns import Rank, Shares, Turns

PATIENCE = 30
"""Seconds after which a thread that should have come has not."""

Begun = tuple[str, Rank | None, bool]


class Hall:
    """A pool whose jobs go on until they are let go, and what has begun in it."""

    def __init__(self, shares: Shares) -> None:
        self.turns = Turns(shares)
        self.begun: SimpleQueue[Begun] = SimpleQueue()
        self._over = threading.Event()

    def come(self, *names: str, rank: Rank) -> None:
        for name in names:
            self.turns.submit(rank, self._job(name))

    def _job(self, name: str) -> Callable[[Rank | None], None]:
        def job(rank: Rank | None) -> None:
            self.begun.put((name, rank, turns.is_late()))
            if rank is not None:
                self._over.wait(PATIENCE)

        return job

    def first(self, number: int) -> set[str]:
        return {self.begun.get(timeout=PATIENCE)[0] for _ in range(number)}

    def close(self) -> None:
        self._over.set()
        self.turns.shutdown()


SHARES = Shares(threads=8, api=6, news=4, patience=3600)


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall(SHARES)
    yield made
    made.close()


def many(name: str, number: int = 50) -> list[str]:
    return [f"{name}{n}" for n in range(number)]


@pytest.mark.parametrize("rank", [rank for rank in Rank if rank is not Rank.DOOR])
def test_however_many_come_of_a_kind_a_person_gets_a_thread_at_once(rank: Rank, hall: Hall) -> None:
    hall.come(*many("crowd"), rank=rank)
    hall.first(SHARES.of(rank))
    hall.come("jo", "mo", rank=Rank.DOOR)
    assert {"jo", "mo"} <= hall.first(2 if rank is not Rank.NEWS else 2 + SHARES.api)
    assert hall.begun.empty()


def test_lists_batches_and_waiters_together_leave_threads_to_a_check(hall: Hall) -> None:
    held = 0
    for rank in (Rank.STREAM, Rank.LONG):
        hall.come(*many(rank.name), rank=rank)
        held += SHARES.of(rank)
    hall.come(*many("news", SHARES.news), rank=Rank.NEWS)
    hall.first(held + SHARES.news)
    hall.come("check", rank=Rank.PLAIN)
    assert hall.first(1) == {"check"}


def test_people_may_have_all_threads(hall: Hall) -> None:
    hall.come(*many("p", SHARES.threads), rank=Rank.DOOR)
    assert len(hall.first(SHARES.threads)) == SHARES.threads


def test_who_waits_longest_of_those_for_whom_there_is_room_is_next(hall: Hall) -> None:
    hall.come("batch", "second batch", rank=Rank.LONG)
    hall.come(*many("check", 5), rank=Rank.PLAIN)
    hall.first(6)
    hall.come("last", rank=Rank.PLAIN)
    hall.turns.done(Rank.PLAIN)
    assert hall.first(1) == {"last"}, "the batch that came before has no room yet"
    hall.turns.done(Rank.LONG)
    assert hall.first(1) == {"second batch"}


def test_a_request_to_the_api_whose_time_is_up_is_turned_away() -> None:
    hall = Hall(Shares(threads=2, api=1, news=1, patience=0))
    hall.come("scrub", "another scrub", rank=Rank.STREAM)
    hall.come("check", rank=Rank.PLAIN)
    hall.come("letter", rank=Rank.LETTER)
    assert hall.first(1) == {"scrub"}
    hall.turns.turn_away()
    told = sorted(hall.begun.get(timeout=PATIENCE) for _ in range(2))
    assert told == [("another scrub", None, True), ("check", None, True)]
    hall.turns.done(Rank.STREAM)
    assert hall.begun.get(timeout=PATIENCE) == ("letter", Rank.LETTER, False), "it is not late ever"
    hall.close()


def test_who_is_in_time_is_not_turned_away(hall: Hall) -> None:
    hall.come(*many("check"), rank=Rank.PLAIN)
    hall.turns.turn_away()
    hall.first(SHARES.api)
    assert hall.begun.empty()
    assert hall.turns.is_waited_for()


@given(st.integers(1, 64), st.integers(1, 64))
def test_every_kind_may_hold_something_and_lists_leave_room_for_checks(
    threads: int, api: int
) -> None:
    shares = Shares(threads, min(api, threads), threads // 2, 1)
    assert all(shares.of(rank) >= 1 for rank in Rank if rank is not Rank.NEWS)
    if shares.api >= 3:
        assert shares.of(Rank.LONG) + shares.of(Rank.STREAM) < shares.of(Rank.PLAIN)
