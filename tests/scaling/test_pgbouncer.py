"""Behind PgBouncer in transaction mode, where each transaction may be another server's.

What the store and the doors promise is tried there by their own tests, run here over the pooler.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from optout_service.core.errors import OptOutError, StoreUnavailable
from optout_service.runtime import Runtime
from optout_service.store import revisions
from tests import stage
from tests.api.conftest import ask as ask
from tests.api.test_checks import (
    test_a_batch_and_single_checks_say_the_same as test_a_batch_and_single_checks_say_the_same,
)
from tests.api.test_feed import (
    test_whoever_follows_the_feed_misses_nothing as test_whoever_follows_the_feed_misses_nothing,
)
from tests.scaling.bouncer import PgBouncer
from tests.scaling.conftest import pooled
from tests.scaling.needs import WITH_PGBOUNCER
from tests.stage import Cast
from tests.store.acts import MAIL, NEWSLETTER, act
from tests.store.test_concurrency import (
    test_a_reader_never_waits_for_a_writer as test_a_reader_never_waits_for_a_writer,
)
from tests.store.test_db import test_a_reader_cannot_write as test_a_reader_cannot_write
from tests.store.test_ledger import test_the_chain_verifies as test_the_chain_verifies
from tests.store.test_quick import full as full
from tests.store.test_quick import tables as tables
from tests.store.test_quick import (
    test_a_table_answers_as_the_store_does as test_a_table_answers_as_the_store_does,
)

pytestmark = WITH_PGBOUNCER


def _check(rt: Runtime, cast: Cast) -> object:
    return rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


def _read(rt: Runtime, statement: str) -> None:
    with rt.reading() as connection:
        connection.execute(text(statement))


def _read_one_state(rt: Runtime, statement: str) -> None:
    with rt.reading_one_state() as connection:
        connection.execute(text(statement))


def _ask(rt: Runtime, statement: str) -> None:
    rt.database.ask(lambda driver: driver.execute(statement).fetchall())


def _ask_in_one_state(rt: Runtime, statement: str) -> None:
    def work(driver: Any) -> None:
        driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            driver.execute(statement)
        finally:
            driver.execute("ROLLBACK")

    rt.database.ask(work)


def _write(rt: Runtime, statement: str) -> None:
    with rt.writing() as connection:
        connection.execute(text(statement))


def _write_shared(rt: Runtime, statement: str) -> None:
    with rt.writing(1) as connection:
        connection.execute(text(statement))


READERS = [_read, _read_one_state, _ask, _ask_in_one_state]
EVERY = [*READERS, _write, _write_shared]


@pytest.mark.parametrize("way", EVERY)
def test_what_takes_too_long_is_ended_whoever_had_the_server_before(
    bouncer: PgBouncer, database_url: str, rt: Runtime, cast: Cast, way: Callable[..., None]
) -> None:
    with impatient(database_url) as other:
        with pytest.raises(StoreUnavailable):
            way(other, "SELECT pg_sleep(5)")
        assert _check(other, cast) is False, "and the connection is as good as before"


@pytest.mark.parametrize("way", [_write, _write_shared])
def test_nobody_waits_for_a_lock_for_longer_than_is_set(
    bouncer: PgBouncer, database_url: str, rt: Runtime, cast: Cast, way: Callable[..., None]
) -> None:
    with impatient(database_url, statement_timeout_ms=60_000) as other, rt.writing() as holding:
        holding.execute(text("UPDATE tenant SET name = name WHERE id = 1"))
        with pytest.raises(StoreUnavailable) as refused:
            way(other, "UPDATE tenant SET name = name WHERE id = 1")
    assert "lock timeout" in str(_driver_fault(refused.value))


@pytest.mark.parametrize("way", READERS)
def test_whoever_reads_cannot_write_by_accident(
    rt: Runtime, cast: Cast, way: Callable[..., None]
) -> None:
    with pytest.raises(StoreUnavailable):
        way(rt, "DELETE FROM topic")
    with rt.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM topic")).scalar_one() == 4


def test_nothing_is_left_behind_for_the_next_one_on_that_server(
    bouncer: PgBouncer, database_url: str, rt: Runtime, cast: Cast
) -> None:
    with rt.writing(cast.acme) as connection:
        rt.record(connection, act(cast.acme))
    for way in READERS:
        way(rt, "SELECT 1")
    _check(rt, cast)
    names = ("statement_timeout", "lock_timeout", "default_transaction_read_only")
    for setting in names:
        for found in _of_every_server(database_url, f"SHOW {setting}"):
            assert found in ("0", "off")
    for found in _of_every_server(database_url, "SELECT count(*) FROM pg_prepared_statements"):
        assert found == 0


def test_a_pooler_that_went_away_is_missed_at_once_and_found_again(
    bouncer: PgBouncer, rt: Runtime, cast: Cast
) -> None:
    with rt.writing(cast.acme) as connection:
        rt.record(connection, act(cast.acme))
    assert _check(rt, cast)
    bouncer.kill()
    try:
        for way in (lambda: _check(rt, cast), lambda: _write_shared(rt, "SELECT 1")):
            with pytest.raises(StoreUnavailable):
                way()
    finally:
        bouncer.start()
    assert _check(rt, cast), "by itself, without a restart of ours"
    _write_shared(rt, "SELECT 1")


def test_without_the_setting_the_service_does_not_start_half_limited(database_url: str) -> None:
    with pytest.raises(OptOutError):
        Runtime.set_up(stage.settings_for(database_url), stage.KEYS).close()


def test_the_schema_is_made_and_brought_up_to_date_through_it(
    bouncer: PgBouncer, postgres: Any, tmp_path: Any
) -> None:
    postgres.create_database("through")
    try:
        url = bouncer.url("through")
        Runtime.set_up(pooled(url, tmp_path), stage.KEYS).close()
        assert revisions.status(url).up_to_date
    finally:
        postgres.drop_database("through")


@contextmanager
def impatient(url: str, **knobs: object) -> Iterator[Runtime]:
    """A second process behind the pooler, that waits for 300 ms at most."""
    given = {"statement_timeout_ms": 300, "busy_timeout_ms": 300, **knobs}
    rt = Runtime.build(stage.settings_for(url, prepared_statements=False, **given), stage.KEYS)
    try:
        yield rt
    finally:
        rt.close()


def _driver_fault(refused: BaseException) -> BaseException:
    while refused.__cause__ is not None:
        refused = refused.__cause__
    return refused


def _of_every_server(url: str, statement: str) -> list[Any]:
    """The answer of each of the three servers that the pooler has for a database."""
    inside = threading.Barrier(3)
    found: list[Any] = []

    def one() -> None:
        with psycopg.connect(url, prepare_threshold=None) as connection:
            row = connection.execute(statement).fetchone()
            inside.wait(timeout=20)
            found.append(row and row[0])

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    return found
