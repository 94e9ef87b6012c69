"""R1: SIGKILL to workers, master and database while people leave through every door."""

import os
import random
import signal
import time
from collections import Counter
from typing import Final

from tests.faults.aftermath import judged
from tests.faults.crowd import crowd, every_door, follower
from tests.faults.doors import Premises, caller, in_lots
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import History, Told
from tests.postgres import PostgreSQL
from tests.server import Server

_CLIENTS: Final = 12
_VICTIMS: Final = ("worker", "master", "worker", "database", "worker")
_PATIENCE: Final = 300
"""Seconds in which the opt-outs must have been acknowledged."""


def survived(ground: Ground, size: Size) -> Figure:
    """So many kills, so many acknowledged opt-outs; then history and database are judged."""
    database = ground.own_postgresql() if ground.dialect == "postgresql" else None
    url = database.create_database("killed") if database else ""
    server = ground.server(url, workers=2, OPTOUT_TABLE_ROWS="50")
    premises, history = Premises.of(server), History()
    server.start()
    kills: Counter[str] = Counter()
    wanted = size.pick(100, 10_000)
    with follower(premises, history), crowd(premises, history, _CLIENTS, every_door) as over:
        _kill(server, database, kills, size.pick(len(_VICTIMS) - 1, 42 * len(_VICTIMS)))
        end = time.monotonic() + _PATIENCE
        while history.count(Told.STORED) < wanted and time.monotonic() < end:
            if over.wait(0.1):
                break
    with caller(premises, history) as one:
        for lot in in_lots([call.address for call in history.told(Told.STORED)]):
            one.ask("batch", *lot)
    server.stop()
    stored = history.count(Told.STORED)
    few = () if stored >= wanted else (f"only {stored} of {wanted} opt-outs were acknowledged",)
    return Figure(_found(history, kills), few + judged(history, server, premises.cast.acme))


def _kill(server: Server, database: PostgreSQL | None, kills: Counter[str], number: int) -> None:
    chance = random.Random(8058)
    for turn in range(number):
        time.sleep(chance.uniform(0.02, 0.4))
        victim = _VICTIMS[turn % len(_VICTIMS)]
        if victim == "master":
            server.kill()
            server.start()
        elif victim == "database" and database is not None:
            database.kill()
            database.start()
        elif workers := server.workers():
            victim = "worker"
            os.kill(chance.choice(workers), signal.SIGKILL)
        kills[victim] += 1


def _found(history: History, kills: Counter[str]) -> str:
    dead = ", ".join(f"{number} of {name}" for name, number in sorted(kills.items()))
    unknown = sum(1 for call in history.calls if not call.asks and call.told is not Told.STORED)
    asked = history.count(Told.SUPPRESSED, Told.ALLOWED)
    return (
        f"{kills.total()} SIGKILLs ({dead}); {history.count(Told.STORED)} opt-outs acknowledged, "
        f"of {unknown} it is not known; {asked} answers to checks; the feed followed to "
        f"{history.followed[-1]}"
    )
