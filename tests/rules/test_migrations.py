"""Migrations are numbered, lead to one head, and say the same as the tables."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url

from optout_service.core.errors import Misconfigured
from optout_service.runtime import Runtime
from optout_service.store import migrating, revisions
from optout_service.store.tables import metadata
from tests import stage


def engine_of(url: str):  # type: ignore[no-untyped-def]
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed)


def test_there_is_one_head_and_the_numbers_have_no_gap() -> None:
    script = ScriptDirectory.from_config(migrating.config())
    assert len(script.get_heads()) == 1
    assert script.get_current_head() == revisions.newest()
    found = sorted(script.walk_revisions(), key=lambda revision: revision.revision)
    for number, revision in enumerate(found, start=1):
        assert revision.revision.startswith(f"{number:04d}_")
        assert Path(revision.path).stem == revision.revision


def test_the_tables_and_the_migrated_schema_say_the_same(database_url: str) -> None:
    engine = engine_of(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_down_and_up_again_leads_to_the_same_place(empty_database_url: str) -> None:
    migrating.upgrade(empty_database_url)
    migrating.downgrade(empty_database_url, "base")
    engine = engine_of(empty_database_url)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    migrating.upgrade(empty_database_url)
    assert revisions.status(empty_database_url).up_to_date


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    migrating.upgrade(database_url)
    assert revisions.status(database_url).up_to_date


def test_the_service_does_not_start_without_a_schema(empty_database_url: str) -> None:
    with pytest.raises(Misconfigured, match="optout db upgrade"):
        Runtime.build(stage.settings_for(empty_database_url), stage.KEYS)
