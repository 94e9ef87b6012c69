"""What stands at one tenant as a list, all of it true for one position of its ledger."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from optout_service.core import exports
from optout_service.core.address import Address
from optout_service.core.evidence import Reason
from optout_service.core.exports import Format
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Connection
from optout_service.store import ledger, suppressions


@dataclass(slots=True)
class Export:
    """One export. ``covering`` and ``reason``: as ``suppressions.walk`` has them.

    ``show``: an address as the caller may see it. ``hashes``: the kinds of address whose SHA-256
    the caller may see. ``rows`` and ``not_exportable`` grow as ``pieces`` is read: what has gone
    out, and what could not, because nothing but the digest is known of its address, or its hash is
    not for the caller. ``as_of``: the position.
    """

    tenant: int
    format: Format
    covering: Scope
    reason: Reason | None
    show: Callable[[Address], str]
    hashes: Collection[Kind] = frozenset(Kind)
    rows: int = 0
    not_exportable: int = 0
    as_of: int = 0

    def begin(self, connection: Connection, keys: KeyRing) -> Iterator[bytes]:
        """The list, in pieces, from a connection that sees one state. Raises NotFound."""
        self.as_of = ledger.position_of(connection, self.tenant)
        return self._pieces(connection, keys)

    def _pieces(self, connection: Connection, keys: KeyRing) -> Iterator[bytes]:
        yield exports.head(self.format)
        for page in suppressions.walk(
            connection, self.tenant, keys, covering=self.covering, reason=self.reason
        ):
            known = [
                (row.address, row.suppression)
                for row in page
                if row.address is not None and self._may_go(row.address)
            ]
            self.rows += len(known)
            self.not_exportable += len(page) - len(known)
            yield b"".join(
                exports.row(self.format, address, self.show(address), stands)
                for address, stands in known
            )

    def _may_go(self, address: Address) -> bool:
        return self.format is not Format.SHA256 or address.kind in self.hashes
