"""Whose turn it is: a pool of threads that no kind of caller can hold altogether.

People who opt out, providers who tell of it, and probes come first, and may have every thread. The
API has a share of them, lists a third of that share, and batches a sixth: under one interpreter's
lock more of them at once would not be done sooner. So an opt-out never stands in line behind
senders, and a check not behind lists.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from queue import SimpleQueue
from time import monotonic
from typing import Final


class Rank(IntEnum):
    """What kind of request it is."""

    DOOR = 0
    """Of a recipient, a provider or a probe."""
    LETTER = 1
    """The same, with a body too long to wait for: whoever sends it slowly holds a thread."""
    PLAIN = 2
    """To the API, and soon done."""
    LONG = 3
    """To the API, and all computing: a batch."""
    STREAM = 4
    """To the API, a list of any length, in or out."""
    NEWS = 5
    """To the API, and to be answered when there is something to tell."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many threads each kind may hold, and how long one may wait for his."""

    threads: int
    """For all but those who wait for news: they have their own beside, since they do nothing."""
    api: int
    """Of these, for the API."""
    news: int
    patience: float
    """Seconds after which a request to the API is turned away instead: a check, that is. Who sends
    a list or a batch has time, and waits ten times as long."""

    def of(self, rank: Rank) -> int:
        """How many threads this rank may hold."""
        computing, moving = max(1, self.api // 6), max(1, self.api // 3)
        return (self.threads, self.api, self.api, computing, moving, self.news)[rank]

    def patience_of(self, rank: Rank) -> float:
        """How long this rank may wait, in seconds."""
        return self.patience * (10 if rank in (Rank.LONG, Rank.STREAM) else 1)


_Job = Callable[[Rank | None], None]
_Queue = SimpleQueue[tuple[Rank | None, _Job] | None]
_IN_API_SHARE: Final = (Rank.LETTER, Rank.PLAIN, Rank.LONG, Rank.STREAM)
_here: Final = threading.local()


def is_late() -> bool:
    """Whether what this thread does now has waited so long that it is to be turned away."""
    return bool(getattr(_here, "late", False))


class Turns:
    """The threads of a process, and those who wait for one.

    All its methods are for one thread, the one that knows of all connections: so nobody waits for a
    lock, which among threads that take turns costs more than the choice does.
    """

    def __init__(self, shares: Shares) -> None:
        """Starts the threads; so call it after the fork."""
        self._shares = shares
        self._most = {rank: shares.of(rank) for rank in Rank}
        self._held = dict.fromkeys(Rank, 0)
        self._held_by_api = 0
        self._waiting: dict[Rank, deque[tuple[float, _Job]]] = {rank: deque() for rank in Rank}
        self._waiters = 0
        self._ready: _Queue = SimpleQueue()
        self._ready_for_news: _Queue = SimpleQueue()
        # Apart from each other: a thread that has ever checked keeps a connection for it.
        for queue, threads in self._threads():
            for _ in range(threads):
                threading.Thread(target=_work, args=(queue,), daemon=True).start()

    def submit(self, rank: Rank, job: _Job) -> None:
        """Have a thread run the job, which raises nothing, when it is its turn.

        It is given its rank, for ``done``. One of the API's whose time is up before is run at once,
        whatever the shares; it is given None, and ``is_late`` says so. Who waits for news and finds
        no place is not made to wait for one.
        """
        if rank is Rank.NEWS and not self._has_room(rank):
            rank = Rank.PLAIN
        if not self._waiting[rank] and self._has_room(rank):
            self._start(rank, job)
        else:
            self._waiters += 1
            self._waiting[rank].append((monotonic(), job))

    def done(self, rank: Rank | None) -> None:
        """A job has ended, so that others may have their turn. ``rank``: what it was given."""
        if rank is not None:
            self._held[rank] -= 1
            self._held_by_api -= rank in _IN_API_SHARE
        while self._waiters and (following := self._longest_waiting()) is not None:
            self._start(following, self._next(following))

    def is_waited_for(self) -> bool:
        """Whether somebody waits."""
        return self._waiters > 0

    def turn_away(self) -> None:
        """Run those whose time is up. Call it every so often."""
        for rank, waiting in self._waiting.items():
            since = monotonic() - self._shares.patience_of(rank)
            while rank >= Rank.PLAIN and waiting and waiting[0][0] < since:
                self._ready.put((None, self._next(rank)))

    def shutdown(self, wait: bool = False) -> None:
        """Let the threads end when there is nothing more to do. ``wait`` is not heeded."""
        for queue, threads in self._threads():
            for _ in range(threads):
                queue.put(None)

    def _threads(self) -> tuple[tuple[_Queue, int], ...]:
        return (self._ready, self._shares.threads), (self._ready_for_news, self._shares.news)

    def _start(self, rank: Rank, job: _Job) -> None:
        self._held[rank] += 1
        self._held_by_api += rank in _IN_API_SHARE
        (self._ready_for_news if rank is Rank.NEWS else self._ready).put((rank, job))

    def _next(self, rank: Rank) -> _Job:
        self._waiters -= 1
        return self._waiting[rank].popleft()[1]

    def _longest_waiting(self) -> Rank | None:
        """Whose turn it is of those for whom there is room."""
        found = [rank for rank in Rank if self._waiting[rank] and self._has_room(rank)]
        return min(found, key=lambda rank: self._waiting[rank][0][0], default=None)

    def _has_room(self, rank: Rank) -> bool:
        if rank in _IN_API_SHARE and self._held_by_api >= self._shares.api:
            return False
        return self._held[rank] < self._most[rank]


def _work(queue: _Queue) -> None:
    while (found := queue.get()) is not None:
        rank, job = found
        _here.late = rank is None
        job(rank)
