"""What stands, recipient by recipient, in the order in which the ledgers last touched them.

A ledger tells acts, and what follows from them is decided here: on what stood before, on the topics
of that day, on the platform's own ledger. So who keeps a copy is told the outcome. Every change of
what a recipient has suppressed comes with an event, of the tenant or of the platform; but for the
pins of a new topic, which follow from the list of topics (``suppressions.pin_new_topic``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from optout_service.core.errors import Malformed
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM, Suppression
from optout_service.core.scope import Kind
from optout_service.store import book, feed, regimes, suppressions, tenants
from optout_service.store.prepared import Prepared, Row, run
from optout_service.store.tables import address_book, event

_OWN: Final = address_book.alias("own")
_PLATFORMS: Final = address_book.alias("platforms")
_TOUCHED: Final = Prepared(
    select(
        event.c.number,
        event.c.hash,
        event.c.digest,
        event.c.generation,
        event.c.kind,
        _OWN.c.sealed,
        _PLATFORMS.c.sealed,
    )
    .join_from(
        event,
        _OWN,
        (_OWN.c.tenant == bindparam("tenant")) & (_OWN.c.digest == event.c.digest),
        isouter=True,
    )
    .join(
        _PLATFORMS,
        (_PLATFORMS.c.tenant == bindparam("platform")) & (_PLATFORMS.c.digest == event.c.digest),
        isouter=True,
    )
    .where(event.c.tenant == bindparam("ledger"), event.c.number > bindparam("after"))
    .order_by(event.c.number)
    .limit(bindparam("limit"))
    .offset(bindparam("none"))
)
_HASH: Final = select(event.c.hash).where(
    event.c.tenant == bindparam("ledger"), event.c.number == bindparam("number")
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a ledger: an event's number, and its hash in hex, which no other ledger has."""

    number: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Touched:
    """A recipient, and all that stands, the platform's too. ``sha256``: None if no book has it."""

    digest: bytes
    kind: Kind
    sha256: bytes | None
    stands: list[Suppression]


@dataclass(frozen=True, slots=True)
class Changes:
    """Of one state: who was touched after the places asked for, and where to go on.

    ``as_of``: the tenant's position. ``more``: whether others were touched beside. ``topics``: all
    of the tenant's.
    """

    touched: list[Touched]
    topics: list[str]
    as_of: int
    own: Place
    platform: Place
    more: bool


def after(
    conn: Connection, tenant_id: int, own: Place, platform: Place, *, limit: int, keys: KeyRing
) -> Changes:
    """What was touched after two places, by at most ``limit`` events of each ledger.

    Give it a connection that sees one state. Raises Malformed for places that are not in these
    ledgers: those of another database, or of one that was put back to an older state.
    """
    mine = _read(conn, tenant_id, tenant_id, own, limit)
    theirs = _read(conn, tenant_id, PLATFORM, platform, limit)
    found = {keys.bare(row[2], row[3]): row for row in (*theirs, *mine)}
    stands = suppressions.standing_of(conn, tenant_id, found.keys(), keys)
    hashes = {digest: _sha256(row[5:], row[4], tenant_id, keys) for digest, row in found.items()}
    if regimes.current(conn, tenant_id, keys).moving:
        hashes |= _in_other_generations(conn, tenant_id, hashes, keys)
    reached = feed.reached(conn, (tenant_id, PLATFORM))
    own, platform = _last(mine, own), _last(theirs, platform)
    return Changes(
        [Touched(digest, row[4], hashes[digest], stands[digest]) for digest, row in found.items()],
        [topic.slug for topic in tenants.topics(conn, tenant_id)],
        reached[tenant_id],
        own,
        platform,
        own.number < reached[tenant_id] or platform.number < reached[PLATFORM],
    )


def _read(conn: Connection, tenant_id: int, ledger: int, place: Place, limit: int) -> list[Row]:
    if place != Place():
        there = conn.execute(_HASH, {"ledger": ledger, "number": place.number}).scalar()
        if there is None or there.hex() != place.hash:
            raise Malformed("This cursor is none of ours. Start again without one.")
    values: dict[str, Any] = {"ledger": ledger, "after": place.number, "limit": limit, "none": 0}
    (rows,) = run(conn, (_TOUCHED, values | {"tenant": tenant_id, "platform": PLATFORM}))
    return rows


def _last(rows: list[Row], before: Place) -> Place:
    return Place(rows[-1][0], rows[-1][1].hex()) if rows else before


def _sha256(sealed: Row, kind: Kind, tenant_id: int, keys: KeyRing) -> bytes | None:
    """By what the tenant's book has, or else the platform's."""
    for of, one in zip((tenant_id, PLATFORM), sealed, strict=True):
        if (address := book.open_address(keys, of, kind, one)) is not None:
            return address.sha256
    return None


def _in_other_generations(
    conn: Connection, tenant_id: int, hashes: Mapping[bytes, bytes | None], keys: KeyRing
) -> dict[bytes, bytes]:
    """Of those without a hash, what a book has in another generation than the event's.

    A tenant's rows of a recipient move by themselves, and the platform's do.
    """
    missing = [digest for digest, sha256 in hashes.items() if sha256 is None]
    digest_of = {form: digest for digest in missing for form in keys.forms(digest)}
    query = select(address_book).where(
        address_book.c.tenant.in_([tenant_id, PLATFORM]), address_book.c.digest.in_(digest_of)
    )
    found = {}
    for row in conn.execute(query):
        address = book.open_address(keys, row.tenant, row.kind, row.sealed)
        if address is not None:
            found[digest_of[row.digest]] = address.sha256
    return found
