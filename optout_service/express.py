"""Ahead of the framework: the two requests that come by the million, answered by the same steps.

Measured under gunicorn, Flask's own work on a request costs more than a check or an opt-out does.
So the plainest form of both is answered here. Whatever is out of the ordinary goes on to Flask
with its body intact; so does an exception, which Flask words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Protocol

from optout_service import envelope

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

REFUSED: Final = "optout.refused"
"""Where an exception stands that was met here. The route raises it: nothing is done twice."""

_ENCODED: Final = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a 200, and its media type."""

    content_type: str
    body: bytes


class Lane(Protocol):
    """One kind of plain POST."""

    @property
    def route(self) -> str:
        """The rule of the route that it stands for, as the log names it."""

    def takes(self, environ: Environ, length: int) -> bool:
        """Whether this is one, as far as its head and the length of its body tell."""

    def answer(self, environ: Environ, body: bytes) -> Answer | None:
        """The answer, or None: let Flask see to it. Raises what Flask is to word."""


class Express:
    """A WSGI application that answers what its lanes take, and hands on all else."""

    def __init__(self, application: Application, lanes: Sequence[Lane]) -> None:
        self._application = application
        self._lanes = lanes

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        length = _length(environ) if environ["REQUEST_METHOD"] == "POST" else None
        if length is not None:
            for lane in self._lanes:
                if lane.takes(environ, length):
                    answer = _ask(lane, environ, length)
                    if answer is None:
                        break
                    start_response("200 OK", _headers(answer))
                    return (answer.body,)
        return self._application(environ, start_response)


def _length(environ: Environ) -> int | None:
    """The length of the body, where it comes in one plain piece."""
    length: str = environ.get("CONTENT_LENGTH") or ""
    plain = length.isascii() and length.isdecimal()
    return None if not plain or any(name in environ for name in _ENCODED) else int(length)


def _ask(lane: Lane, environ: Environ, length: int) -> Answer | None:
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    if len(body) < length:
        return None  # It ended early, which Flask says.
    try:
        answer = lane.answer(environ, body)
    except Exception as error:
        environ[REFUSED] = error
        return None
    if answer is not None:
        environ[envelope.ROUTE] = lane.route
    return answer


def _headers(answer: Answer) -> list[tuple[str, str]]:
    return [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
