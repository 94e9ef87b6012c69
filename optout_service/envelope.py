"""What every answer has, whoever gave it: an id, the headers, and one line in the log.

Around the application rather than in its hooks: it is on every check, and Flask's way of setting
eight headers costs more than the look-up itself.
"""

import secrets
from collections.abc import Callable, Iterable
from itertools import count
from time import perf_counter
from typing import Any, Final

from optout_service import telemetry
from optout_service.core.answer_headers import ALWAYS, NO_PAGE, POLICY
from optout_service.metrics import Metrics

REQUEST_ID: Final = "optout.request_id"
"""Where the request's id stands in the WSGI environment: in its log lines and problems too."""

ROUTE: Final = "optout.route"
"""Where the rule that matched stands, once one has: the log names it instead of the path."""

LIMITS: Final = "optout.limits"
"""Where the headers stand that say how often a caller may still ask."""

RETRY_AFTER_SECONDS: Final = "2"
"""How soon to ask again after a 429 or 503: within it a restarted store is back."""

_Environ = dict[str, Any]
_Application = Callable[[_Environ, Callable[..., Any]], Iterable[bytes]]


class Envelope:
    """A WSGI application around another."""

    def __init__(self, application: _Application, metrics: Metrics, *, access_log: bool) -> None:
        """``access_log``: whether to write a line for each request."""
        self._application = application
        self._metrics = metrics
        self._access_log = access_log
        # Of this process and counted on: chance for each would be a system call for each.
        self._process = secrets.token_hex(5)
        self._numbers = count()

    def __call__(self, environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        started = perf_counter()
        request_id = environ[REQUEST_ID] = f"{self._process}{next(self._numbers) & 0xFFFFFF:06x}"
        telemetry.bind_request(request_id)

        def start(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            given = {name for name, _ in headers}
            if status.startswith(("429", "503")) and "Retry-After" not in given:
                headers.append(("Retry-After", RETRY_AFTER_SECONDS))
            if POLICY not in given:
                headers.append(NO_PAGE)
            headers += environ.get(LIMITS, ())
            headers += ALWAYS
            headers.append(("X-Request-Id", request_id))
            method, route = environ["REQUEST_METHOD"], environ.get(ROUTE, "-")
            seconds = perf_counter() - started
            self._metrics.request(route, method, status[:3], seconds)
            if self._access_log:
                telemetry.access(method, route, status[:3], seconds * 1000, request_id)
            return start_response(status, headers, *fault)

        return self._application(environ, start)
