"""R2: the Nth call to the database fails, for each N, at every door that does something."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import Engine, create_engine, make_url, select, text
from werkzeug.test import TestResponse

from optout_service.runtime import Runtime
from optout_service.store import chain, tenants
from optout_service.store.metadata import metadata
from optout_service.transfers import imports
from tests import stage
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.injected import Calls, Fault
from tests.faults.street import Door, Knock, Street, routes
from tests.faults.writing_doors import doors

_ATTEMPTS: Final = 300
"""After so many a new database is taken: looking at all of it must stay cheap."""

State = dict[str, tuple[int, Any]]
Change = dict[str, int]
"""By how many rows a table has grown; a table that is left out is as it was."""


@dataclass
class _Found:
    """What a trial has seen so far."""

    doors: int = 0
    tried: Counter[Fault] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


@dataclass
class _World:
    """A service over a database of its own, whose calls can fail, and a look at all of that."""

    street: Street
    calls: Calls
    engine: Engine
    attempts: int = 0

    def look(self) -> State:
        """Every table: how many rows, and what tells whether any is another."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                parts = [_POSTGRESQL.format(table=name) for name in metadata.tables]
                rows = connection.execute(text(" UNION ALL ".join(parts)))
                return {name: (number, what) for name, number, what in rows}
            found = {}
            for name, table in metadata.tables.items():
                listed = connection.execute(select(text("*")).select_from(table)).all()
                found[name] = len(listed), hash(frozenset(tuple(row) for row in listed))
            return found

    def send(self, knock: Knock) -> TestResponse:
        """Knock, and let nothing but an answer come of it."""
        self.attempts += 1
        return knock.at(self.street.client)


_POSTGRESQL: Final = (
    "SELECT '{table}', count(*), coalesce(sum(hashtextextended(CAST(t AS text), 0)), 0) "
    'FROM "{table}" t'
)


@dataclass(frozen=True)
class _Clean:
    """What a door does when nothing fails, the first time and again."""

    status: int
    change: Change
    again: int
    again_change: Change
    calls: int


def run(ground: Ground, size: Size) -> Figure:
    """Every door, every call, every kind of fault; in the bounded size some calls of each."""
    found, numbers = _Found(), count(2000)
    missing = routes() - {door.route for door in doors()}
    found.broken += [f"no door is tried for {method} {rule}" for method, rule in sorted(missing)]
    left = list(doors())
    while left:
        with _world(ground) as world:
            while left and world.attempts < _ATTEMPTS:
                _try(world, left.pop(0), numbers, size, found)
            found.broken += _after(world)
    tried = ", ".join(f"{number:,} {fault.value}" for fault, number in found.tried.items())
    return Figure(
        f"{found.doors} doors behind {len(routes())} routes, {found.tried.total():,} calls failed "
        f"({tried}), and each was asked again",
        tuple(found.broken),
    )


@contextmanager
def _world(ground: Ground) -> Iterator[_World]:
    url, calls = ground.database(), Calls()
    looking = make_url(url)
    if looking.get_backend_name() == "postgresql":
        looking = looking.set(drivername="postgresql+psycopg")
    engine = create_engine(looking, isolation_level="AUTOCOMMIT")
    with calls.installed(), patch.object(imports, "AT_A_TIME", 3):
        given: dict[str, Any] = {"lift_cap": 1_000_000}
        given["checkpoint_dir"] = str(ground.folder / "checkpoints")
        rt = Runtime.set_up(stage.settings_for(url, **given), stage.KEYS)
        try:
            yield _World(Street(rt, stage.set_up(rt)), calls, engine)
        finally:
            rt.close()
            engine.dispose()


def _try(world: _World, door: Door, numbers: Iterator[int], size: Size, found: _Found) -> None:
    found.doors += 1
    clean = _clean(world, door, numbers, found)
    for at, fault in _faults(clean.calls, size, found.doors):
        knock = door.make(world.street, next(numbers))
        before, used = world.look(), world.street.rt.database.in_use()
        with world.calls.failing(at, fault):
            answer = world.send(knock)
        if not world.calls.failed:
            continue
        found.tried[fault] += 1
        did, lost = _change(before, between := world.look()), world.calls.lost_a_commit
        again = world.send(knock)
        then = _change(between, world.look())
        faults = [
            *_answered(door, clean, answer, did, lost=lost),
            *_retried(door, clean, again, did, then),
        ]
        if any(number > used[pool] for pool, number in world.street.rt.database.in_use().items()):
            faults.append("a connection was kept")
        where = (
            f"{door.name}, call {at} of {clean.calls} {fault.value} ({world.calls.failed[:60]!r})"
        )
        found.broken += [f"{where}: {one}" for one in faults]


def _clean(world: _World, door: Door, numbers: Iterator[int], found: _Found) -> _Clean:
    # Once before it counts: what is remembered between requests is remembered then.
    world.send(door.make(world.street, next(numbers)))
    knock = door.make(world.street, next(numbers))
    before = world.look()
    with world.calls.failing():
        first = world.send(knock)
    between, calls = world.look(), world.calls.count
    second = world.send(knock)
    made = _Clean(
        first.status_code,
        _change(before, between),
        second.status_code,
        _change(between, world.look()),
        calls,
    )
    if first.status_code >= 300 or bool(made.change) is not door.writes:
        found.broken.append(f"{door.name}: answers {first.status_code}, and does {made.change}")
    return made


def _faults(calls: int, size: Size, turn: int) -> Iterator[tuple[int, Fault]]:
    """Which call is to fail, and how. Bounded: the last one, the commit mostly, and some others."""
    kinds = list(Fault)
    for at in range(1, calls + 1):
        if size is Size.FULL or (at == calls and turn % 3 == 0):
            yield from ((at, fault) for fault in kinds)
        elif at == calls or (at + turn) % 8 == 0:
            yield at, kinds[(at + turn) % len(kinds)]


def _answered(
    door: Door, clean: _Clean, answer: TestResponse, did: Change, *, lost: bool
) -> Iterator[str]:
    """What is wrong with an answer, if anything, given what was done."""
    if did and door.blocks == 1 and did != clean.change:
        yield f"half of it was done: {did} of {clean.change}"
    good = answer.status_code < 300
    if good and did != clean.change:
        yield f"{answer.status_code}, and {did} of {clean.change} was done"
    if good and not door.says(answer):
        yield f"{answer.status_code}, and what it says is not so"
    if not good and did == clean.change and clean.change and not lost:
        yield f"{answer.status_code}, although it was done"
    if not good and answer.status_code != 503:
        yield f"{answer.status_code} of a store that failed"
    if answer.status_code == 503 and "Retry-After" not in answer.headers:
        yield "503 without Retry-After"


def _retried(
    door: Door, clean: _Clean, again: TestResponse, did: Change, then: Change
) -> Iterator[str]:
    """What is wrong with what came of asking again."""
    if door.blocks > 1:
        if again.status_code >= 300 or _sum(did, then) != clean.change:
            yield f"asked again: {again.status_code}, in all {_sum(did, then)} of {clean.change}"
        return
    status, change = (clean.again, clean.again_change) if did else (clean.status, clean.change)
    if (again.status_code, then) != (status, change):
        yield f"asked again: {again.status_code} and {then}, not {status} and {change}"


def _after(world: _World) -> Iterator[str]:
    """Whether all ledgers are whole."""
    rt = world.street.rt
    with rt.reading() as connection:
        for tenant in tenants.every(connection):
            walked = chain.verify(connection, tenant.id, rt.keys)
            if not walked.whole:
                yield f"the ledger of {tenant.slug} is broken at {walked.broken_at}: {walked.fault}"


def _change(before: State, after: State) -> Change:
    return {name: after[name][0] - before[name][0] for name in after if after[name] != before[name]}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Change:
    return {name: one.get(name, 0) + other.get(name, 0) for name in one.keys() | other.keys()}
