"""``/metrics`` on a port of its own, and nothing else there; nor is it to be had on the others."""

from collections.abc import Callable, Iterable
from typing import Any, Final

_PATH: Final = "/metrics"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class MetricsPort:
    """A WSGI application that answers what came in by one port, and hands on all else."""

    def __init__(
        self, application: Application, port: int, show: Callable[[], tuple[str, bytes]]
    ) -> None:
        """``port``: of the listening socket. ``show`` gives the media type and the body."""
        self._application = application
        self._port = str(port)
        self._show = show

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI (PEP 3333). The server says by which socket a request came; no header can."""
        if environ.get("SERVER_PORT") != self._port:
            return self._application(environ, start_response)
        if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] != _PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return (b"Only GET /metrics is here.\n",)
        content_type, body = self._show()
        start_response(
            "200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        )
        return (body,)
