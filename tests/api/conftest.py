"""Who asks, in the tests of the API."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from optout_service.app import create_app
from optout_service.runtime import Runtime
from tests.api.asking import Asker


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
