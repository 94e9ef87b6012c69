"""One hand, as the worker holds it."""

import select
import socket
import subprocess
import sys
from typing import Final, Self

import msgspec
import numpy as np

from optout_service.core.digesting import Digested, Digester
from optout_service.core.keyring import DIGEST_BYTES, KeyRing
from optout_service.core.rows import Block
from optout_service.hands import wire

_PATIENCE: Final = 10.0
"""Seconds for half a MiB, which takes hundredths of one."""


class Gone(Exception):
    """The hand has gone, is stuck, or says what cannot be."""


class Hand:
    """A process at the other end of a line. It has one block at a time."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self._process, self._line = process, line

    @classmethod
    def start(cls, keys: KeyRing) -> Self:
        """Start one. Raises Gone."""
        ours, theirs = socket.socketpair()
        ours.settimeout(_PATIENCE)
        try:
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "optout_service.hands", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            wire.send(ours, keys.pepper)
        except OSError as fault:
            ours.close()
            raise Gone from fault
        return cls(process, ours)

    @property
    def there(self) -> bool:
        """Whether it still runs: without work it leaves by itself."""
        return self._process.poll() is None

    @property
    def finished(self) -> bool:
        """Whether the block that it was given last can be taken without waiting."""
        return bool(select.select([self._line], [], [], 0)[0])

    def give(self, digester: Digester, block: Block) -> None:
        """Have it digest a block. Raises Gone."""
        try:
            wire.send(self._line, msgspec.msgpack.encode(wire.Task.of(digester, block)))
        except OSError as fault:
            raise Gone from fault

    def take(self, digester: Digester, block: Block) -> Digested:
        """What it made of the block that it was given, waiting for it. Raises Gone."""
        try:
            done = msgspec.msgpack.decode(wire.receive(self._line), type=wire.Done)
            places = np.frombuffer(done.places, np.int64)
        except (OSError, ValueError, msgspec.MsgspecError) as fault:
            raise Gone from fault
        if len(done.digests) != places.size * DIGEST_BYTES:
            raise Gone
        return Digested(block, digester.cut(block), places, done.digests)

    def dismiss(self) -> None:
        """Send it home; what it still does is lost."""
        self._line.close()
        self._process.kill()
        self._process.wait()
