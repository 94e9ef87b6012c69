"""PostgreSQL behind a pooler, and pairs of servers of which one follows the other."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from optout_service.runtime import Runtime
from optout_service.settings import Settings
from tests import stage
from tests.postgres import ExistingServer, PostgreSQL
from tests.scaling.bouncer import PgBouncer
from tests.templates import Template


@pytest.fixture(scope="session")
def bouncer(postgres: PostgreSQL | ExistingServer) -> Iterator[PgBouncer]:
    """A PgBouncer before the tests' server. So few servers that every transaction gets another's.

    Each database has its own, so that a session's setting would soon be met by somebody else.
    """
    made = PgBouncer(postgres.url(), default_pool_size="3")
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def dialect() -> str:
    """There is one that has a pooler."""
    return "postgresql"


@pytest.fixture
def database_url(
    bouncer: PgBouncer, postgres: PostgreSQL | ExistingServer, template: Template
) -> Iterator[str]:
    """A fresh, migrated database, through the pooler."""
    name = f"optout_{uuid.uuid4().hex[:12]}"
    postgres.create_database(name, template.name)
    yield bouncer.url(name)
    postgres.drop_database(name)


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime as it is set behind a pooler."""
    runtime = Runtime.set_up(pooled(database_url, tmp_path), stage.KEYS)
    yield runtime
    runtime.close()


def pooled(url: str, folder: Path) -> Settings:
    """How the service is set behind a pooler."""
    return stage.settings_for(url, prepared_statements=False, checkpoint_dir=str(folder / "marks"))
