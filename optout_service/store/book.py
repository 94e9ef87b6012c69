"""The address book: digest -> encrypted address, for tenants who need addresses back."""

from optout_service.core.address import Address
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind


def context(tenant_id: int) -> str:
    """The context under which a tenant's addresses are sealed."""
    return f"address-book/{tenant_id}"


def seal_address(keys: KeyRing, tenant_id: int, value: str) -> bytes:
    """An address as the book keeps it."""
    return keys.seal(value.encode(), context(tenant_id))


def open_address(
    keys: KeyRing, tenant_id: int, kind: Kind | None, sealed: bytes | None
) -> Address | None:
    """The address of a row of the book, or None where there is no row. Raises WrongKeys."""
    if sealed is None or kind is None:
        return None
    return Address.parse(kind, keys.open(sealed, context(tenant_id)).decode())
