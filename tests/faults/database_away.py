"""R5: whatever is wrong with the database, an error for everybody, and "allowed" for nobody."""

from collections.abc import Callable
from typing import Final

from tests.faults.aftermath import judged
from tests.faults.doors import Premises
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import History, Told
from tests.faults.postgresql_faults import NAME
from tests.faults.postgresql_faults import Harm as ToPostgreSQL
from tests.faults.proxy import Proxy
from tests.faults.sqlite_faults import Harm as ToSQLite
from tests.faults.suffering import Fault, Ward, ward
from tests.server import Server

_THREADS: Final = "16"
"""More than there are callers: all connections may lead to one worker, and who finds no thread
waits for those before."""


def refused(ground: Ground, size: Size) -> Figure:
    """One fault after the other, with somebody at each door all the time."""
    return _on_sqlite(ground, size) if ground.dialect == "sqlite" else _on_postgresql(ground, size)


def _on_sqlite(ground: Ground, size: Size) -> Figure:
    server = ground.server()
    path = server.data_dir / "optout.db"
    return _suffer(server, size, lambda: ToSQLite(path, server).faults())


def _on_postgresql(ground: Ground, size: Size) -> Figure:
    database = ground.own_postgresql()
    url = database.create_database(NAME)
    with Proxy(database.port) as proxy:
        through = url.replace(f":{database.port}/", f":{proxy.port}/")
        server = ground.server(through, workers=2, OPTOUT_THREADS=_THREADS)
        return _suffer(server, size, lambda: ToPostgreSQL(database, proxy, server).faults())


def _suffer(server: Server, size: Size, faults: Callable[[], tuple[Fault, ...]]) -> Figure:
    premises, history = Premises.of(server), History()
    server.start()
    with ward(premises, history, size) as there:
        made = [fault for fault in faults() if fault.suite or size is Size.FULL]
        for fault in made:
            there.run(fault)
        found = _found(there, len(made))
    server.stop()
    return Figure(found, (*there.broken, *judged(history, server, premises.cast.acme)))


def _found(there: Ward, faults: int) -> str:
    stored = there.history.count(Told.STORED)
    return (
        f"{faults} faults, {there.refused} calls refused with 503 and Retry-After, the slowest "
        f"after {there.slowest:.1f} s; all well again {there.longest:.1f} s after the end of a "
        f"fault at the latest; {stored} opt-outs acknowledged in between"
    )
