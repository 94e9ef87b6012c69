"""The address book: digest -> encrypted address, for tenants who need addresses back."""

from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from optout_service.core.address import Address
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind
from optout_service.store.prepared import Prepared, Run
from optout_service.store.tables import address_book

_REMEMBER = Prepared(
    {
        "sqlite": sqlite_insert(address_book).on_conflict_do_nothing(),
        "postgresql": pg_insert(address_book).on_conflict_do_nothing(),
    }
)


def context(tenant_id: int) -> str:
    """The context under which a tenant's addresses are sealed."""
    return f"address-book/{tenant_id}"


def remember(keys: KeyRing, tenant_id: int, address: Address) -> list[Run]:
    """What writes an address into a tenant's book; nothing where only its hash is known.

    For tenants who keep a book: the caller has looked.
    """
    if address.value is None:
        return []
    values = {
        "tenant": tenant_id,
        "digest": keys.digest(address),
        "kind": address.kind,
        "sealed": keys.seal(address.value.encode(), context(tenant_id)),
    }
    return [(_REMEMBER, values)]


def open_address(
    keys: KeyRing, tenant_id: int, kind: Kind | None, sealed: bytes | None
) -> Address | None:
    """The address of a row of the book, or None where there is no row. Raises WrongKeys."""
    if sealed is None or kind is None:
        return None
    return Address.parse(kind, keys.open(sealed, context(tenant_id)).decode())
