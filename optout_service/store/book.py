"""The address book: digest -> encrypted address, for tenants who need addresses back.

Of an address that came hashed the book keeps the hash, until the address itself comes.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from optout_service.core.address import HASH_PREFIX, Address
from optout_service.core.covers import Regime
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind
from optout_service.store.prepared import Prepared, Run
from optout_service.store.tables import address_book

_INSERTS: Final = (("sqlite", sqlite_insert), ("postgresql", pg_insert))

REMEMBER: Final = Prepared(
    {
        name: (new := insert_(address_book)).on_conflict_do_update(
            index_elements=list(address_book.primary_key.columns),
            set_={"sealed": new.excluded.sealed},
            where=address_book.c.sealed != new.excluded.sealed,
        )
        for name, insert_ in _INSERTS
    }
)
"""Keep an address, also in the place of its hash."""

REMEMBER_HASH: Final = Prepared(
    {name: insert_(address_book).on_conflict_do_nothing() for name, insert_ in _INSERTS}
)
"""Keep a hash, unless there is something already: an address tells its hash, not the reverse."""


def context(tenant_id: int) -> str:
    """The context under which a tenant's addresses are sealed."""
    return f"address-book/{tenant_id}"


def remember(keys: KeyRing, tenant_id: int, digest: bytes, address: Address, regime: Regime) -> Run:
    """What puts an address into the book. ``regime``: how the tenant's digests are written now."""
    statement = REMEMBER_HASH if address.value is None else REMEMBER
    return statement, {
        "tenant": tenant_id,
        "digest": regime.stored(digest),
        "generation": regime.mark,
        "kind": address.kind,
        "sealed": keys.seal(address.spoken.encode(), context(tenant_id)),
    }


def holds(conn: Connection, tenant_id: int, forms: Collection[bytes]) -> bool:
    """Whether a tenant's book has the address of the digest of these forms, or its hash."""
    row = select(address_book.c.kind).where(
        address_book.c.tenant == tenant_id, address_book.c.digest.in_(forms)
    )
    return conn.execute(row).first() is not None


def open_address(
    keys: KeyRing, tenant_id: int, kind: Kind | None, sealed: bytes | None
) -> Address | None:
    """The address of a row of the book, or None where there is no row. Raises WrongKeys."""
    if sealed is None or kind is None:
        return None
    kept = keys.open(sealed, context(tenant_id)).decode()
    # A canonical form is not looked at again: parsing a page of them would cost more than reading.
    return Address.parse(kind, kept) if kept.startswith(HASH_PREFIX) else Address.of(kind, kept)
