"""A cheap load client: raw sockets, keep-alive, requests made before, every answer looked at."""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes to send, and a part that the right answer has."""

    raw: bytes
    expected: bytes


@dataclass
class Result:
    """What one round saw; latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    wrong: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        """The latency, in milliseconds, that this part of the answers stayed under."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


def post(path: str, body: bytes, content_type: str, expected: bytes, *extra: str) -> Request:
    """A POST over a connection that is kept."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *extra,
    ]
    return Request("\r\n".join(lines).encode() + b"\r\n\r\n" + body, expected)


def get(path: str, expected: bytes) -> Request:
    """A GET over a connection that is kept."""
    return Request(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(), expected)


class _Caller:
    """One connection with one request under way; a new one where the server recycles a worker."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port, self._selector = port, selector
        self.asked = Request(b"", b"")
        self.since = 0.0
        self._seen = b""
        self._connect()

    def ask(self, request: Request) -> None:
        """Send a request."""
        self.asked, self.since = request, time.perf_counter()
        self._send()

    def answered(self) -> bytes | None:
        """The whole answer once it is there."""
        try:
            read = self._socket.recv(1 << 20)
        except ConnectionError:
            read = b""
        if not read:
            # A worker that retires closes idle connections: the request was never looked at.
            self._reconnect()
            self._send()
            return None
        self._seen += read
        head, found, body = self._seen.partition(b"\r\n\r\n")
        if not found:
            return None
        lowered = head.lower()
        length = int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        if b"connection: close" in lowered:
            self._reconnect()
        return self._seen

    def close(self) -> None:
        """Hang up."""
        self._selector.unregister(self._socket)
        self._socket.close()

    def _send(self) -> None:
        self._seen = b""
        try:
            self._socket.sendall(self.asked.raw)
        except ConnectionError:
            self._reconnect()
            self._socket.sendall(self.asked.raw)

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)

    def _reconnect(self) -> None:
        self.close()
        self._connect()


def run(port: int, requests: Iterator[Request], *, connections: int, seconds: float) -> Result:
    """Keep ``connections`` busy for some seconds, or until the requests run out."""
    result = Result()
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        busy = 0
        for request in islice(requests, connections):
            _Caller(port, selector).ask(request)
            busy += 1
        while busy:
            for key, _ in selector.select():
                caller = key.data
                if (answer := caller.answered()) is None:
                    continue
                now = time.perf_counter()
                result.latencies.append(now - caller.since)
                right = answer.startswith(b"HTTP/1.1 2") and caller.asked.expected in answer
                result.wrong += not right
                result.statuses[answer[9:12].decode()] += 1
                following = next(requests, None) if now - started < seconds else None
                if following is None:
                    caller.close()
                    busy -= 1
                else:
                    caller.ask(following)
        result.seconds = time.perf_counter() - started
    return result
