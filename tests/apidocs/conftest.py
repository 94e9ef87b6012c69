"""Who asks, as in the tests of the API."""

from tests.api.conftest import ask, queue

__all__ = ["ask", "queue"]
