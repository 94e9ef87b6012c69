"""Log lines: JSON, one each, on standard error. No address, token or key leaves here in clear.

Lines of other libraries pass the same masker. It comes last, when tracebacks have become text.
"""

import contextlib
import logging
import os
import re
import sys
import threading
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

import structlog
from gunicorn.glogging import Logger as _GunicornsLogger

_log: Final = logging.getLogger(__name__)
_request_id: ContextVar[str] = ContextVar("request_id", default="")

# What may not be in a line. Each is wide rather than narrow: a masked word too many harms nobody.
_SECRETS: Final = re.compile(
    r"""
      (?P<path> (?<=/u/) [^\s"'<>]+ )                       # a link's token, in any path
    | (?P<token> [A-Za-z0-9_-]{20,}~[A-Za-z0-9_-]{20,} )   # a link's token, bare
    | (?P<key> \boo_[A-Za-z0-9_-]{8,} )                    # an API key
    | (?P<bearer> (?<=[Bb]earer[ ]) \S+ )                  # whatever was sent as one
    | (?P<dsn> (?<=://) [^\s/@"']* : [^\s/@"']* (?=@) )    # a database URL's password
    | (?P<email> [^\s"<>(),;:@]{1,320} (?:@|%40) [^\s"'<>(),;@]{1,255} )
    | (?P<hash> \b[Ss][Hh][Aa]256:[0-9A-Fa-f]{8,} )
    | (?P<phone> (?:\+|%2[Bb]) [0-9(][0-9().\s-]{5,18}[0-9] )
    """,
    re.VERBOSE,
)
_MASK: Final = "[masked]"
_OWN: Final = frozenset({"timestamp", "level", "request_id"})


def mask(text: str) -> str:
    """The text without anything that looks like an address, a link's token, or a key."""
    return _SECRETS.sub(_MASK, text)


def configure(level: str) -> None:
    """Send this process's log lines to standard error, from ``level`` on, masked, as JSON.

    Python's own words too, of a thread that died or a warning: they would repeat what went wrong.
    """
    handler = _Lines(sys.stderr)
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Every start asks Alembic where the schema stands; its small talk says nothing of that.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.raiseExceptions = False
    threading.excepthook = _note_thread
    sys.unraisablehook = _note_unraisable


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines; one that cannot be made is told of, without what was to stand in it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """As ``logging`` calls it, whose own way prints the line's arguments in clear."""
        if record.name != __name__:
            _log.error("a line could not be written", extra={"of": record.name})


def _note_thread(died: threading.ExceptHookArgs) -> None:
    _log.error("a thread died", exc_info=died.exc_value)


def _note_unraisable(fault: Any) -> None:
    _log.error("an exception could not be raised", exc_info=fault.exc_value)


def formatter() -> logging.Formatter:
    """What makes a masked JSON line of any record, ours or another library's."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_request_id,
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
            ),
            _mask_all,
            structlog.processors.JSONRenderer(),
        ],
    )


def bind_request(request_id: str) -> None:
    """Name the request that this thread serves now, for all its lines."""
    _request_id.set(request_id)


def access(method: str, route: str, status: str, milliseconds: float, request_id: str) -> None:
    """One line for one request. ``route`` is the rule that matched, never the path.

    Written by hand and in one piece: it stands on every request, and structlog would take 50 us.
    """
    line = (
        f'{{"event": "request", "method": "{method if method.isalpha() else "-"}", '
        f'"route": "{route}", "status": {status}, "ms": {milliseconds:.1f}, '
        f'"request_id": "{request_id}", '
        f'"timestamp": "{_spelled(time.gmtime())}"}}\n'
    )
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), line.encode())


@lru_cache(maxsize=2)
def _spelled(second: time.struct_time) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", second)


class GunicornLogger(_GunicornsLogger):  # type: ignore[misc]
    """gunicorn's own lines, through the same formatter; its access line has no URL in it."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn calls it, at start and on reload."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(formatter())

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """gunicorn's access line, for who switches it on: method, status, time."""
        if self.cfg.accesslog is not None:
            self.access_log.info(
                "request",
                extra={
                    "method": environ.get("REQUEST_METHOD", "-"),
                    "status": str(resp.status).partition(" ")[0],
                    "ms": round(request_time.total_seconds() * 1000, 1),
                },
            )


def _add_request_id(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := _request_id.get():
        line.setdefault("request_id", request_id)
    return line


def _mask_all(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {mask(name): value if name in _OWN else _masked(value) for name, value in line.items()}


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case bool() | int() | float() | None:
            return value
        case dict():
            return {mask(str(name)): _masked(part) for name, part in value.items()}
        case list() | tuple() | set():
            return [_masked(part) for part in value]
        case _:
            return mask(str(value))
