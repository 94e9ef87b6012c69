"""What callers are told while something is wrong with the database, and how soon it is over."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from tests.faults.doors import Caller, Premises, mail, phone
from tests.faults.figures import Size
from tests.faults.history import ACTS, ASKS, Call, History, Told

_NEVER_LEAVES: Final = "stays@example.com"
_BETWEEN: Final = 0.1
"""Seconds between two looks whether all is well again."""

_IN_TIME: Final = {Size.FULL: 2.5, Size.BOUNDED: 10}
"""Seconds until a 503. Two are due, but libpq waits two whole ones for a connection, at the least;
and in the suite other tests have the processors."""


@dataclass(frozen=True)
class Fault:
    """Something wrong with the database, for as long as the block of ``begin()`` runs.

    ``reads``: whether the service can still read. ``kills``: whether a worker dies with it, and its
    connections. ``suite``: whether the suite has the time for it.
    """

    name: str
    begin: Callable[[], AbstractContextManager[object]]
    reads: bool = False
    kills: bool = False
    suite: bool = True


@dataclass
class Ward:
    """One running service, and a client at each door. Times in seconds; ``broken`` as a figure's.

    ``slowest``: the longest that anybody waited for a 503. ``longest``: until all was well again.
    """

    history: History
    callers: Sequence[Caller]
    size: Size
    slowest: float = 0
    longest: float = 0
    refused: int = 0
    broken: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _left: str = mail(0)

    def run(self, fault: Fault) -> None:
        """Ask at all doors at once while it lasts, and then until all is well again."""
        before = len(self.history.calls)
        with fault.begin():
            began = time.monotonic()
            for _ in range(self.size.pick(1, 4) + fault.kills):
                self.round()
            if not fault.reads:
                self.history.outages.append((began, time.monotonic()))
        self._judge(fault, self.history.calls[before:])
        self.settle(fault.name)

    def settle(self, after: str) -> None:
        """Ask until all are served well, and note how long it took."""
        began = time.monotonic()
        most = self.size.pick(60, 10)
        while not self.round():
            if time.monotonic() - began > most:
                self.broken.append(f"{after}: not well again after {most} s")
                break
            time.sleep(_BETWEEN)
        self.longest = max(self.longest, time.monotonic() - began)

    def round(self) -> bool:
        """Everybody at once. Says whether all were served well."""
        number = len(ACTS) * next(self._numbers)
        asking = [(door, who) for door in ASKS for who in (self._left, _NEVER_LEAVES)]
        with ThreadPoolExecutor(len(self.callers)) as pool:
            acts = [
                pool.submit(
                    one.act, door, phone(number) if door == "text" else mail(number + place)
                )
                for place, (one, door) in enumerate(zip(self.callers, ACTS, strict=False))
            ]
            asks = [
                pool.submit(one.ask, door, who)
                for one, (door, who) in zip(self.callers[len(ACTS) :], asking, strict=True)
            ]
        if acts[0].result() is Told.STORED:
            self._left = mail(number)
        told = {act.result() for act in acts}.union(*(ask.result().values() for ask in asks))
        return told <= {Told.STORED, Told.SUPPRESSED, Told.ALLOWED}

    def _judge(self, fault: Fault, calls: Sequence[Call]) -> None:
        """Refused in time, and told when to come again."""
        unheard = (Told.REFUSED,) if fault.kills else (Told.REFUSED, Told.NOTHING)
        refused = [call for call in calls if call.told is Told.UNAVAILABLE]
        if not refused:
            self.broken.append(f"{fault.name}: it did nothing")
        for call in refused:
            if call.seconds > _IN_TIME[self.size]:
                self.broken.append(f"{fault.name}: {call.door} waited {call.seconds:.1f} s")
            if call.retry_after is None:
                self.broken.append(f"{fault.name}: {call.door} was not told when to come again")
        for call in calls:
            if call.told in unheard:
                self.broken.append(f"{fault.name}: {call.door} was told {call.told.value}")
        self.refused += len(refused)
        self.slowest = max((self.slowest, *(call.seconds for call in refused)))


@contextmanager
def ward(premises: Premises, history: History, size: Size) -> Iterator[Ward]:
    """A service that answers everybody now."""
    with ExitStack() as stack:
        callers = [Caller(premises, history) for _ in range(len(ACTS) + 2 * len(ASKS))]
        for one in callers:
            stack.callback(one.close)
        made = Ward(history, callers, size)
        made.settle("the beginning")
        made.longest = 0
        yield made
