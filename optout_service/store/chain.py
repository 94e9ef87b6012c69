"""The walk along a tenant's ledger that proves it whole: to itself, and to what was said of it.

A chain alone proves that nothing was changed in the middle. Whoever can write to the database can
also write all of it anew, or cut its end off: marks that were kept elsewhere tell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from optout_service.core import chain
from optout_service.core.errors import NotFound, WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.store.tables import event, tenant

_PAGE: Final = 1000
_NO_MARKS: Final[Mapping[int, bytes]] = {}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a tenant's ledger stands: the number and the hash of its last event."""

    tenant: int
    slug: str
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. ``broken_at`` is the first number that does not fit."""

    events: int
    head: bytes
    broken_at: int | None = None
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Whether every entry follows from the one before it, up to the head."""
        return self.broken_at is None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as the chain has it. ``private`` and ``salt`` are None once they are erased."""

    number: int
    previous: bytes
    metadata: str
    commitment: bytes
    salt: bytes | None
    private: str | None


def private_context(tenant_id: int, number: int) -> str:
    """The context under which the private payload of one event is sealed."""
    return f"event/{tenant_id}/{number}"


def entry_hash(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """The hash of an event of these columns that follows ``previous``."""
    return chain.entry(previous, chain.metadata(row), row["commitment"])


def position(conn: Connection, tenant_id: int) -> Position:
    """Where a tenant's ledger stands. Raises NotFound."""
    found = conn.execute(_POSITIONS.where(tenant.c.id == tenant_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such tenant.")
    return Position(*found)


def positions(conn: Connection) -> list[Position]:
    """Where every tenant's ledger stands, the platform's too."""
    return [Position(*row) for row in conn.execute(_POSITIONS.order_by(tenant.c.id))]


_POSITIONS: Final = select(tenant.c.id, tenant.c.slug, tenant.c.seq, tenant.c.head)


def hash_at(conn: Connection, tenant_id: int, number: int) -> bytes | None:
    """The hash of one event as it stands in the ledger, GENESIS for 0; None if it is not there."""
    if number == 0:
        return chain.GENESIS
    found: bytes | None = conn.execute(
        select(event.c.hash).where(event.c.tenant == tenant_id, event.c.number == number)
    ).scalar()
    return found


def entries(
    conn: Connection, tenant_id: int, digest: bytes, keys: KeyRing, *, upto: int, limit: int
) -> list[Entry]:
    """The entries of one recipient, in order, at most ``limit``, none above number ``upto``."""
    before = event.alias("before")
    query = (
        select(event, before.c.hash.label("previous"))
        .join_from(
            event,
            before,
            (before.c.tenant == event.c.tenant) & (before.c.number == event.c.number - 1),
            isouter=True,
        )
        .where(
            event.c.digest.in_(keys.forms(digest)),
            event.c.tenant == tenant_id,
            event.c.number <= upto,
        )
        .order_by(event.c.number)
        .limit(limit)
    )
    return [_entry(dict(row), keys) for row in conn.execute(query).mappings()]


def verify(
    conn: Connection,
    tenant_id: int,
    keys: KeyRing,
    marks: Mapping[int, bytes] = _NO_MARKS,
) -> Verification:
    """Walk a tenant's whole ledger: numbers without a gap, hashes, commitments, the head.

    ``marks``: number -> hash, as checkpoints kept elsewhere have it; each must be met on the way.
    Takes seconds per hundred thousand events; reads a thousand at a time. Raises NotFound.
    """
    stands = position(conn, tenant_id)
    number, previous = 0, chain.GENESIS
    try:
        for row in _rows(conn, tenant_id, stands.seq):
            if fault := _fault(row, number, previous, keys, marks):
                return Verification(number, previous, number + 1, fault)
            number, previous = row["number"], row["hash"]
    except (LookupError, TypeError, ValueError, OverflowError):
        return Verification(number, previous, number + 1, "edited: it holds what nobody writes")
    if number < stands.seq:
        return Verification(number, previous, number + 1, "missing")
    if previous != stands.head:
        return Verification(number, previous, number, "the head is another")
    if (latest := max(marks, default=0)) > number:
        gone = f"gone: a checkpoint says that there were {latest} events"
        return Verification(number, previous, number + 1, gone)
    return Verification(number, previous)


def _rows(conn: Connection, tenant_id: int, upto: int) -> Iterator[dict[str, Any]]:
    query = select(event).where(event.c.tenant == tenant_id, event.c.number <= upto)
    after, left = 0, True
    while left:
        left = False
        page = query.where(event.c.number > after).order_by(event.c.number).limit(_PAGE)
        for row in conn.execute(page).mappings():
            yield dict(row)
            after, left = row["number"], True


def _fault(
    row: Mapping[str, Any],
    number: int,
    previous: bytes,
    keys: KeyRing,
    marks: Mapping[int, bytes],
) -> str:
    if row["number"] != number + 1:
        return "missing"
    if row["generation"] is not None and row["generation"] not in keys.generations:
        return "edited: its digest is said to be under a pepper that there never was"
    if entry_hash(previous, _bare(row, keys)) != row["hash"]:
        return "edited, or not the one that was here"
    if row["private"] is not None and not _committed(row, keys):
        return "its private payload was edited"
    if marks.get(number + 1, row["hash"]) != row["hash"]:
        return "written anew, here or before: a checkpoint has another hash"
    return ""


def _bare(row: Mapping[str, Any], keys: KeyRing) -> dict[str, Any]:
    """The event as its entry binds it: with the digest itself, whatever it is stored under."""
    return {**row, "digest": keys.bare(row["digest"], row["generation"])}


def _committed(row: Mapping[str, Any], keys: KeyRing) -> bool:
    try:
        private = keys.open(row["private"], private_context(row["tenant"], row["number"]))
    except WrongKeys:
        return False
    opened: bool = chain.commitment(row["salt"] or b"", private) == row["commitment"]
    return opened


def _entry(row: Mapping[str, Any], keys: KeyRing) -> Entry:
    private = None
    if row["private"] is not None:
        context = private_context(row["tenant"], row["number"])
        private = keys.open(row["private"], context).decode()
    return Entry(
        row["number"],
        row["previous"] or chain.GENESIS,
        chain.metadata(_bare(row, keys)),
        row["commitment"],
        row["salt"],
        private,
    )
