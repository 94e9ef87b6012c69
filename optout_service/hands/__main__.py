"""The hand itself: digests the blocks that it is given, until its worker is gone or silent."""

import socket
import sys
from contextlib import suppress
from typing import Final

import msgspec

from optout_service.core.keyring import KeyRing
from optout_service.hands import wire

_IDLE_SECONDS: Final = 60
"""How long it stays without work."""


def main() -> None:
    """Serve the worker at the other end of the line whose number is the argument.

    The first message is the pepper: it stands in no argument and no environment.
    """
    with socket.socket(fileno=int(sys.argv[1])) as line, suppress(OSError):
        line.settimeout(_IDLE_SECONDS)
        keys = KeyRing(wire.receive(line), (), ())
        while True:
            task = msgspec.msgpack.decode(wire.receive(line), type=wire.Task)
            wire.send(line, msgspec.msgpack.encode(task.done(keys)))


if __name__ == "__main__":
    main()
