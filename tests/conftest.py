"""A fresh, migrated database for each test, on both kinds; nobody on the line but loopback."""

import io
import logging
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from optout_service import telemetry
from optout_service.app import create_app
from optout_service.runtime import Runtime
from tests import stage
from tests.browser import needs as browser
from tests.cast import CANARIES
from tests.clients import needs as clients
from tests.deploy import needs as deploy
from tests.postgres import ExistingServer, PostgreSQL, in_memory
from tests.scaling import needs as scaling
from tests.stage import Cast
from tests.templates import State, Template, Templates

LACKING = {
    "browser": browser.missing(),
    "clients": clients.missing(),
    "deploy": deploy.missing(),
    "scaling": scaling.missing(),
}
"""What the tests of a folder lack, if they cannot all run; ``.ci/run`` says how to get it."""


def pytest_configure() -> None:
    """With ``OPTOUT_TEST_BROWSER=required`` there is a browser, or no test at all; and so on."""
    for folder, lacking in LACKING.items():
        name = f"OPTOUT_TEST_{folder.upper()}"
        if os.environ.get(name) == "required" and lacking:
            raise pytest.UsageError(f"{name}=required, but {lacking}.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped, and what it takes."""
    for folder, lacking in LACKING.items():
        if lacking:
            line = f"tests/{folder} was skipped, or a part of it: {lacking}; see .ci/run."
            terminalreporter.write_line(line)


class TrafficRefused(AssertionError):
    """A test reached for something beyond loopback."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a socket of this machine's file system
    host = str(address[0]).partition("%")[0]
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """No test reaches beyond this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            original = getattr(socket.socket, name)

            def guarded(sock: Any, address: Any, original: Any = original) -> Any:
                if not _is_here(address):
                    raise TrafficRefused(f"a test reached for {address!r}")
                return original(sock, address)

            patch.setattr(socket.socket, name, guarded)
        lookup = socket.getaddrinfo

        def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
            if host is not None and not _is_here((host,)):
                raise TrafficRefused(f"a test looked up {host!r}")
            return lookup(host, *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        yield


@pytest.fixture(autouse=True)
def no_canary_in_the_log() -> Iterator[None]:
    """Whatever a test does, no line of the log, as it is written, names a recipient."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)
    found = [canary for canary in CANARIES if canary in stream.getvalue()]
    assert not found, f"a recipient's address is in the log: {stream.getvalue()}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL | ExistingServer]:
    """A PostgreSQL server for this process of the test run."""
    server: PostgreSQL | ExistingServer
    if url := os.environ.get("OPTOUT_TEST_DATABASE_URL"):
        server = ExistingServer(url)
    else:
        server = PostgreSQL(folder=in_memory())
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def templates(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Templates:
    """The databases that are copied."""
    folder = tmp_path_factory.mktemp("templates")
    return Templates(folder, lambda: request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def migrated_file(templates: Templates) -> Path:
    """A migrated SQLite file, to be copied."""
    return Path(templates.get("sqlite", State.MIGRATED).name)


@pytest.fixture(scope="session")
def migrated_database(templates: Templates) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    return templates.get("postgresql", State.MIGRATED).name


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Every test that touches a database runs on both kinds."""
    kind: str = request.param
    return kind


def _database(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    server: PostgreSQL = request.getfixturevalue("postgres")
    name = f"optout_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name, template)
    server.drop_database(name)


@pytest.fixture
def template(dialect: str, templates: Templates, request: pytest.FixtureRequest) -> Template:
    """What this test's database is a copy of: as much is there as the test asks for."""
    if "rt" not in request.fixturenames:
        return templates.get(dialect, State.MIGRATED)
    on_stage = "cast" in request.fixturenames
    return templates.get(dialect, State.STAGED if on_stage else State.SEALED)


@pytest.fixture
def database_url(
    dialect: str, template: Template, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A fresh, migrated database."""
    if dialect == "sqlite":
        shutil.copy(template.name, tmp_path / "optout.db")
        yield f"sqlite:///{tmp_path / 'optout.db'}"
    else:
        yield from _database(request, template.name)


@pytest.fixture
def empty_database_url(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A database without a schema."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'optout.db'}"
    else:
        yield from _database(request, "template1")


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime over a fresh database, under the tests' keys."""
    settings = stage.settings_for(database_url, checkpoint_dir=str(tmp_path / "checkpoints"))
    runtime = Runtime.build(settings, stage.KEYS)
    yield runtime
    runtime.close()


@pytest.fixture
def cast(rt: Runtime, template: Template) -> Cast:
    """The tenants and their keys."""
    assert template.cast is not None
    return template.cast


@pytest.fixture
def api_keys(cast: Cast) -> dict[str, str]:
    """The secrets of the API keys, by role."""
    return cast.keys


@pytest.fixture
def app(rt: Runtime, cast: Cast) -> Flask:
    """The whole application."""
    return create_app(rt)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody at its doors."""
    return app.test_client()
