"""What gunicorn cannot read is refused in our words: nothing of it comes back, nor into the log.

gunicorn's own page repeats the line or the name that it stumbled over, in HTML without a policy:
a link's token stands in such a line.
"""

from collections.abc import Mapping
from typing import Any, Final

from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from optout_service.core.answer_headers import ALWAYS, NO_PAGE

_STATUS: Final[Mapping[type[BaseException], str]] = {
    errors.LimitRequestLine: "414 URI Too Long",
    errors.LimitRequestHeaders: "431 Request Header Fields Too Large",
    errors.ExpectationFailed: "417 Expectation Failed",
    errors.UnsupportedTransferCoding: "501 Not Implemented",
}
"""RFC 9110, 15.5 and 15.6.2; RFC 9112, 6.1; RFC 6585, 5."""

_OURS: Final = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
)
_UNREAD: Final = "This request is not HTTP/1.1 as we read it. Nothing was done.\n"
_FAILED: Final = "Something went wrong on our side. Please try again.\n"


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, but for what it says of requests that it cannot read."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """As gunicorn calls it: ``client`` is the connection, ``exc`` what went wrong."""
        theirs = isinstance(exc, errors.ParseException) and not isinstance(exc, _OURS)
        if theirs:
            self.log.warning("a request could not be read", extra={"kind": type(exc).__name__})
            status = _STATUS.get(type(exc), "400 Bad Request")
        else:
            self.log.error("a request failed", exc_info=exc)
            status = "500 Internal Server Error"
        try:
            write_nonblock(client, _answer(status, _UNREAD if theirs else _FAILED))
        except Exception:
            self.log.debug("and its sender is gone")


def _answer(status: str, text: str) -> bytes:
    headers = (
        ("Connection", "close"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
        NO_PAGE,
        *ALWAYS,
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\n{head}\r\n{text}".encode()
