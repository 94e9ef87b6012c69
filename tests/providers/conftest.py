"""Twilio at the door."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.providers import playing
from tests.providers.playing import Post


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """Post a recorded body: ``post("stop_long_code", To=...)``."""

    def send(
        name: str,
        *,
        hook: str = "messages",
        token: str | None = None,
        query: str = "",
        **changes: str,
    ) -> TestResponse:
        form = playing.fields(name, **changes)
        given = {} if token is None else {"token": token}
        return playing.send(client, form, hook=hook, query=query, **given)

    return send
