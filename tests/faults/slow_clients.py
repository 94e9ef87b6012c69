"""R9: two hundred clients who send and read as slowly as they can, with a proxy and without."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import cycle
from typing import Final

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from tests.deploy.proxy import Proxy
from tests.faults import people
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.server import Server
from tests.stage import Cast

CLIENTS: Final = 200
AIM_MILLISECONDS: Final = 500
_BETWEEN_BYTES: Final = 0.3

_Door = Callable[[], socket.socket]


class _Slow:
    """One client: a beginning at once, then a byte at a time, over and over."""

    def __init__(self, door: _Door, begin: bytes, drop: bytes) -> None:
        self._door, self._begin, self._drop = door, begin, drop
        self._connect()

    def go_on(self) -> None:
        """The next byte; a new connection, where this one was ended."""
        try:
            self._socket.send(self._drop)
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._socket.close()
            self._connect()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _connect(self) -> None:
        self._socket = self._door()
        self._socket.setblocking(False)
        with suppress(OSError):
            self._socket.send(self._begin)


def at_the_service(ground: Ground, size: Size) -> Figure:
    """People leave for some seconds while all of them go on."""
    return _try(ground, size, with_proxy=False)


def before_nginx(ground: Ground, size: Size) -> Figure:
    """The same, and all of them reach the service by way of nginx, as we ship it."""
    return _try(ground, size, with_proxy=True)


def _try(ground: Ground, size: Size, *, with_proxy: bool) -> Figure:
    database = ground.database() if ground.dialect == "postgresql" else ""
    server = ground.server(database, OPTOUT_ACCESS_LOG="false", OPTOUT_PROXIES=str(int(with_proxy)))
    cast = server.set_up()
    with server.looking_in() as rt:
        server.start()
        reached = ground.nginx(server) if with_proxy else server
        with _going_on(partial(_connected, reached), rt, cast):
            until = time.monotonic() + size.pick(2, 60)
            seen = people.leave(reached, rt, cast, lambda: time.monotonic() > until)
        broken = seen.failed + people.lost(rt, cast, seen)
    if size is Size.FULL and seen.percentile(0.99) > AIM_MILLISECONDS:
        broken.append(f"p99 is {seen.percentile(0.99):.0f} ms")
    return Figure(
        f"{len(seen.acknowledged)} of {len(seen.latencies)} opt-outs answered, none lost, "
        f"p50 {seen.percentile(0.5):.0f}, p99 {seen.percentile(0.99):.0f} ms",
        tuple(broken),
    )


def _connected(reached: Server | Proxy) -> socket.socket:
    line = socket.socket()
    # Who does not read has little room, so that the other side stands still soon.
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(10)
    line.connect(("127.0.0.1", reached.port))
    if isinstance(reached, Proxy):
        return reached.trust.wrap_socket(line, server_hostname="127.0.0.1")
    return line


@contextmanager
def _going_on(door: _Door, rt: Runtime, cast: Cast) -> Iterator[None]:
    over = threading.Event()
    link = rt.links.mint(Claim(cast.acme, "email", Address.parse(Kind.EMAIL, "slow@example.com")))
    kinds = cycle(_kinds(link, cast.keys["sender"]))
    slow = [_Slow(door, *next(kinds)) for _ in range(CLIENTS)]

    def go_on() -> None:
        while not over.wait(_BETWEEN_BYTES):
            for one in slow:
                one.go_on()

    moving = threading.Thread(target=go_on)
    moving.start()
    try:
        yield
    finally:
        over.set()
        moving.join()
        for one in slow:
            one.close()


def _kinds(link: str, key: str) -> tuple[tuple[bytes, bytes], ...]:
    """What each kind begins with, and goes on with."""
    form = "Content-Type: application/x-www-form-urlencoded"
    known = f"Authorization: Bearer {key}"
    page = _head(f"GET /u/{link}") + b"\r\n"
    return (
        (b"", b""),
        (_head(f"POST /u/{link}") + b"X-Slow: ", b"x"),
        (_head(f"POST /u/{link}", form, "Content-Length: 26") + b"\r\nList", b"-"),
        (_head("POST /hooks/mail/inbound", "Content-Length: 1000000") + b"\r\n", b"x"),
        (_head("POST /v1/check/batch", known, "Content-Length: 1000000") + b"\r\n{", b" "),
        (_head("POST /v1/scrub?channel=email", known, "Content-Length: 1000000") + b"\r\n", b"a"),
        (20 * page, page),
        (_head("GET /healthz", "Connection: close") + b"\r\n", b"x"),
    )


def _head(line: str, *headers: str) -> bytes:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "")).encode()
