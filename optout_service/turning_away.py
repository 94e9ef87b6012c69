"""Who is turned away before anything is read of him: a request to the API that has waited too long.

A recipient and a provider never are. Without it those who come in time would wait behind those who
have long hung up.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from optout_service import envelope, web
from optout_service.core.errors import Busy
from optout_service.metrics import Metrics
from optout_service.worker import turns

PREFIX: Final = "/v1/"

_BUSY: Final = Busy("There is more to do than can be done in time. Ask again, and less at once.")

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class TurningAway:
    """A WSGI application around another."""

    def __init__(self, application: Application, metrics: Metrics, public_url: str) -> None:
        self._application = application
        self._metrics = metrics
        self._public_url = public_url

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        if not turns.is_late() or not environ["PATH_INFO"].startswith(PREFIX):
            return self._application(environ, start_response)
        self._metrics.refusal(_BUSY.kind)
        environ[envelope.ROUTE] = PREFIX
        body = web.document(_BUSY, web.STATUS[Busy], self._public_url, environ)
        start_response(
            "503 Service Unavailable",
            [("Content-Type", web.PROBLEM), ("Content-Length", str(len(body)))],
        )
        return (body,)
