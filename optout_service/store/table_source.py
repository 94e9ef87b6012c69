"""What a table of digests is made of, and how it is told whether the two still belong together."""

from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from typing import Any, Final

from optout_service.core.chain import GENESIS
from optout_service.store.digest_tables import Ledger, Origin, Section
from optout_service.store.patience import unhurried

_PAGE: Final = 10_000


class Source:
    """What is read of the database for a table of one tenant, in one transaction."""

    def __init__(self, connection: Any, dialect: str, tenant: int) -> None:
        self.tenant = tenant
        self._connection = connection
        self._sqlite = dialect == "sqlite"

    def origin(self, pepper: str) -> Origin:
        """What a table of this moment is made of."""
        rows = self._rows(
            "SELECT id, created_at, seq, head FROM tenant WHERE id IN (0, ?) ORDER BY id",
            self.tenant,
        )
        topics = self._rows("SELECT tenant, slug FROM topic WHERE tenant IN (0, ?)", self.tenant)
        return Origin(
            pepper,
            tuple(Ledger(whose, made, seq, bytes(head)) for whose, made, seq, head in rows),
            tuple(sorted((whose, slug) for whose, slug in topics)),
        )

    def fits(self, origin: Origin, pepper: str) -> bool:
        """Whether a table of this origin was made of this database, at this state or before."""
        now = self.origin(pepper)
        return (
            (origin.pepper, origin.topics) == (now.pepper, now.topics)
            and len(origin.ledgers) == len(now.ledgers)
            and all(map(self._continues, origin.ledgers, now.ledgers))
        )

    def digests_after(self, ledgers: tuple[Ledger, ...], most: int) -> list[bytes]:
        """Whose state may have changed since then; at most so many events are read."""
        found: list[bytes] = []
        for ledger in ledgers:
            found += [
                bytes(row[0])
                for row in self._rows(
                    "SELECT digest FROM event WHERE tenant = ? AND number > ? LIMIT ?",
                    ledger.tenant,
                    ledger.seq,
                    most,
                )
            ]
        return found

    def has_rows(self, least: int) -> bool:
        """Whether there are as many suppressions."""
        return bool(
            self._rows(
                "SELECT 1 FROM suppression WHERE tenant = ? LIMIT 1 OFFSET ?",
                self.tenant,
                least - 1,
            )
        )

    def sections(self) -> Iterator[tuple[Section, bytes]]:
        """All that stands, in runs of one section, in the order of the digests."""
        # SQLite: by the primary key, which has that order, not by an index that would be sorted.
        of_tenant = "+tenant IN (0, ?)" if self._sqlite else "tenant IN (0, %s)"
        statement = (
            "SELECT digest, tenant, channel, topic, purpose FROM suppression "
            f"WHERE {of_tenant} ORDER BY digest"
        )
        if self._sqlite:
            cursor = self._connection.execute(statement, (self.tenant,))
        else:
            # One statement, as long as it takes; this transaction is no request's.
            unhurried(self._connection)
            cursor = self._connection.cursor("digests", binary=True)
            cursor.execute(statement, (self.tenant,))
        with closing(cursor):
            while rows := cursor.fetchmany(_PAGE):
                rows.sort(key=_section_of)
                for section, run in groupby(rows, key=_section_of):
                    yield section, b"".join([row[0] for row in run])

    def _continues(self, then: Ledger, now: Ledger) -> bool:
        if (then.tenant, then.created_at) != (now.tenant, now.created_at) or then.seq > now.seq:
            return False
        if then.seq == now.seq:
            return then.head == now.head
        if then.seq == 0:
            return bool(then.head == GENESIS)
        rows = self._rows(
            "SELECT hash FROM event WHERE tenant = ? AND number = ?", then.tenant, then.seq
        )
        return [bytes(row[0]) for row in rows] == [then.head]

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        if not self._sqlite:
            statement = statement.replace("?", "%s")
        return self._connection.execute(statement, values).fetchall()  # type: ignore[no-any-return]


def _section_of(row: Any) -> Section:
    return row[1], row[2], row[3], row[4]
