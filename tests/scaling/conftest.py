"""PostgreSQL behind a pooler, and pairs of servers of which one follows the other."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from optout_service.runtime import Runtime
from optout_service.settings import Settings
from tests import stage
from tests.postgres import ExistingServer, PostgreSQL, in_memory
from tests.scaling import pair
from tests.scaling.bouncer import PgBouncer
from tests.scaling.pair import Pair
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


@pytest.fixture(scope="session")
def standing() -> Iterator[Pair]:
    """A primary and its standby, for all tests that leave them as they were."""
    with pair.running(in_memory()) as made:
        yield made


@pytest.fixture
def two(standing: Pair) -> Iterator[Pair]:
    """The same, mended afterwards: a test may kill either, and hold the standby up."""
    yield standing
    standing.mend()


@pytest.fixture
def doomed() -> Iterator[Pair]:
    """A pair of a test's own, that may go separate ways."""
    with pair.running(in_memory()) as made:
        yield made


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
