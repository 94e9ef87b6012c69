"""The database behind the memory: connections, transactions, and what must be true before we start.

Two names say it at the call: ``reading()`` and ``writing()``. On SQLite a writer begins IMMEDIATE
and a reader deferred, else every check would wait for every click; on PostgreSQL readers are in
autocommit and read only.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, make_url

from optout_service.core.errors import Misconfigured, OptOutError, StoreUnavailable
from optout_service.store import engines, patience, pooled
from optout_service.store.commits import SharedCommits
from optout_service.store.doubts import Doubts
from optout_service.store.faults import FAULTS, GONE, translated
from optout_service.store.held import HeldConnections, KeptConnection
from optout_service.store.limits import Limits

T = TypeVar("T")


class Database:
    """One database, with a pool to read and a way to write."""

    def __init__(self, url: str, limits: Limits) -> None:
        """Connects to nothing yet. Raises Misconfigured for a URL of another kind of database."""
        parsed = make_url(url)
        self.dialect = parsed.get_backend_name()
        path = parsed.database or ""
        match self.dialect:
            case "sqlite":
                self._reader = engines.sqlite(path, limits, write=False)
                self._writer = engines.sqlite(path, limits, write=True)
            case "postgresql":
                self._reader = engines.postgresql(url, limits, write=False)
                self._writer = engines.postgresql(url, limits, write=True)
            case _:
                raise Misconfigured(
                    "OPTOUT_DATABASE_URL: only sqlite:/// and postgresql:// are spoken here."
                )
        sqlite_ = self.dialect == "sqlite"
        self._kept = KeptConnection(self._writer, partial(engines.identity, path))
        self._shared: dict[int, SharedCommits] = {}
        self._brief = threading.Lock() if sqlite_ else None
        self._patience = limits.statement_timeout_ms / 1000
        self._doubts = Doubts(self._patience)
        self._limits = limits
        self._pooled = not sqlite_ and not limits.prepared_statements
        self._held = self._holding(path)

    def _holding(self, path: str) -> HeldConnections:
        if self.dialect == "sqlite":
            return HeldConnections(self._reader, fits=partial(engines.is_same_file, path))
        if self._pooled:
            return HeldConnections(self._reader)
        return HeldConnections(self._reader, prepare=engines.plan_once)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads. Raises StoreUnavailable when the store cannot be read."""
        with translated(), self._reader.connect() as connection:
            if self._pooled:
                connection = pooled.in_transactions(connection, "READ COMMITTED")
            with _no_longer_if_it_broke(connection), connection.begin():
                yield connection

    @contextmanager
    def reading_one_state(self) -> Iterator[Connection]:
        """A connection on which all reads see one state, that of the first of them.

        It holds up what the database cleans away, so not for longer than it must be. Raises
        StoreUnavailable.
        """
        with one_state(self._reader) as connection:
            yield connection

    @contextmanager
    def writing(self, tenant: int | None = None) -> Iterator[Connection]:
        """A connection in a transaction, committed and fsynced when the block has ended.

        An exception in the block undoes all of it. ``tenant``: whose ledger alone the block writes,
        if that is so: such acts may share a commit. Raises StoreUnavailable when it could not be
        written: then nothing was.
        """
        with translated(), self._transaction(tenant) as connection:
            yield connection

    def ask_briefly(self, work: Callable[[Any], T]) -> T:
        """``ask``, for a look-up of some microseconds. On SQLite these take turns.

        Each call of SQLite's driver lets go of the interpreter's lock. Where many threads look up
        at once, taking it back from one another costs more than the look-ups themselves.
        """
        if self._brief is None:
            return self.ask(work)
        # Not for longer than a statement may take: behind one that is stuck all would wait in line.
        if not self._brief.acquire(timeout=self._patience):
            raise StoreUnavailable(GONE)
        try:
            return self.ask(work)
        finally:
            self._brief.release()

    def ask(self, work: Callable[[Any], T]) -> T:
        """Give a read the driver's own connection, one that this thread keeps: for the check alone.

        A connection whose server has gone since is found broken by using it; the read is then done
        once more, on a new one. Raises StoreUnavailable, and what ``work`` raises.
        """
        began = monotonic()
        try:
            try:
                return work(self._driver())
            except FAULTS:
                # What kept us waiting would keep us waiting again.
                if monotonic() - began >= self._patience or not self._is_broken():
                    raise
                return work(self._driver())
        except FAULTS as fault:
            raise StoreUnavailable(GONE) from fault

    def _driver(self) -> Any:
        driver = self._held.driver()
        return pooled.Pooled(driver, self._limits) if self._pooled else driver

    def _is_broken(self) -> bool:
        """Whether this thread's connection was lost. SQLite has none to lose but its file."""
        lost = self.dialect == "postgresql" and self._held.is_lost()
        if lost or self.dialect == "sqlite":
            self._held.let_go()
        return lost

    def in_use(self) -> dict[str, int]:
        """How many connections are taken out of each pool now; those kept for checks among them."""
        pools = {"reading": self._reader.pool, "writing": self._writer.pool}
        return {name: pool.checkedout() for name, pool in pools.items()}  # type: ignore[attr-defined]

    def close(self) -> None:
        """Give all connections back."""
        self._doubts.close()
        self._kept.close()
        self._held.close()
        self._reader.dispose()
        self._writer.dispose()

    def _transaction(self, tenant: int | None) -> AbstractContextManager[Connection]:
        if self.dialect == "sqlite":
            return self._commits(0, self._kept.take, self._kept.give, "BEGIN IMMEDIATE").writing()
        if tenant is None:
            return self._begun()
        # One tenant's acts wait for each other at its row lock anyway. Those of several would lock
        # several rows in one transaction, and two processes could wait for each other for ever.
        begin = f"BEGIN; {pooled.limits_of(self._limits)}" if self._pooled else "BEGIN"
        return self._commits(tenant, self._take, _give, begin).writing()

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        with self._writer.connect() as connection, connection.begin() as transaction:
            yield connection
            try:
                with self._doubts.committing(connection):
                    transaction.commit()
            except BaseException:
                # Whatever has become of it: the next writer must not find it open, and end it.
                connection.invalidate()
                raise

    def _commits(
        self,
        of: int,
        take: Callable[[], Connection],
        give: Callable[[Connection, bool], None],
        begin: str,
    ) -> SharedCommits:
        found = self._shared.get(of)
        if found:
            return found
        around = _committing if self.dialect == "sqlite" else self._doubts.committing
        return self._shared.setdefault(of, SharedCommits(take, give, begin, around))

    def _take(self) -> Connection:
        return self._writer.connect().execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _committing(_: Connection) -> Iterator[None]:
    """Around a commit of SQLite's, which waits for nobody."""
    yield


@contextmanager
def one_state(engine: Engine) -> Iterator[Connection]:
    """A connection of a reader's engine on which all reads see one state.

    Raises StoreUnavailable.
    """
    with translated(), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = pooled.in_transactions(connection, "REPEATABLE READ")
        with _no_longer_if_it_broke(connection), connection.begin():
            yield connection


def _give(connection: Connection, broken: bool) -> None:
    if broken:
        connection.invalidate()
        connection.close()
        return
    held = connection.connection
    try:
        connection.close()
    except FAULTS:
        # The server went away after the commit: what was stored is, and the connection is lost.
        if held.is_valid:
            held.invalidate()


@contextmanager
def _no_longer_if_it_broke(connection: Connection) -> Iterator[None]:
    """A reader in which anything unforeseen was raised is closed, and not given to the next one.

    SQLite goes on showing what stood then for as long as anybody has an unread cursor of the
    connection, in a traceback say; a later check would not see an opt-out (law 2).
    """
    try:
        yield
    except OptOutError:
        raise
    except BaseException:
        connection.invalidate()
        raise


def assert_durable(connection: Connection) -> None:
    """Refuse a database that may forget what it has acknowledged.

    SQLite must be in WAL mode with synchronous=FULL and foreign keys on; PostgreSQL must have
    fsync, full_page_writes and synchronous_commit on. Raises Misconfigured naming each fault.
    """
    if connection.dialect.name == "sqlite":
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        faults = [f"{name} is {found[name]}" for name in wanted if found[name] != wanted[name]]
    else:
        names = ("fsync", "full_page_writes", "synchronous_commit")
        faults = [
            f"{name} is off"
            for name in names
            if connection.exec_driver_sql(f"SHOW {name}").scalar() == "off"
        ]
    if faults:
        raise Misconfigured(
            f"This database may lose what it has acknowledged: {', '.join(faults)}. Turn it on in "
            "the server's configuration and start again."
        )


def without_limit(connection: Connection) -> None:
    """Let this transaction's statements take as long as they need, on PostgreSQL.

    Its limit is meant for those that somebody waits for; this one reads all there is.
    """
    if connection.dialect.name == "postgresql":
        patience.unhurried(connection.connection.driver_connection)


def clock(connection: Connection) -> datetime | None:
    """The database server's time; None for SQLite, whose clock is ours."""
    if connection.dialect.name == "sqlite":
        return None
    found: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return found
