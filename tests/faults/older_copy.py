"""R5: an older copy is put in the place of the database, under the running service."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg

from optout_service.evidence import quarantine
from tests.faults.doors import Premises, caller, mail
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import ASKS, Call, History, Told
from tests.postgres import PostgreSQL
from tests.server import Server

_NAME: Final = "older"


def held_back(ground: Ground, size: Size) -> Figure:
    """Who left after the copy was made is allowed by nobody, until an operator has looked."""
    if ground.dialect == "sqlite":
        server = ground.server(workers=2)
        return _tried(server, size, *_of_sqlite(server.data_dir / "optout.db"))
    database = ground.own_postgresql()
    server = ground.server(database.create_database(_NAME), workers=2)
    return _tried(server, size, *_of_postgresql(database))


def _tried(
    server: Server, size: Size, copy: Callable[[], None], put_back: Callable[[], None]
) -> Figure:
    premises, history = Premises.of(server), History()
    server.start()
    broken = []
    before, after = range(20), range(20, size.pick(40, 400))
    with caller(premises, history) as one:
        for number in before:
            one.act("one click", mail(number))
        copy()
        left = [mail(number) for number in after]
        for address in left:
            while one.act("api", address) is not Told.STORED:
                pass
    put_back()
    for turn in range(size.pick(8, 40)):
        with caller(premises, history) as one:
            for door in ASKS:
                one.ask(door, *(left[turn : turn + 1] if door == "check" else left))
    with caller(premises, history) as one:
        taken = [one.act("page", mail(number)) for number in (10_000, 10_001)]
    if Told.STORED not in taken:
        broken.append("opt-outs are not taken")
    asked = [call for call in history.calls if call.asks]
    broken += [f"allowed: {call}" for call in asked if call.told is Told.ALLOWED]
    with server.looking_in() as rt:
        if not quarantine.state(rt).quarantined:
            broken.append("the database is in no quarantine")
        else:
            quarantine.release(rt, "The older copy of the trial was put back.")
    with caller(premises, history) as one:
        if one.ask("check", mail(0)) != {mail(0): Told.SUPPRESSED}:
            broken.append("after the release checks are not answered")
    server.stop()
    found = f"{len(asked)} questions about {len(left)} who had left since: {_count(asked)}"
    return Figure(f"{found}; opt-outs were taken; answered again after a release", tuple(broken))


def _count(asked: list[Call]) -> str:
    counted = Counter(call.told.value for call in asked)
    return ", ".join(f"{number} {told}" for told, number in sorted(counted.items()))


def _of_sqlite(path: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    kept = path.with_name("copy.db")

    def copy() -> None:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(kept)) as target:
            source.backup(target)

    def put_back() -> None:
        for suffix in ("-wal", "-shm"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        os.replace(kept, path)

    return copy, put_back


def _of_postgresql(server: PostgreSQL) -> tuple[Callable[[], None], Callable[[], None]]:
    def alone(*statements: str) -> None:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {_NAME} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [_NAME],
            )
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"ALTER DATABASE {_NAME} ALLOW_CONNECTIONS true")

    return (
        lambda: alone(f"CREATE DATABASE kept TEMPLATE {_NAME}"),
        lambda: alone(
            f"ALTER DATABASE {_NAME} RENAME TO gone", f"ALTER DATABASE kept RENAME TO {_NAME}"
        ),
    )
