"""Pooled connections that are kept: the check would pay for the pool each time.

Threads of a server are few and live long. What a thread that has ended held is closed.
"""

import threading
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import PoolProxiedConnection


class HeldConnections:
    """The connections that threads hold, by thread."""

    def __init__(
        self,
        engine: Engine,
        fits: Callable[[PoolProxiedConnection], bool] = lambda _: True,
        prepare: Callable[[Any], None] = lambda _: None,
    ) -> None:
        """``fits`` says of a held connection whether it may still be used. ``prepare`` is done once
        to what the driver gives."""
        self._engine = engine
        self._fits = fits
        self._prepare = prepare
        self._held: dict[int, PoolProxiedConnection] = {}

    def driver(self) -> DBAPIConnection:
        """This thread's connection, as the driver has it. Raises what connecting raises."""
        held = self._held.get(threading.get_ident())
        if held is None or not self._fits(held):
            held = self._hold()
        return cast(DBAPIConnection, held.driver_connection)

    def is_lost(self) -> bool:
        """Whether this thread has none that could be used: its own was closed, or none came."""
        held = self._held.get(threading.get_ident())
        return held is None or bool(getattr(held.driver_connection, "closed", False))

    def let_go(self) -> None:
        """Close this thread's connection: it broke."""
        self._close(threading.get_ident())

    def close(self) -> None:
        """Close all of them. No thread may be using one."""
        for ident in list(self._held):
            self._close(ident)

    def _hold(self) -> PoolProxiedConnection:
        self.let_go()
        living = {thread.ident for thread in threading.enumerate()}
        for ident in self._held.keys() - living:
            self._close(ident)
        held = self._engine.raw_connection()
        try:
            self._prepare(held.driver_connection)
        except BaseException:
            held.invalidate()
            held.close()
            raise
        self._held[threading.get_ident()] = held
        return held

    def _close(self, ident: int) -> None:
        if (held := self._held.pop(ident, None)) is not None:
            held.invalidate()
            held.close()


class KeptConnection:
    """One connection that is kept between uses: for the one writer of an SQLite file."""

    def __init__(self, engine: Engine, identity: Callable[[], object]) -> None:
        """``identity`` names the file that is at the database's path now."""
        self._engine = engine
        self._identity = identity
        self._connection: Connection | None = None
        self._connected_to: object = None

    def take(self) -> Connection:
        """The connection; a new one where another file has taken the place of the one we hold."""
        there = self._identity()
        if self._connection is None or there != self._connected_to:
            self.close()
            self._connection = self._engine.connect()
            self._connected_to = there
        return self._connection

    def give(self, _: Connection, broken: bool) -> None:
        """Back from use; one that broke is closed, and SQLite undoes what it had open."""
        if broken:
            self.close()

    def close(self) -> None:
        """Close it, if it is open."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
