"""Many clients at once, at all doors: each leaves, asks about it, and asks about others."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tests.faults.doors import Caller, Premises, caller, mail, phone
from tests.faults.history import ACTS, ASKS, History, Told

_LIST: Final = 5
"""Addresses in one import."""
_PAUSE: Final = 0.05
"""Seconds that a client waits when it was not answered well, so that it is no busy loop."""

Turn = Callable[[Caller, int], bool]
"""One turn of a client, given a number of its own. Says whether all was answered."""


@contextmanager
def crowd(
    premises: Premises, history: History, clients: int, turn: Turn
) -> Iterator[threading.Event]:
    """Clients that take turns for as long as the block runs.

    The event is set when one of them raised, which is then raised at the end of the block.
    """
    numbers, done = itertools.count(), threading.Event()
    raised: list[BaseException] = []

    def play() -> None:
        try:
            with caller(premises, history) as one:
                while not done.is_set():
                    if not turn(one, next(numbers)):
                        time.sleep(_PAUSE)
        except BaseException as error:
            raised.append(error)
            done.set()

    threads = [threading.Thread(target=play) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if raised:
        raise raised[0]


def every_door(one: Caller, number: int) -> bool:
    """Leave through one door, then ask at another about oneself and about who never leaves."""
    door = ACTS[number % len(ACTS)]
    if door == "text":
        leaving, staying = [phone(number)], phone(number + 500_000)
    else:
        many = _LIST if door == "import" else 1
        leaving = [mail(number * _LIST + place) for place in range(many)]
        staying = f"stays{number}@example.com"
    told = one.act(door, *leaving)
    asked = ASKS[number // len(ACTS) % len(ASKS)]
    # A check is about one: about who stays every other time.
    about = (staying, *leaving) if number % 2 else (*leaving, staying)
    said = one.ask(asked, *(about[:1] if asked == "check" else about))
    return told is Told.STORED and Told.NOTHING not in said.values()


@contextmanager
def follower(premises: Premises, history: History) -> Iterator[None]:
    """Somebody who reads the feed from its beginning on, for as long as the block runs."""

    def read(one: Caller, _: int) -> bool:
        after = history.followed[-1] if history.followed else 0
        history.followed += one.events(after)
        return False

    with crowd(premises, history, 1, read):
        yield
