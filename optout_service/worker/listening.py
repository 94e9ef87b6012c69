"""gunicorn's worker with threads, which gives nobody a thread who has not said what he wants.

As it is, each new connection gets a thread at once, whoever calls waits in one line, and closing a
connection holds the whole process for as long as the other side leaves its own end open. So
connections wait here without a thread until a request is there, those of people and providers get
theirs first (``turns``), and one that is being closed is waited for aside.
"""

import errno
import gc
import math
import select
import selectors
import socket
import struct
import sys
from collections import OrderedDict
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, ClassVar, Final

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn

from optout_service import unreadable
from optout_service.worker import heads, turns
from optout_service.worker.closing import Closing, ending_with_a_refusal
from optout_service.worker.turns import Rank, Shares, Turns

HEAD_SECONDS: Final = 15.0
"""How long a request may take to come, where it is waited for without a thread."""

_STANDSTILL_SECONDS: Final = 60
"""How long a client that has a thread may stand still, in the middle of a body or an answer."""

# Beside threads that compute, one that answers waits so long for each of the locks it gives up when
# it reads, asks the store, and writes. Python's own 5 ms make a fifth of a second of an opt-out.
_SWITCH_SECONDS: Final = 0.0005

# Each change of a socket's mode gives up the interpreter's lock; so none is changed for a look.
_PEEK: Final = socket.MSG_PEEK | socket.MSG_DONTWAIT

_REMINDER_SECONDS: Final = 0.1
_NOBODY: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)


class Worker(unreadable.Worker):
    """A process of the service. ``shares`` stand on a subclass: gunicorn makes the instance."""

    shares: ClassVar[Shares]
    wsgi: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen = memoryview(bytearray(heads.MOST))
        # In the order in which their time is up; with the bytes seen.
        self._expected: OrderedDict[TConn, int] = OrderedDict()
        self._closing = Closing(self._drop)
        self._ends_at: float | None = None

    def init_process(self) -> None:
        """As gunicorn's."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        super().init_process()

    def get_thread_pool(self) -> Turns:
        """As gunicorn's."""
        return Turns(self.shares)

    def load_wsgi(self) -> None:
        """As gunicorn's."""
        super().load_wsgi()
        self.wsgi = ending_with_a_refusal(self.wsgi)

    def run(self) -> None:
        """As gunicorn's."""
        # What has been loaded stays. To go through it again and again for garbage stops everybody,
        # each time, and at the end takes longer than all that was still to be done.
        gc.freeze()
        super().run()

    def set_accept_enabled(self, enabled: bool) -> None:
        """As gunicorn's. One that ends takes who has come, and lets go of the listening sockets:

        as long as any process has them, the kernel answers whoever calls, and nobody serves him.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                while self.accept(listener):
                    pass
                listener.close()

    def accept(self, listener: socket.socket) -> bool:
        """Take a new connection, and look whether it says something. False: there is none."""
        try:
            client, address = listener.accept()
        except OSError as fault:
            if fault.errno not in _NOBODY:
                raise
            return False
        self.nr_conns += 1
        # The kernel's own limits: gunicorn reads and writes without one.
        for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            client.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", _STANDSTILL_SECONDS, 0))
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.data_ready = True
        self.enqueue_req(conn)
        return True

    def enqueue_req(self, conn: TConn) -> None:
        """Give the connection a thread, or a place among those that are waited for."""
        if self.cfg.is_ssl:
            self._submit(conn, Rank.PLAIN)
            return
        try:
            there = conn.sock.recv_into(self._seen, 0, _PEEK)
        except BlockingIOError:
            self._expect(conn, 0)
            return
        except OSError:
            there = 0
        rank = heads.rank(bytes(self._seen[:there]))
        if not there:
            self._drop(conn)
        elif rank is Rank.DOOR and conn.initialized and not _has_read(conn.sock):
            self._submit(conn, Rank.LETTER)
        elif rank is not None:
            self._submit(conn, rank)
        elif self._expected.get(conn) == there:
            # Nothing more comes, and gunicorn says what is wrong with that.
            self._submit(conn, Rank.LONG)
        else:
            self._expect(conn, there)

    def _expect(self, conn: TConn, seen: int) -> None:
        if conn not in self._expected:
            conn.timeout = monotonic() + HEAD_SECONDS
        self._expected[conn] = seen
        # Woken by more than is there, and not by what has been seen.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Look again at one that has been waited for."""
        self.poller.unregister(client)
        self.enqueue_req(conn)

    def _submit(self, conn: TConn, rank: Rank) -> None:
        if self._expected.pop(conn, None) is not None:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self.tpool.submit(rank, partial(self._serve, conn))

    def _serve(self, conn: TConn, rank: Rank | None) -> None:
        keep = False
        try:
            keep = bool(self.handle(conn))
        except BaseException:
            self.log.exception("a request ended its thread")
        self.method_queue.defer(self._finish, conn, keep, rank)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """As gunicorn's. Who comes too late is not read to the end: it would hold this thread."""
        if turns.is_late():
            req.force_close()
        return super().handle_request(req, conn)

    def _finish(self, conn: TConn, keep: bool, rank: Rank | None) -> None:
        self.tpool.done(rank)
        if not keep:
            self._close(conn)
        elif ahead := conn.parser.unreader.buf.getvalue():
            # Of the next request some bytes have been read, and no longer wake anybody. No person
            # asks before the answer is there.
            self._submit(conn, max(heads.rank(ahead) or Rank.LONG, Rank.LETTER))
        else:
            conn.set_timeout()
            if not self.alive:
                conn.timeout = min(conn.timeout, monotonic() + STOP_KEEPALIVE_LINGER)
            self.keepalived_conns.append(conn)
            self.poller.register(
                conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn)
            )

    def _close(self, conn: TConn) -> None:
        if self._closing.begin(conn):
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._closing.hear, conn))
        else:
            self._drop(conn)

    def _drop(self, conn: TConn) -> None:
        self._expected.pop(conn, None)
        self._closing.forget(conn)
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Let those go whose time is up, and remind of those who wait for a thread."""
        now = monotonic()
        if not self.alive and self._ends_at is None:
            self._ends_at = now + STOP_KEEPALIVE_LINGER
        if self._ends_at is not None and now > self._ends_at:
            now = math.inf
        while self._expected and (first := next(iter(self._expected))).timeout <= now:
            self._drop(first)
        self._closing.drop_those_over(now)
        self.tpool.turn_away()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As gunicorn's; not for so long that somebody waits for a thread past his time."""
        super().wait_for_and_dispatch_events(
            min(timeout, _REMINDER_SECONDS) if self.tpool.is_waited_for() else timeout
        )


def _has_read(client: socket.socket) -> bool:
    """Whether the client has taken what it was answered; else the next answer may have to wait."""
    poll = select.poll()
    poll.register(client, select.POLLOUT)
    return bool(poll.poll(0))


def worker(shares: Shares) -> type[Worker]:
    """The class of worker for gunicorn, with these shares."""
    return type("Worker", (Worker,), {"shares": shares})
