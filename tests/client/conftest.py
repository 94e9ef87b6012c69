"""The real service, and those who ask it by the client."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from optout_service.client import Client
from tests.server import Server
from tests.stage import Cast


@dataclass(frozen=True)
class Served:
    """A running service and its keys."""

    server: Server
    cast: Cast
    lines: ExitStack = field(default_factory=ExitStack)

    def by(self, role: str, **more: Any) -> Client:
        """A client with the key of this role, open as long as the service is."""
        made = Client(self.server.base_url, self.cast.keys[role], **more)
        return self.lines.enter_context(made)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests of this process; its answers to lists begin after 50 kB."""
    server = Server(tmp_path_factory.mktemp("client"), OPTOUT_SPOOL_BYTES="50000")
    cast = server.set_up()
    server.start()
    with ExitStack() as lines:
        yield Served(server, cast, lines)
    server.stop()


@pytest.fixture
def by(served: Served) -> Callable[..., Client]:
    """``by("sender")``: a client with the key of this role."""
    return served.by


@pytest.fixture
def someone() -> str:
    """An address that no other test has."""
    return f"someone.{secrets.token_hex(6)}@example.com"
