"""The connections to the service: kept open, and asked again where that is safe.

Whatever is asked here may be asked twice: reads, and writes under an Idempotency-Key.
"""

import json
import os
import re
import secrets
import ssl
import time
from collections import deque
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from optout_service.client.errors import OptOutServiceError, Refused, Unavailable

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 30
"""What a Retry-After beyond this asks for is left to the caller."""

_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)
_SLUG: Final = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_MOST_OF_A_PROBLEM: Final = 100_000
TOO_MANY: Final = 429
_SERVER_FAULT: Final = 500


class Line:
    """Requests with one key to one service. Threads may share it; so may a fork's two sides."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        tenant: str | None,
        timeout: float,
        retries: int,
        context: ssl.SSLContext | None,
    ) -> None:
        """Raises ValueError for what is no URL, key or slug; the key is not repeated."""
        self._idle: deque[HTTPConnection] = deque()
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("base_url is where the service is: https://optout.example.com")
        if not _VISIBLE.fullmatch(api_key):
            raise ValueError("An API key is a line of visible ASCII characters.")
        if tenant is not None and not _SLUG.fullmatch(tenant):
            raise ValueError("A tenant is named by its slug.")
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._secure = parts.scheme == "https"
        self._context = context
        self._timeout = timeout
        self._retries = retries
        self._headers = {"Authorization": f"Bearer {api_key}", "Accept": "application/json"}
        if tenant is not None:
            self._headers["Optout-Tenant"] = tenant
        self._process = os.getpid()

    def __del__(self) -> None:
        self.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        wait: float = 0,
    ) -> bytes:
        """The body of a good answer. ``wait``: how many seconds the service may take by intent.

        Raises Refused or Unavailable, once it has been asked as often as it may.
        """
        target = self.target(path, query)
        sent = None if body is None else json.dumps(body).encode()
        shown = self._headers | dict(headers or {})
        if sent is not None:
            shown["Content-Type"] = "application/json"
        for turn in range(self._retries + 1):
            try:
                status, answer, after = self._exchange(method, target, sent, shown, wait)
                if 200 <= status < 300:
                    return answer
                fault = problem(status, answer)
            except (OSError, HTTPException):
                # Not chained: an exception of a socket or a codec can hold what was sent.
                fault, after = Unavailable("The service did not answer. Do not send now."), None
            pause = _pause(turn, fault, after)
            if turn == self._retries or pause is None:
                break
            time.sleep(pause)
        raise fault from None

    def target(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        """The path as it is asked for, below that of the service."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self._prefix}{path}?{urlencode(given)}" if given else f"{self._prefix}{path}"

    @property
    def headers(self) -> dict[str, str]:
        """What every request shows."""
        return dict(self._headers)

    @property
    def timeout(self) -> float:
        """Seconds that may pass without a byte."""
        return self._timeout

    def connect(self) -> HTTPConnection:
        """A connection of one's own."""
        if self._secure:
            return HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._context
            )
        return HTTPConnection(self._host, self._port, timeout=self._timeout)

    def close(self) -> None:
        """Close what is kept open."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], wait: float
    ) -> tuple[int, bytes, str | None]:
        connection, kept = self._take()
        try:
            response = self._send(connection, method, target, body, headers, wait)
        except (ConnectionError, HTTPException):
            connection.close()
            if not kept:
                raise
            # The service had closed it meanwhile, as it may: that is no fault of anybody's.
            connection = self.connect()
            response = self._send(connection, method, target, body, headers, wait)
        try:
            answer = response.read()
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            self._idle.append(connection)
        return response.status, answer, response.getheader("Retry-After")

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
        wait: float,
    ) -> HTTPResponse:
        connection.timeout = self._timeout + wait
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        try:
            connection.request(method, target, body, headers)
            return connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _take(self) -> tuple[HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        if self._process != os.getpid():
            # The other side of the fork goes on talking on these.
            self._idle, self._process = deque(), os.getpid()
        try:
            return self._idle.pop(), True
        except IndexError:
            return self.connect(), False


def problem(status: int, answer: bytes) -> OptOutServiceError:
    """What an answer that is not good comes to."""
    try:
        told = json.loads(answer) if len(answer) <= _MOST_OF_A_PROBLEM else None
    except ValueError:
        told = None
    kind = told.get("kind") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(kind, str):
        return Unavailable(
            f"What answered, with status {status}, is not the service. Check its URL."
        )
    detail = str(told.get("detail", ""))
    if status >= _SERVER_FAULT or status < 400:
        return Unavailable(f"The service could not answer ({kind}). Do not send now.")
    known = ("type", "title", "status", "detail", "kind")
    extra = {name: value for name, value in told.items() if name not in known}
    return Refused(status, kind, detail, extra)


def _pause(turn: int, fault: OptOutServiceError, after: str | None) -> float | None:
    """How long to wait before asking again; None where that would not help."""
    asked = int(after) if after is not None and after.isascii() and after.isdecimal() else None
    if isinstance(fault, Refused) and (fault.status != TOO_MANY or asked is None):
        return None
    if asked is not None:
        return asked if asked <= LONGEST_PAUSE_SECONDS else None
    # Doubled each time, and anywhere below that: clients that failed together do not come together.
    most = min(FIRST_PAUSE_SECONDS * float(2**turn), LONGEST_PAUSE_SECONDS)
    return most * (1 + secrets.randbelow(1000)) / 1000
