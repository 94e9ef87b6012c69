"""A TCP proxy on loopback that can hold back what comes from the other side."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Listens on ``port`` and leads to ``target``; while ``stalled``, nothing is handed on."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        self._ended = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._ended = True
        self._flows.set()
        self._listening.close()

    def stall(self) -> None:
        """Hand nothing on from now: to both sides the other one is silent, and there."""
        self._flows.clear()

    def flow(self) -> None:
        """Hand on what was held back, and all that comes."""
        self._flows.set()

    def _accept(self) -> None:
        while not self._ended:
            with contextlib.suppress(OSError):
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._hand_on, args=ends, daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with source:
            with contextlib.suppress(OSError):
                while block := source.recv(65536):
                    self._flows.wait()
                    target.sendall(block)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
