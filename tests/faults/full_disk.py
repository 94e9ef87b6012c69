"""R6: the disk is full. Nothing is acknowledged that is not stored, and it passes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from tests.faults.aftermath import judged
from tests.faults.doors import Caller, Premises, caller, mail, phone
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import ACTS, History, Told

_NAME: Final = "fills"
_MEGABYTES: Final = {"sqlite": 8, "postgresql": 32}
_LEFT: Final = 200_000
"""Bytes left free before anybody acts."""
_NOT_RECORDED: Final = b"This was not recorded"


def nothing_acknowledged(ground: Ground, size: Size) -> Figure:
    """Act until each door has refused, so many times; then make room."""
    with ground.small_disk(_MEGABYTES[ground.dialect]) as disk:
        if disk is None:
            return Figure("not tried: this user may not mount a small disk")
        server = ground.server(_database(ground, disk))
        premises, history = Premises.of(server), History()
        server.start()
        with caller(premises, history) as one, _ballast(disk):
            broken = _until_full(one, history, size.pick(1, 50))
        refused = history.count(Told.UNAVAILABLE)
        with caller(premises, history) as one:
            if {_act(one, door, 90_000) for door in ACTS} != {Told.STORED}:
                broken.append("with room again, not every door takes opt-outs")
        server.stop()
        judgement = judged(history, server, premises.cast.acme)
    where = "a disk of its own" if ground.dialect == "sqlite" else "a tablespace of its own"
    return Figure(
        f"{where}, {_MEGABYTES[ground.dialect]} MB and full: {refused} opt-outs refused, with 503, "
        f"at every door; {history.count(Told.STORED)} acknowledged; with room again every door "
        "takes them",
        (*broken, *judgement),
    )


def _until_full(one: Caller, history: History, times: int) -> list[str]:
    """Act until each door has refused so many times."""
    broken: list[str] = []
    refused = dict.fromkeys(ACTS, 0)
    for number in range(20_000):
        if min(refused.values()) >= times:
            return broken
        for door in ACTS:
            told = _act(one, door, number)
            refused[door] += told is Told.UNAVAILABLE
            if told not in (Told.STORED, Told.UNAVAILABLE):
                broken.append(f"{door} was told {told.value}")
            if door == "page" and told is Told.UNAVAILABLE and not _says_so(one):
                broken.append("the page does not say that it was not recorded")
        one.ask("batch", mail(number * len(ACTS)), mail(number * len(ACTS) + 1))
    return [*broken, "the disk was never full"]


def _says_so(one: Caller) -> bool:
    return one.last is not None and _NOT_RECORDED in one.last.body


def _act(one: Caller, door: str, number: int) -> Told:
    place = ACTS.index(door)
    return one.act(door, phone(number) if door == "text" else mail(number * len(ACTS) + place))


def _database(ground: Ground, disk: Path) -> str:
    if ground.dialect == "sqlite":
        return f"sqlite:///{disk / 'optout.db'}"
    server = ground.own_postgresql()
    server.take_over(disk)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        connection.execute(f"CREATE DATABASE {_NAME} TABLESPACE small")
    return server.url(_NAME)


@contextmanager
def _ballast(disk: Path) -> Iterator[None]:
    """Something that fills the disk but for a little."""
    file = disk / "ballast"
    with file.open("wb") as opened:
        opened.write(bytes(shutil.disk_usage(disk).free - _LEFT))
    yield
    file.unlink()
