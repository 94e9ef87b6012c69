"""What the doctor finds of a server of PostgreSQL, each thing on a real one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from optout_service.doctor import server
from optout_service.runtime import Runtime
from optout_service.store.server import look
from tests.doctor.test_doctor import advised, ill
from tests.stage import Cast

Found = Callable[..., Iterator[Runtime]]
ON_POSTGRESQL = pytest.mark.parametrize("dialect", ["postgresql"])


@contextmanager
def set_for(rt: Runtime, **given: str) -> Iterator[Runtime]:
    """The same store, with what a pooler or an operator has set for this database."""
    url = rt.settings.database_url.reveal()
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        for knob, value in given.items():
            connection.execute(f'ALTER DATABASE "{name}" {knob} {value}')  # type: ignore[call-overload]
        again = Runtime.build(rt.settings, rt.keys)
        try:
            yield again
        finally:
            again.close()


def test_sqlite_has_no_server(rt: Runtime, cast: Cast) -> None:
    if rt.database.dialect == "sqlite":
        assert list(server.examine(rt)) == []
    else:
        assert {one.subject for one in server.examine(rt)} >= {"connections", "archive"}


@ON_POSTGRESQL
def test_a_server_of_the_usual_kind_has_nothing_to_mend(rt: Runtime, cast: Cast) -> None:
    assert ill(server.examine(rt)) == {}


@ON_POSTGRESQL
def test_pools_that_the_server_has_no_room_for_are_told_with_both_numbers(
    rt: Runtime, cast: Cast
) -> None:
    with rt.reading() as connection:
        found = look(connection)
    assert found is not None
    most = found.connections // 3
    for size, fits in ((most, True), (most + 1, False)):
        settings = replace(rt.settings, workers=1, pool_size=size)
        told = ill([server.connections(settings, found)])
        assert ("connections" not in told) is fits
    assert "max_connections" in told["connections"]
    assert str(3 * (most + 1)) in told["connections"]


@ON_POSTGRESQL
def test_a_limit_of_the_database_itself_counts_too(rt: Runtime, cast: Cast) -> None:
    with set_for(rt, **{"CONNECTION LIMIT": "11"}) as limited, limited.reading() as connection:
        found = look(connection)
    assert found is not None
    assert found.connections == 11


@ON_POSTGRESQL
def test_a_limit_that_a_pooler_dropped_is_told(rt: Runtime, cast: Cast) -> None:
    """PgBouncer's ignore_startup_parameters does that to ``options``."""
    with rt.reading() as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        found = look(connection)
    assert found is not None
    assert "ALTER ROLE" in ill([server.limits(rt.settings, found)])["statement timeout"]


@ON_POSTGRESQL
def test_what_a_lost_disk_would_take_along_is_advised(rt: Runtime, cast: Cast) -> None:
    found = advised(server.examine(rt))
    assert "archive_mode" in found["archive"]


@ON_POSTGRESQL
def test_what_the_server_says_is_judged(rt: Runtime, cast: Cast) -> None:
    """Settings that need another server, each changed from what this one says."""
    with rt.reading() as connection:
        sound = look(connection)
    assert sound is not None
    sound = replace(sound, archiving=True, checksums=True)
    assert advised(server.durability(sound)) == ill(server.durability(sound)) == {}
    local = replace(sound, standbys=True, synchronous_commit="local")
    assert advised(server.durability(local)).keys() == {"standby"}
    assert advised(server.durability(replace(sound, checksums=False))).keys() == {"checksums"}
    assert advised(server.durability(replace(sound, autovacuum=False))).keys() == {"vacuum"}
    assert ill(server.durability(replace(sound, archive_fails=True))).keys() == {"archive"}
    far = replace(sound, remote=True, encrypted=False)
    assert "sslmode" in advised([server.line(far)])["line to the database"]
    assert advised([server.line(replace(far, encrypted=True))]) == {}
