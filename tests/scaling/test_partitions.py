"""The suppressions in parts: made while the service goes on, and nothing is otherwise than before.

What the store promises is tried over such a table by its own tests.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import Connection

from optout_service import keyfiles
from optout_service.backups import making, restoring
from optout_service.cli import partition
from optout_service.cli.main import main
from optout_service.core.address import Address
from optout_service.core.errors import Conflict, InvalidRequest, Misconfigured
from optout_service.core.evidence import Action
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import chain, migrating, partitions, revisions
from optout_service.store.patience import Patient
from optout_service.store.tables import metadata
from tests import stage
from tests.api.conftest import ask as ask
from tests.backups.conftest import clients_of_postgresql as clients_of_postgresql
from tests.backups.conftest import empty_place as empty_place
from tests.evidence.acts import fill
from tests.postgres import ExistingServer, PostgreSQL
from tests.stage import KEYS, Cast
from tests.store.acts import MAIL, MARKETING, NEWSLETTER, act
from tests.store.test_checks import (
    test_a_batch_answers_as_single_checks_do as test_a_batch_answers_as_single_checks_do,
)
from tests.store.test_quick import full as full
from tests.store.test_quick import tables as tables
from tests.store.test_quick import (
    test_a_table_answers_as_the_store_does as test_a_table_answers_as_the_store_does,
)
from tests.templates import Template, Templates

PARTS = 4


def lay_out(rt: Runtime, rows: int = 1000) -> None:
    """As the command does it, when nobody else is there."""
    with rt.writing() as connection:
        identity = partitions.begin(connection, PARTS)
    after = None
    while True:
        with rt.writing() as connection:
            found, after = partitions.copy(connection, after, rows)
        if not found:
            break
    with rt.writing() as connection:
        partitions.compare(connection)
    with rt.writing() as connection:
        partitions.swap(connection, identity)


@pytest.fixture(scope="session")
def laid_out(
    postgres: PostgreSQL | ExistingServer, templates: Templates
) -> Iterator[Callable[[Template], str]]:
    """From a template to the name of the same with partitions, to be copied."""
    made: dict[str, str] = {}

    def of(template: Template) -> str:
        if template.name not in made:
            made[template.name] = name = f"optout_template_{uuid.uuid4().hex[:12]}"
            url = postgres.create_database(name, template.name)
            rt = Runtime.set_up(stage.settings_for(url), KEYS)
            lay_out(rt)
            rt.close()
        return made[template.name]

    yield of
    for name in made.values():
        postgres.drop_database(name)


@pytest.fixture
def database_url(
    postgres: PostgreSQL | ExistingServer, laid_out: Callable[[Template], str], template: Template
) -> Iterator[str]:
    """A fresh database with partitions."""
    name = f"optout_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name, laid_out(template))
    postgres.drop_database(name)


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    made = over(database_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def plain_url(postgres: PostgreSQL | ExistingServer, migrated_database: str) -> Iterator[str]:
    """A fresh database without partitions."""
    name = f"optout_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name, migrated_database)
    postgres.drop_database(name)


@pytest.fixture
def plain(plain_url: str, tmp_path: Path) -> Iterator[Runtime]:
    made = over(plain_url, tmp_path)
    yield made
    made.close()


def over(url: str, folder: Path) -> Runtime:
    given = {"checkpoint_dir": str(folder / "marks"), "cache_dir": str(folder / "cache")}
    return Runtime.set_up(stage.settings_for(url, **given), KEYS)


def parts_of(rt: Runtime) -> int:
    with rt.reading() as connection:
        return partitions.count(connection)


def test_the_schema_is_still_what_the_tables_say(rt: Runtime, database_url: str) -> None:
    assert parts_of(rt) == PARTS
    with migrating.connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    migrating.upgrade(database_url)


def test_the_migrations_lead_down_and_up_again_over_it(rt: Runtime, database_url: str) -> None:
    migrating.downgrade(database_url, "0001_first")
    migrating.upgrade(database_url)
    assert revisions.status(database_url).up_to_date
    assert parts_of(rt) == PARTS


def test_rows_are_spread_over_all_parts_and_all_are_there(plain: Runtime) -> None:
    cast = stage.set_up(plain)
    fill(plain, cast.acme, 100)
    with plain.reading() as connection:
        before = rows(connection)
    lay_out(plain, rows=7)
    with plain.reading() as connection:
        assert rows(connection) == before
        assert len({row[0] for row in connection.exec_driver_sql(
            "SELECT DISTINCT tableoid FROM suppression"
        )}) == PARTS  # fmt: skip


def rows(connection: Connection) -> list[tuple[object, ...]]:
    read = connection.exec_driver_sql("SELECT * FROM suppression ORDER BY 1, 2, 3, 4, 5")
    return [tuple(row) for row in read]


def test_the_command_lays_out_under_load_and_no_act_is_lost_or_refused(
    plain_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stage.settings_for(plain_url, data_dir=tmp_path)
    keyfiles.create_missing(tmp_path)
    rt = Runtime.set_up(settings, keyfiles.load(settings))
    cast = stage.set_up(rt)
    fill(rt, cast.acme, 300)
    monkeypatch.setattr(partition, "_ROWS", 10)
    over_, numbers = threading.Event(), count()
    faults: list[Exception] = []
    stands: dict[Address, bool] = {}

    def leave_and_come_back() -> None:
        while not over_.is_set():
            number = next(numbers)
            # Others' rows are copied meanwhile, and these are changed before and after.
            for turn in range(3):
                address = Address.parse(Kind.EMAIL, f"r{(number + turn) % 300}@example.com")
                leaves = number % 2 == 0
                try:
                    with rt.writing(cast.acme) as connection:
                        action = Action.OPT_OUT if leaves else Action.OPT_IN
                        rt.record(
                            connection, act(cast.acme, action, address=address, scope=MARKETING)
                        )
                except Exception as fault:
                    faults.append(fault)
                else:
                    stands[address] = leaves
                    if rt.check(cast.acme, address, MARKETING).suppressed is not leaves:
                        faults.append(AssertionError(f"{number} was forgotten"))

    worker = threading.Thread(target=leave_and_come_back)
    worker.start()
    told = CliRunner(env={"OPTOUT_DATABASE_URL": plain_url}).invoke(
        main, ["db", "partition", "--count", "8", "--data-dir", str(tmp_path), "--json"]
    )
    over_.set()
    worker.join()
    assert told.exit_code == 0, told.output
    assert faults == []
    assert parts_of(rt) == 8
    assert stands
    for address, leaves in stands.items():
        assert rt.check(cast.acme, address, MARKETING).suppressed is leaves
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).whole
    rt.close()


def test_what_ends_it_on_its_way_loses_nothing_and_it_can_be_run_again(plain: Runtime) -> None:
    cast = stage.set_up(plain)
    fill(plain, cast.acme, 30)
    with plain.writing() as connection:
        partitions.begin(connection, PARTS)
    with plain.writing() as connection:
        partitions.copy(connection, None, 10)
    with plain.writing() as connection:
        plain.record(connection, act(cast.acme))
    assert plain.check(cast.acme, MAIL, NEWSLETTER).suppressed
    assert parts_of(plain) == 0
    lay_out(plain)
    assert parts_of(plain) == PARTS
    assert plain.check(cast.acme, MAIL, NEWSLETTER).suppressed


def test_what_is_not_the_same_does_not_take_the_place(plain: Runtime) -> None:
    cast = stage.set_up(plain)
    fill(plain, cast.acme, 30)
    with plain.writing() as connection:
        partitions.begin(connection, PARTS)
    with plain.writing() as connection:
        partitions.copy(connection, None, 1)
    with plain.writing() as connection, pytest.raises(Conflict):
        partitions.compare(connection)


def test_who_changes_a_row_that_is_being_copied_waits_until_its_copy_is_there(
    plain: Runtime,
) -> None:
    cast = stage.set_up(plain)
    with plain.writing() as connection:
        plain.record(connection, act(cast.acme))
    with plain.writing() as connection:
        partitions.begin(connection, PARTS)

    def come_back() -> None:
        with plain.writing(cast.acme) as connection:
            plain.record(connection, act(cast.acme, Action.OPT_IN))

    coming = threading.Thread(target=come_back)
    with plain.writing() as connection:
        partitions.copy(connection, None, 10)
        coming.start()
        while coming.is_alive() and not waits_for_a_lock(connection):
            pass
    coming.join()
    assert not plain.check(cast.acme, MAIL, NEWSLETTER).suppressed
    with plain.writing() as connection:
        partitions.compare(connection)


def waits_for_a_lock(connection: Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return bool(connection.exec_driver_sql(waiting).scalar_one())


def test_two_at_the_same_work_do_not_take_each_others_table(plain: Runtime) -> None:
    stage.set_up(plain)
    with plain.writing() as connection:
        first = partitions.begin(connection, PARTS)
    with plain.writing() as connection:
        partitions.begin(connection, PARTS)
    with pytest.raises(Conflict), plain.writing() as connection:
        partitions.swap(connection, first)


def test_it_is_done_once(rt: Runtime) -> None:
    with rt.writing() as connection, pytest.raises(Conflict, match="4 parts"):
        partitions.begin(connection, PARTS)


def test_no_step_is_cut_short_however_long_it_takes(plain: Runtime) -> None:
    made: dict[str, int] = {}
    steps: tuple[Callable[[Connection], object], ...] = (
        lambda connection: made.update(identity=partitions.begin(connection, PARTS)),
        lambda connection: partitions.copy(connection, None, 10),
        partitions.compare,
        lambda connection: partitions.swap(connection, made["identity"]),
    )
    for step in steps:
        with plain.writing() as connection:
            step(connection)
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
            driver = connection.connection.driver_connection
            assert isinstance(driver, Patient)
            assert driver.patience is None


@pytest.mark.parametrize("parts", [0, 1, 257])
def test_a_number_that_makes_no_sense_is_refused(plain: Runtime, parts: int) -> None:
    with plain.writing() as connection, pytest.raises(InvalidRequest):
        partitions.begin(connection, parts)


def test_sqlite_has_none(tmp_path: Path) -> None:
    rt = Runtime.set_up(stage.settings_for(f"sqlite:///{tmp_path}/optout.db"), KEYS)
    with rt.writing() as connection, pytest.raises(Misconfigured):
        partitions.begin(connection, PARTS)
    rt.close()


def test_a_backup_brings_the_parts_back(
    rt: Runtime, cast: Cast, empty_place: str, tmp_path: Path
) -> None:
    with rt.writing() as connection:
        rt.record(connection, act(cast.acme))
    making.make(rt, tmp_path / "backup")
    assert restoring.check(rt.settings, rt.keys, tmp_path / "backup", None, empty_place).events == 1
