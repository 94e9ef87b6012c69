"""How a connection is closed without the other side losing the answer it has not read yet.

Who is refused while his body still comes goes on sending. Closed at once, he gets a reset for what
he sends, and with it loses the answer (RFC 9112, 9.6). So we end our side, and hear him out aside,
without a thread. And he is told that the connection ends: gunicorn says that it stays, reads on for
64 KiB, and then closes it, when the next request may be on its way.
"""

import socket
from collections import OrderedDict
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Final

from gunicorn.workers.gthread import TConn

from optout_service.worker import heads

SILENCE_SECONDS: Final = 5.0
"""For how long one may say nothing and not close either."""

WHOLE_SECONDS: Final = 30.0
"""For how long one may go on sending."""

_ROOM: Final = 256 * 1024

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Closing:
    """Those who are heard out. ``drop`` lets one of them go; all is for the thread that knows them.

    A connection's ``timeout`` is when it is to be let go if nothing comes.
    """

    def __init__(self, drop: Callable[[TConn], None]) -> None:
        self._drop = drop
        # In the order in which their time is up; with when the last of it is.
        self._ends: OrderedDict[TConn, float] = OrderedDict()
        self._room = memoryview(bytearray(_ROOM))

    def begin(self, conn: TConn) -> bool:
        """End our side. False: the other is gone, and there is nothing to wait for."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        now = monotonic()
        conn.timeout = now + SILENCE_SECONDS
        self._ends[conn] = now + WHOLE_SECONDS
        return True

    def hear(self, conn: TConn, client: socket.socket) -> None:
        """Throw away what has come."""
        try:
            heard = client.recv_into(self._room, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            heard = 0
        now = monotonic()
        if not heard or now > self._ends[conn]:
            self._drop(conn)
            return
        conn.timeout = now + SILENCE_SECONDS
        self._ends.move_to_end(conn)

    def forget(self, conn: TConn) -> None:
        """It has been let go."""
        self._ends.pop(conn, None)

    def drop_those_over(self, now: float) -> None:
        """Let those go whose time is up. ``now``: by the monotonic clock; infinity: all."""
        while self._ends and (first := next(iter(self._ends))).timeout <= now:
            self._drop(first)


def ending_with_a_refusal(application: Application) -> Application:
    """The application; where it refuses one whose body was not waited for, the connection ends."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if _is_there(environ):
            return application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if status[0] in "45":
                # gunicorn's Response, whose method this is, writes the header itself (PEP 3333).
                start_response.__self__.force_close()
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return answer


def _is_there(environ: dict[str, Any]) -> bool:
    length = environ.get("CONTENT_LENGTH") or "0"
    in_chunks = "HTTP_TRANSFER_ENCODING" in environ
    return not in_chunks and length.isdigit() and int(length) <= heads.MOST
