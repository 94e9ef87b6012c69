"""The mailboxes to which a tenant's recipients write when they want to leave.

Mail without a link of ours names its tenant by nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from optout_service.core.address import Address
from optout_service.core.errors import Conflict, InvalidAddress, NotFound
from optout_service.core.scope import ANY, Kind
from optout_service.store import tenants
from optout_service.store.tables import mailbox

_COLUMNS: Final = (mailbox.c.address, mailbox.c.tenant, mailbox.c.topic)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of a tenant's. ``topic``: what who writes to it leaves; ``*`` is all."""

    address: str
    tenant: int
    topic: str = ANY


def add(conn: Connection, tenant_id: int, address: str, *, topic: str = ANY) -> Mailbox:
    """Make a mailbox the tenant's, or give it another topic.

    Raises InvalidAddress, UnknownTopic, and Conflict where it is another tenant's.
    """
    made = Mailbox(_canonical(address), tenant_id, topic)
    tenants.require_topics(conn, tenant_id, [topic])
    known = conn.execute(select(*_COLUMNS).where(mailbox.c.address == made.address)).one_or_none()
    if known is not None and known.tenant != tenant_id:
        raise Conflict("This mailbox is another tenant's. Each tenant needs one of its own.")
    conn.execute(delete(mailbox).where(mailbox.c.address == made.address))
    conn.execute(
        insert(mailbox), {"address": made.address, "tenant": tenant_id, "topic": made.topic}
    )
    return made


def find(conn: Connection, recipients: Sequence[str]) -> list[Mailbox]:
    """The mailboxes among whom a message came to, each by its name or by what is before its plus.

    One that is registered with what stands behind the plus comes first.
    """
    wanted = [_names(address) for address in recipients]
    names = {name for either in wanted for name in either}
    if not names:
        return []
    rows = conn.execute(select(*_COLUMNS).where(mailbox.c.address.in_(names)))
    known = {row.address: Mailbox(*row) for row in rows}
    found = (next((known[name] for name in either if name in known), None) for either in wanted)
    return list(dict.fromkeys(filter(None, found)))


def list_all(conn: Connection, tenant_id: int) -> list[Mailbox]:
    """A tenant's mailboxes, by address."""
    query = select(*_COLUMNS).where(mailbox.c.tenant == tenant_id).order_by(mailbox.c.address)
    return [Mailbox(*row) for row in conn.execute(query)]


def remove(conn: Connection, tenant_id: int, address: str) -> None:
    """Take a mailbox from a tenant. Raises NotFound, InvalidAddress."""
    gone = conn.execute(
        delete(mailbox).where(
            mailbox.c.tenant == tenant_id, mailbox.c.address == _canonical(address)
        )
    )
    if not gone.rowcount:
        raise NotFound("This tenant has no such mailbox.")


def _names(address: str) -> list[str]:
    try:
        whole = _canonical(address)
    except InvalidAddress:
        return []
    local, _, domain = whole.rpartition("@")
    return [whole, f"{local.partition('+')[0]}@{domain}"]


def _canonical(address: str) -> str:
    value = Address.parse(Kind.EMAIL, address).value
    if value is None:
        raise InvalidAddress("A mailbox is given by its address, not by a hash.")
    return value
