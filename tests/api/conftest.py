"""Who asks, in the tests of the API."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from optout_service.app import create_app
from optout_service.runtime import Runtime
from optout_service.store import reviews
from tests.api.asking import Asker
from tests.stage import Cast
from tests.store.acts import doubt


@pytest.fixture
def ask(client: FlaskClient, api_keys: dict[str, str]) -> Asker:
    """The API with all keys at hand."""
    return Asker(client, api_keys)


@pytest.fixture
def ask_with(rt: Runtime, api_keys: dict[str, str]) -> Callable[..., Asker]:
    """The same store behind other settings: ``ask_with(lift_cap=1)``."""

    def build(**knobs: Any) -> Asker:
        other = replace(rt, settings=replace(rt.settings, **knobs))
        return Asker(create_app(other).test_client(), api_keys)

    return build


@pytest.fixture
def queue(rt: Runtime, cast: Cast) -> None:
    """A review for Acme and one for the platform: for all for whom the keys of a test act."""
    with rt.writing() as connection:
        for tenant in (0, cast.acme):
            reviews.open_review(connection, doubt(tenant), at=rt.now(), keys=rt.keys)
