"""R4: who asks after an acknowledgement, of any worker, is told of it."""

import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.faults.aftermath import judged
from tests.faults.crowd import crowd
from tests.faults.doors import Caller, Premises, caller, mail
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import History, Told
from tests.server import Server

_CLIENTS: Final = 8
_BY: Final = ("check",) * 38 + ("batch", "scrub")
_TO_EACH: Final = 4
"""Connections that are held to each worker."""


def seen_at_once(ground: Ground, size: Size) -> Figure:
    """Leave, and ask at once over a connection to another worker, one after the other."""
    url = "" if ground.dialect == "sqlite" else ground.database()
    workers = size.pick(2, 4)
    server = ground.server(url, workers=workers, OPTOUT_TABLE_ROWS="100", OPTOUT_ACCESS_LOG="0")
    premises, history = Premises.of(server), History()
    server.start()
    wanted = size.pick(200, 100_000)
    with _askers(server, premises, history) as askers:

        def pair(one: Caller, number: int) -> bool:
            told = one.act("api" if number % 4 == 0 else "one click", mail(number))
            asker = askers.get()
            said = asker.ask(_BY[number % len(_BY)], mail(number))
            askers.put(asker)
            return told is Told.STORED and Told.NOTHING not in said.values()

        with crowd(premises, history, _CLIENTS, pair) as over:
            while history.count(Told.SUPPRESSED) < wanted and not over.wait(0.2):
                pass
    server.stop()
    asked = Counter(call.door for call in history.told(Told.SUPPRESSED, Told.ALLOWED))
    said = ", ".join(f"{number} by {door}" for door, number in sorted(asked.items()))
    return Figure(
        f"{asked.total()} pairs over {workers} workers, asked {said}; "
        f"{history.count(Told.ALLOWED)} stale",
        judged(history, server, premises.cast.acme),
    )


@contextmanager
def _askers(server: Server, premises: Premises, history: History) -> Iterator[SimpleQueue[Caller]]:
    """Clients of whom as many are connected to each worker as to any other."""
    lines: dict[int, list[Caller]] = {pid: [] for pid in server.workers()}
    waiting: SimpleQueue[Caller] = SimpleQueue()
    with ExitStack() as held:
        while any(len(line) < _TO_EACH for line in lines.values()):
            one = held.enter_context(caller(premises, history))
            one.get("/healthz")
            line = lines[_other_end(one.port, server)]
            if len(line) < _TO_EACH:
                line.append(one)
        # In turns, so that one connection after the other is to another worker.
        for row in zip(*lines.values(), strict=True):
            for one in row:
                waiting.put(one)
        yield waiting


def _other_end(port: int, server: Server) -> int:
    """The worker that has the connection which leaves from this port of ours."""
    ends = f"{_hex(server.port)} {_hex(port)}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if " ".join(fields[1:3]) == ends:
            name = f"socket:[{fields[9]}]"
            return next(pid for pid in server.workers() if name in _open_files(pid))
    raise AssertionError("nobody has the other end")


def _hex(port: int) -> str:
    here = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    return f"{here}:{port:04X}"


def _open_files(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(os.readlink(entry))
        except FileNotFoundError:
            continue
    return found
