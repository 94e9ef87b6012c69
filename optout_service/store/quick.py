"""The quick way of a scrub: a table of digests, brought up to the ledger before it answers.

No check that starts after an acknowledgement may miss it, on any process. So within one transaction
it is proven that the table was made of this very database, by the hash of the ledger's entry at the
table's position; then every digest that the ledgers name after that position is read anew. Where
anything does not fit, the store itself answers, and a new table is made for later.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from optout_service.core.covers import Regime
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM
from optout_service.core.scope import ANY, Scope
from optout_service.store import digest_tables, seal
from optout_service.store.checks import Narrow, Question
from optout_service.store.codes import CHANNEL, PURPOSE
from optout_service.store.digest_tables import (
    Digests,
    DigestTable,
    Section,
    halves,
)
from optout_service.store.snapshots import Held
from optout_service.store.table_source import Source

MOST_EVENTS: Final = 20_000
"""Events after the table's position that are still read anew; beyond, a new table is due."""

_LOOKS_EVERY: Final = 64
"""Batches of a tenant without a table between two looks at whether it has grown to one."""

_log = logging.getLogger(__name__)


class Quick:
    """What stands for one question, by a table and by what came after it."""

    def __init__(
        self,
        as_of: int,
        age: int,
        regime: Regime,
        table: list[Digests],
        changed: Digests,
        suppressed: Digests,
    ) -> None:
        """``age``: how many events came after the table, and ``changed`` whose they are.

        ``suppressed``: those of them that are so now. ``regime``: how all of them are stored.
        """
        self.as_of, self.age, self._regime = as_of, age, regime
        self._table, self._changed, self._suppressed = table, changed, suppressed

    def probe(self, digests: bytes) -> bytes:
        """As ``Snapshot.probe``. It reads no database."""
        return self.probe_stored(self._regime.stored(digests))

    def probe_stored(self, digests: bytes) -> bytes:
        """The same, of digests as they are stored."""
        high, low = halves(digests)
        found = np.zeros(high.shape, np.bool_)
        for section in self._table:
            found |= section.holds(high, low)
        found &= ~self._changed.holds(high, low)
        found |= self._suppressed.holds(high, low)
        return found.tobytes()


@dataclass(frozen=True, slots=True)
class _Opened:
    identity: tuple[int, int]
    table: DigestTable | None


class Tables:
    """The tables of all tenants, in a directory that may be emptied at any time."""

    def __init__(
        self,
        folder: Path,
        keys: KeyRing,
        dialect: str,
        snapshot: Callable[[], AbstractContextManager[Connection]],
        least_rows: int,
    ) -> None:
        """``least_rows``: with fewer suppressions a tenant gets no table; 0: nobody gets one."""
        self._folder, self._keys, self._dialect = folder, keys, dialect
        self._snapshot, self._least_rows = snapshot, least_rows
        self._opened: dict[int, _Opened] = {}
        self._building = threading.Lock()
        self._kept_up = False
        self._failed: set[int] = set()
        self._asked_without: dict[int, int] = {}

    def keep_up(self) -> None:
        """From now on make, aside, what is found missing: for a process that lives long."""
        self._kept_up = True

    def quick(self, held: Held) -> Quick | None:
        """The quick way to the answers of ``held``, if there is one; else it may come to be."""
        if held.question.regime.moving:
            return None  # the ledger does not tell which rows have moved since
        found = self._opened_quick(held)
        if found is None or found.age > MOST_EVENTS // 2:
            self._build_if_worth_it(held)
        return found

    def narrowed(self, question: Question) -> Narrow | None:
        """For ``Checks.check_many``: by a table that is there, leaves out who is not suppressed.

        Now and then it looks whether a table that is not there would be worth making.
        """
        tenant = question.tenant
        if question.regime.moving:
            return None
        if self._table(tenant, question.regime) is None:
            asked_before = self._asked_without.get(tenant, 0)
            self._asked_without[tenant] = asked_before + 1
            if asked_before % _LOOKS_EVERY or not (self._kept_up and self._least_rows):
                return None

        def narrow(connection: Any, digests: list[bytes]) -> list[bytes]:
            held = Held(self._dialect, connection, question)
            found = self.quick(held)
            if found is None:
                return digests
            return [*compress(digests, found.probe_stored(b"".join(digests)))]

        return narrow

    def build(self, tenant: int) -> bool:
        """Make a tenant's table anew. False: another process is at it, or digests are moving.

        Raises what reading does.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._folder} is not ours")
        with self._snapshot() as connection:
            regime = seal.regime_of(connection, self._keys)
            path = self._path(tenant, regime)
            with _alone(path.with_suffix(".lock")) as alone:
                if not alone or regime.moving:
                    return False
                for left_over in self._folder.glob(f"{path.name}.*.part"):
                    left_over.unlink(missing_ok=True)
                driver = connection.connection.driver_connection
                source = Source(driver, self._dialect, tenant)
                origin = source.origin(regime.fingerprint)
                digest_tables.write(path, self._keys, origin, source.sections())
        self._remove_tables_but(regime)
        return True

    def _remove_tables_but(self, regime: Regime) -> None:
        """Those from before a rotation: whoever has the pepper of then could read them."""
        for other in self._keys.regimes.all:
            if other != regime:
                for left_over in self._folder.glob(f"{other.fingerprint}-*"):
                    left_over.unlink(missing_ok=True)

    def _opened_quick(self, held: Held) -> Quick | None:
        """By the table that is there, if it fits and not too much has happened since."""
        table = self._table(held.question.tenant, held.question.regime)
        if table is None:
            return None
        source = Source(held.connection, self._dialect, held.question.tenant)
        if not source.fits(table.origin, held.question.regime.fingerprint):
            return None
        changed = source.digests_after(table.origin.ledgers, MOST_EVENTS + 1)
        return None if len(changed) > MOST_EVENTS else _quick(held, table, changed)

    def _build_if_worth_it(self, held: Held) -> None:
        if self._kept_up and self._least_rows:
            tenant = held.question.tenant
            if Source(held.connection, self._dialect, tenant).has_rows(self._least_rows):
                self._build_aside(tenant)

    def _build_aside(self, tenant: int) -> None:
        """In a thread of its own, one at a time; meanwhile the store itself answers.

        What failed once is not tried again by this process: each try reads all there is.
        """
        if tenant not in self._failed and self._building.acquire(blocking=False):
            threading.Thread(target=self._build_quietly, args=(tenant,), daemon=True).start()

    def _build_quietly(self, tenant: int) -> None:
        try:
            self.build(tenant)
        except Exception as fault:  # whatever it was, the store answers all the same
            self._failed.add(tenant)
            _log.warning("no digest table", extra={"tenant": tenant}, exc_info=fault)
        finally:
            self._building.release()

    def _table(self, tenant: int, regime: Regime) -> DigestTable | None:
        if not self._least_rows:
            return None
        path = self._path(tenant, regime)
        try:
            found = os.stat(path)
        except OSError:
            return None
        identity = found.st_ino, found.st_mtime_ns
        opened = self._opened.get(tenant)
        if opened is None or opened.identity != identity:
            opened = _Opened(identity, DigestTable.open(path, self._keys))
            self._opened[tenant] = opened
        return opened.table

    def _path(self, tenant: int, regime: Regime) -> Path:
        return self._folder / f"{regime.fingerprint}-{tenant}.digests"


def _quick(held: Held, table: DigestTable, changed: list[bytes]) -> Quick:
    asked = held.question.asked.as_question()
    return Quick(
        held.as_of,
        len(changed),
        held.question.regime,
        [
            digests
            for section, digests in table.sections.items()
            if _matches(section, held.question.tenant, asked)
        ],
        Digests.of(b"".join(changed)),
        Digests.of(b"".join(held.suppressed(changed))),
    )


def _matches(section: Section, tenant: int, asked: Scope) -> bool:
    """Whether a suppression of this section matches, as the statement of ``snapshots`` has it."""
    whose, channel, topic, purpose = section
    return (
        whose in (PLATFORM, tenant)
        and channel in (CHANNEL[ANY], CHANNEL[asked.channel])
        and topic in (ANY, asked.topic)
        and purpose in (PURPOSE[ANY], PURPOSE[asked.purpose])
    )


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether this process is the one that holds the file's lock."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
