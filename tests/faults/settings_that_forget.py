"""R3: settings under which a power cut loses what was acknowledged."""

import time
from typing import Final

import psycopg
from sqlalchemy import Connection, create_engine

from optout_service.core.errors import Misconfigured
from optout_service.runtime import Runtime
from optout_service.store.db import assert_durable
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.stage import KEYS, settings_for

_POSTGRESQL: Final = ("fsync", "full_page_writes", "synchronous_commit")
_SAFE: Final = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "ON"}
_UNSAFE: Final = (
    ("journal_mode", "MEMORY"),
    ("journal_mode", "OFF"),
    ("synchronous", "NORMAL"),
    ("synchronous", "OFF"),
    ("foreign_keys", "OFF"),
)


def refused(ground: Ground, _: Size) -> Figure:
    """Each such setting alone; every one must be refused."""
    tried = _sqlite(ground) if ground.dialect == "sqlite" else _postgresql(ground)
    served = tuple(f"{setting} is served" for setting, refused_ in tried.items() if not refused_)
    return Figure(f"{len(tried) - len(served)} of {len(tried)} such settings refused", served)


def _sqlite(ground: Ground) -> dict[str, bool]:
    engine = create_engine(ground.database(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        tried = {}
        for name, value in _UNSAFE:
            for pragma in (*_SAFE.items(), (name, value)):
                connection.exec_driver_sql("PRAGMA {}={}".format(*pragma))
            tried[f"{name}={value}"] = _refuses(connection)
    engine.dispose()
    return tried


def _refuses(connection: Connection) -> bool:
    try:
        assert_durable(connection)
    except Misconfigured:
        return True
    return False


def _postgresql(ground: Ground) -> dict[str, bool]:
    server = ground.own_postgresql()
    settings = settings_for(server.create_database("forgets"))
    Runtime.set_up(settings, KEYS).close()
    tried = {}
    for name in _POSTGRESQL:
        _configure(server.url(), name, "off")
        try:
            Runtime.build(settings, KEYS).close()
        except Misconfigured:
            tried[f"{name}=off"] = True
        else:
            tried[f"{name}=off"] = False
        _configure(server.url(), name, "on")
    return tried


def _configure(url: str, name: str, value: str) -> None:
    """Change the server's configuration, and wait until a new session has it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")
    while True:
        with psycopg.connect(url) as connection:
            if connection.execute(f"SHOW {name}").fetchone() == (value,):
                return
        time.sleep(0.01)
