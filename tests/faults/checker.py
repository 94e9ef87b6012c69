"""The judge: from a history and what the database holds afterwards, each broken promise.

It knows nothing of how the service works. A ledger's numbers make it exact: a check that is true
for number N must know every event up to N, and N may not lie below an event that was acknowledged
before the check began.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.faults.history import Call, History, Told

_ANSWERED = (Told.SUPPRESSED, Told.ALLOWED)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the database holds when all is over.

    ``events``: the ledger in order, number and address of each. ``suppressed``: address -> the
    event that its suppression names. ``fault``: what the walk along the chain found, if anything.
    """

    events: tuple[tuple[int, str], ...]
    suppressed: Mapping[str, int]
    fault: str = ""


def violations(history: History, after: Aftermath) -> tuple[str, ...]:
    """Every case in which a promise was broken, in words."""
    found = (_lost, _stale, _unproven, _unfounded, _half_done, _out_of_order)
    return tuple(text for judge in found for text in judge(history, after))


def _lost(history: History, after: Aftermath) -> Iterator[str]:
    """What was acknowledged is there, under the number that was told."""
    events = dict(after.events)
    for call in history.told(Told.STORED):
        if call.address not in after.suppressed:
            yield f"lost: {call} was acknowledged, and nothing stands"
        elif call.position is not None and events.get(call.position) != call.address:
            yield f"lost: {call} was acknowledged, and that event is another's, or is not there"


def _stale(history: History, _: Aftermath) -> Iterator[str]:
    """Who asks after an acknowledgement is told of it, and stands at its event or beyond."""
    acknowledged: dict[str, float] = {}
    for call in history.told(Told.STORED):
        acknowledged[call.address] = min(call.ended, acknowledged.get(call.address, call.ended))
    heights = _Heights(history)
    for call in history.told(*_ANSWERED):
        if call.told is Told.ALLOWED and acknowledged.get(call.address, call.ended) < call.begun:
            yield f"stale: {call} said allowed after the opt-out was acknowledged"
        if call.position is not None and call.position < (least := heights.at(call.begun)):
            yield f"stale: {call}, and event {least} had been acknowledged before"


def _unproven(history: History, after: Aftermath) -> Iterator[str]:
    """No "allowed" without a read that could know."""
    first: dict[str, int] = {}
    for number, address in after.events:
        first.setdefault(address, number)
    last = after.events[-1][0] if after.events else 0
    for call in history.told(Told.ALLOWED):
        if call.position is None:
            yield f"unproven: {call} said allowed, and not for which state"
        elif (number := first.get(call.address)) is not None and number <= call.position:
            yield f"unproven: {call} said allowed, and event {number} is its opt-out"
        elif call.position > last:
            yield f"unproven: {call} said allowed for a state that never was"
        if any(begun <= call.begun and call.ended <= ended for begun, ended in history.outages):
            yield f"unproven: {call} said allowed while there was nothing to read"


def _unfounded(history: History, after: Aftermath) -> Iterator[str]:
    """Nobody is suppressed whom nobody asked to suppress."""
    asked: dict[str, float] = {}
    for call in history.calls:
        if not call.asks:
            asked[call.address] = min(call.begun, asked.get(call.address, call.begun))
    for call in history.told(Told.SUPPRESSED):
        if asked.get(call.address, call.ended) >= call.ended:
            yield f"unfounded: {call} said suppressed before anybody had asked for it"
    for number, address in after.events:
        if address not in asked:
            yield f"unfounded: event {number} of {address} is there, and nobody had asked for it"


def _half_done(_: History, after: Aftermath) -> Iterator[str]:
    """What was not acknowledged is absent or complete: an event and its suppression, or neither."""
    numbers = defaultdict(set)
    for number, address in after.events:
        numbers[address].add(number)
    for address in numbers.keys() - after.suppressed.keys():
        yield f"half done: {address} has an event and no suppression"
    for address, number in after.suppressed.items():
        if number not in numbers.get(address, ()):
            yield f"half done: the suppression of {address} names event {number}, which is not its"


def _out_of_order(history: History, after: Aftermath) -> Iterator[str]:
    """The chain verifies; the ledger and what a reader followed have no gap and no repetition."""
    if after.fault:
        yield f"chain: {after.fault}"
    numbers = [number for number, _ in after.events]
    for name, seen in (("the ledger", numbers), ("the feed", history.followed)):
        for expected, number in enumerate(seen, start=1):
            if number != expected:
                yield f"gap: {name} has {number} where {expected} was due"
                break
    if history.followed and history.followed[-1] > (numbers[-1] if numbers else 0):
        yield f"lost: the feed showed event {history.followed[-1]}, and the ledger ends before it"


class _Heights:
    """The highest event that had been acknowledged, or told of, at any time."""

    def __init__(self, history: History) -> None:
        marks = sorted((call.ended, call.position) for call in history.calls if _has_place(call))
        self._times = [time for time, _ in marks]
        self._highest: list[int] = []
        for _, position in marks:
            below = self._highest[-1] if self._highest else 0
            self._highest.append(max(below, position or 0))

    def at(self, time: float) -> int:
        """What had been told strictly before then."""
        number = bisect_left(self._times, time)
        return self._highest[number - 1] if number else 0


def _has_place(call: Call) -> bool:
    return call.position is not None and call.told in (Told.STORED, *_ANSWERED)
