"""What a database holds when all is over, read from outside the service."""

from collections.abc import Iterator

from sqlalchemy import select

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import chain
from optout_service.store.tables import event, suppression
from tests.faults.checker import Aftermath, violations
from tests.faults.history import History
from tests.server import Server


def judged(history: History, server: Server, tenant: int) -> tuple[str, ...]:
    """Each broken promise of a history, by the database of its server."""
    with server.looking_in() as rt:
        return violations(history, read(rt, tenant, history))


def read(rt: Runtime, tenant: int, history: History) -> Aftermath:
    """A tenant's ledger and state, by the addresses that anybody asked about."""
    names = {rt.keys.digest(address): name for name, address in _addresses(history)}
    with rt.reading_one_state() as connection:
        walked = chain.verify(connection, tenant, rt.keys)
        events = connection.execute(
            select(event.c.number, event.c.digest)
            .where(event.c.tenant == tenant)
            .order_by(event.c.number)
        )
        numbered = tuple((number, _name(names, digest)) for number, digest in events)
        standing = connection.execute(
            select(suppression.c.digest, suppression.c.event).where(suppression.c.tenant == tenant)
        )
        suppressed = {_name(names, digest): number for digest, number in standing}
    fault = "" if walked.whole else f"{walked.fault} at {walked.broken_at}"
    return Aftermath(numbered, suppressed, fault)


def _name(names: dict[bytes, str], digest: bytes) -> str:
    return names.get(digest, f"digest {digest.hex()}")


def _addresses(history: History) -> Iterator[tuple[str, Address]]:
    for name in {call.address for call in history.calls}:
        yield name, Address.parse(Kind.EMAIL if "@" in name else Kind.PHONE, name)
