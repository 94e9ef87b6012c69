"""Which of a provider's messages we have, for who compares its log with ours."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, select

from optout_service.core.evidence import ProviderMessage
from optout_service.store.tables import provider_message, review


def knows(conn: Connection, tenants: Sequence[int], message: ProviderMessage) -> bool:
    """Whether one of these tenants has this message in its ledger or in its review queue."""
    for table in (provider_message, review):
        where = [table.c[name] == value for name, value in asdict(message).items()]
        query = select(table.c.tenant).where(table.c.tenant.in_(tenants), *where)
        if conn.execute(query.limit(1)).first() is not None:
            return True
    return False
