"""A real browser before the real service."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from tests.browser.needs import chromium_path, missing
from tests.server import Server

HERE = Path(__file__).parent

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and skip it where it cannot run."""
    lacking = missing()
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.browser)
            if lacking:
                item.add_marker(pytest.mark.skip(reason=lacking))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service, under gunicorn."""
    running = Server(tmp_path_factory.mktemp("browser"))
    running.acme = running.set_up().acme  # type: ignore[attr-defined]
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def link(server: Server) -> Callable[..., str]:
    """Makes the link of a new recipient: by mail about the newsletter, or ``"sms"`` about all."""
    numbers = count(1)

    def make(channel: str = "email") -> str:
        number = next(numbers)
        with server.looking_in() as rt:
            if channel == "email":
                address = Address.parse(Kind.EMAIL, f"reader{number}@example.com")
                claim = Claim(server.acme, channel, address, "newsletter")  # type: ignore[attr-defined]
            else:
                address = Address.parse(Kind.PHONE, f"+141555{number:05d}")
                claim = Claim(server.acme, channel, address)  # type: ignore[attr-defined]
            return f"{server.base_url}/u/{rt.links.mint(claim)}"

    return make
