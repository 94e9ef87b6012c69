"""What must be true of a database before anything is answered, and what never is undone."""

import threading
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from optout_service.core.errors import Misconfigured, StoreUnavailable, WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.runtime import Runtime
from optout_service.store import chain, engines, revisions, tenants
from optout_service.store.db import assert_durable
from optout_service.store.limits import Limits
from tests import stage
from tests.faults.injected import Calls, Fault
from tests.postgres import PostgreSQL
from tests.stage import KEYS, Cast
from tests.store.acts import act

_MODE = "SHOW plan_cache_mode"


def another(**changes: object) -> KeyRing:
    given = {"pepper": KEYS.pepper, "encryption": KEYS.encryption, "signing": KEYS.signing}
    return KeyRing(**(given | changes))  # type: ignore[arg-type]


def test_another_pepper_refuses_to_start_and_says_how_to_recover(
    rt: Runtime, database_url: str
) -> None:
    with pytest.raises(WrongKeys) as refusal:
        Runtime.build(stage.settings_for(database_url), another(pepper=b"x" * 31 + b"y"))
    assert KEYS.fingerprints.pepper in refusal.value.detail
    assert "OPTOUT_PEPPER" in refusal.value.detail


def test_a_missing_encryption_key_refuses_to_start(rt: Runtime, database_url: str) -> None:
    with pytest.raises(WrongKeys, match="OPTOUT_ENCRYPTION_KEYS"):
        Runtime.build(stage.settings_for(database_url), another(encryption=(b"x" * 31 + b"y",)))


def test_a_key_that_was_added_may_not_be_left_out_later(rt: Runtime, database_url: str) -> None:
    both = another(encryption=(*KEYS.encryption, b"x" * 31 + b"y"))
    Runtime.build(stage.settings_for(database_url), both).close()
    with pytest.raises(WrongKeys):
        Runtime.build(stage.settings_for(database_url), KEYS)


def test_a_new_signing_key_starts_as_ever(rt: Runtime, database_url: str) -> None:
    newer = another(signing=(*KEYS.signing, b"x" * 31 + b"y"))
    Runtime.build(stage.settings_for(database_url), newer).close()


def test_a_schema_without_a_seal_is_not_served(database_url: str) -> None:
    with pytest.raises(Misconfigured, match="optout db upgrade"):
        Runtime.build(stage.settings_for(database_url), KEYS)


def test_setting_up_twice_changes_nothing(rt: Runtime, cast: Cast, database_url: str) -> None:
    Runtime.set_up(stage.settings_for(database_url), KEYS).close()
    with rt.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM tenant")).scalar_one() == 3


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_postgresql_that_may_forget_is_not_served(setting: str) -> None:
    server = PostgreSQL(f"{setting}=off")
    try:
        server.start()
        url = server.create_database("forgetful")
        with pytest.raises(Misconfigured, match=setting):
            Runtime.set_up(stage.settings_for(url), KEYS)
    finally:
        server.remove()


def test_sqlite_is_in_the_mode_that_does_not_forget(tmp_path: Path) -> None:
    rt = Runtime.set_up(stage.settings_for(f"sqlite:///{tmp_path}/optout.db"), KEYS)
    with rt.writing() as connection:
        assert_durable(connection)
        read = connection.exec_driver_sql
        assert read("PRAGMA journal_mode").scalar() == "wal"
        assert read("PRAGMA synchronous").scalar() == 2
        assert read("PRAGMA foreign_keys").scalar() == 1
    rt.close()


def test_a_connection_that_may_forget_is_refused(tmp_path: Path) -> None:
    rt = Runtime.set_up(stage.settings_for(f"sqlite:///{tmp_path}/optout.db"), KEYS)
    rt.close()
    engine = engines.sqlite(f"{tmp_path}/optout.db", Limits(), write=True)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA synchronous=NORMAL")
        with pytest.raises(Misconfigured, match="synchronous is 1"):
            assert_durable(connection)
    engine.dispose()


def test_a_reader_cannot_write(rt: Runtime, cast: Cast) -> None:
    def write_while_reading() -> None:
        with rt.reading() as connection:
            connection.execute(text("DELETE FROM suppression"))

    with pytest.raises(StoreUnavailable):
        write_while_reading()


def test_an_absent_database_is_told_apart_from_an_unreachable_one(tmp_path: Path) -> None:
    assert revisions.status(f"sqlite:///{tmp_path}/none.db").current is None
    with pytest.raises(StoreUnavailable):
        revisions.status("postgresql://nobody@127.0.0.1:1/none")


def test_when_a_shared_commit_fails_each_act_in_it_fails_and_none_is_stored(
    tmp_path: Path,
) -> None:
    rt = Runtime.set_up(stage.settings_for(f"sqlite:///{tmp_path}/optout.db"), KEYS)
    cast = stage.set_up(rt)
    with rt.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            "CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
        )
    inside, outcomes = threading.Barrier(2), []

    def poison() -> None:
        try:
            with rt.writing() as connection:
                rt.record(connection, act(cast.acme))
                # Checked at the commit alone: the whole group's commit is refused.
                connection.exec_driver_sql("INSERT INTO child VALUES (1)")
                inside.wait()
                while not rt.database._shared[0]._waiting:
                    pass
        except StoreUnavailable:
            outcomes.append("refused")

    def neighbour() -> None:
        inside.wait()
        try:
            with rt.writing() as connection:
                rt.record(connection, act(cast.acme))
        except StoreUnavailable:
            outcomes.append("refused")

    threads = [threading.Thread(target=poison), threading.Thread(target=neighbour)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["refused", "refused"]
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).events == 0
    with rt.writing() as connection:
        assert rt.record(connection, act(cast.acme)).event == 1, "and it goes on"
    rt.close()


def test_a_look_up_that_is_stuck_does_not_hold_the_others_for_ever(rt: Runtime) -> None:
    stuck, done = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        stuck.set()
        done.wait(timeout=30)

    holding = threading.Thread(target=rt.database.ask_briefly, args=(hang,))
    holding.start()
    stuck.wait()
    try:
        if rt.database.dialect == "postgresql":
            rt.database.ask_briefly(lambda driver: None)
        else:
            with pytest.raises(StoreUnavailable):
                rt.database.ask_briefly(lambda driver: pytest.fail("it answered out of turn"))
    finally:
        done.set()
        holding.join()
    assert rt.database.ask_briefly(lambda driver: "answered") == "answered"


@pytest.mark.parametrize("shared", [True, False])
def test_what_could_not_be_committed_is_not_stored_by_the_next_writer(
    rt: Runtime, cast: Cast, shared: bool
) -> None:
    calls, of = Calls(), cast.acme if shared else None
    with calls.installed():
        for at in count(1):
            with (
                calls.failing(at, Fault.REFUSED),
                suppress(StoreUnavailable),
                rt.writing(of) as connection,
            ):
                tenants.create_topic(connection, cast.acme, f"lost-{at}")
            if not calls.failed:
                break
            with rt.writing(of) as connection:
                tenants.create_topic(connection, cast.acme, f"next-{at}")
            if calls.failed == "COMMIT":
                with rt.reading() as connection:
                    slugs = {one.slug for one in tenants.topics(connection, cast.acme)}
                assert f"next-{at}" in slugs
                assert f"lost-{at}" not in slugs


def test_wherever_a_writer_loses_its_connection_the_next_one_has_its_turn(
    rt: Runtime, cast: Cast
) -> None:
    calls, done = Calls(), threading.Event()

    def write() -> None:
        for at in count(1):
            with (
                calls.failing(at, Fault.BROKEN),
                suppress(StoreUnavailable),
                rt.writing(cast.acme) as connection,
            ):
                tenants.create_topic(connection, cast.acme, f"topic-{at}")
            if not calls.failed:
                break
        done.set()

    with calls.installed():
        threading.Thread(target=write, daemon=True).start()
        assert done.wait(20), "a turn was never given back"


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_only_what_a_check_asks_is_planned_for_any_values(rt: Runtime) -> None:
    def mode_of_a_check() -> str:
        return str(rt.database.ask(lambda driver: driver.execute(_MODE).fetchone()[0]))

    together = threading.Barrier(3)

    def ask_beside_the_others() -> None:
        together.wait(timeout=20)
        mode_of_a_check()
        together.wait(timeout=20)

    threads = [threading.Thread(target=ask_beside_the_others) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What those three held is given up now, and only one of them is needed again.
    assert mode_of_a_check() == "force_generic_plan"
    with rt.reading() as one, rt.reading() as another:
        assert {c.exec_driver_sql(_MODE).scalar_one() for c in (one, another)} == {"auto"}
