"""A primary and its standby, both real, on this machine."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optout_service.store import migrating
from tests.postgres import PostgreSQL

STANDBY = "standby"
_MIGRATED = "migrated"


@dataclass(frozen=True)
class Pair:
    """Two servers of which the second follows the first."""

    primary: PostgreSQL
    standby: PostgreSQL

    def database(self) -> str:
        """The name of a new, migrated database, on both."""
        name = f"optout_{uuid.uuid4().hex[:12]}"
        self.primary.create_database(name, _MIGRATED)
        return name

    def url(self, database: str) -> str:
        """The URL of both, as the service is given it."""
        hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in (self.primary, self.standby))
        return f"postgresql://postgres@/{database}?{hosts}"

    def await_caught_up(self) -> None:
        """Wait until the standby shows all that the primary has written."""
        reached = self.primary.ask("SELECT pg_current_wal_lsn()::text")
        behind = f"SELECT pg_last_wal_replay_lsn() >= '{reached}'::pg_lsn"
        while not self.standby.ask(behind):
            time.sleep(0.01)

    def require_both(self) -> None:
        """From now on a commit waits until the standby has it on its disk."""
        self.primary.configure(synchronous_standby_names=STANDBY)
        while (
            self.primary.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
            != 1
        ):
            time.sleep(0.01)

    def mend(self) -> None:
        """As they were at first, whoever was killed, and whatever waits for whom."""
        for server in (self.primary, self.standby):
            if not server.runs:
                server.start()
        self.primary.configure(synchronous_standby_names="")
        self.standby.ask("SELECT pg_wal_replay_resume()::text")

    def cut(self) -> None:
        """The standby gets nothing any more."""
        self.standby.configure(primary_conninfo="")
        while self.primary.ask("SELECT count(*) FROM pg_stat_replication"):
            time.sleep(0.01)


@contextmanager
def running(folder: Path | None = None, *options: str) -> Iterator[Pair]:
    """A pair, the standby asynchronous at first."""
    pair = Pair(PostgreSQL(*options, folder=folder), PostgreSQL(*options, folder=folder))
    try:
        pair.primary.start()
        migrating.upgrade(pair.primary.create_database(_MIGRATED))
        pair.standby.follow(pair.primary, STANDBY)
        pair.standby.start()
        yield pair
    finally:
        pair.standby.remove()
        pair.primary.remove()
