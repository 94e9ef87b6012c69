"""A runtime whose backups are worked on in the test's own directory, and an empty place."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from optout_service.runtime import Runtime
from tests.postgres import PostgreSQL, binaries


@pytest.fixture(autouse=True)
def clients_of_postgresql(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pg_dump`` and ``pg_restore`` on the PATH."""
    if dialect == "postgresql" and "OPTOUT_TEST_DATABASE_URL" not in os.environ:
        monkeypatch.setenv("PATH", f"{binaries()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def rt(rt: Runtime, tmp_path: Path) -> Runtime:
    """The same, with its copies in the test's directory."""
    return replace(rt, settings=replace(rt.settings, cache_dir=str(tmp_path / "cache")))


@pytest.fixture
def empty_place(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is not there yet, or has nothing in it."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'optout.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgres")
    name = f"optout_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name)
    server.drop_database(name)
