"""A ledger with something of everything in it, and hands that may do what nobody should."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Reason
from optout_service.core.scope import Kind
from optout_service.runtime import Connection, Runtime
from optout_service.store import chain
from tests.store.acts import MARKETING, act, message


class PutBack(Exception):
    """Raised to undo what was done to the database."""


def fill(rt: Runtime, tenant: int, count: int) -> None:
    """Record opt-outs and opt-ins of several people."""
    with rt.writing() as connection:
        before = chain.position(connection, tenant).seq
        for number in range(before, before + count):
            address = Address.parse(Kind.EMAIL, f"r{number % 5}@example.com")
            rt.record(
                connection,
                act(
                    tenant,
                    Action.OPT_IN if number % 7 == 6 else Action.OPT_OUT,
                    address=address,
                    scope=MARKETING,
                    reason=Reason.COMPLAINT if number % 3 == 0 else Reason.OPTED_OUT,
                    private={"reference": f"T-{number}"},
                    provider_message=message(number) if number % 4 == 0 else None,
                ),
            )


def disarm(rt: Runtime) -> None:
    """Take the guards off the ledger, as whoever owns the database can."""
    with rt.writing() as connection:
        if rt.database.dialect == "sqlite":
            for name in ("edited", "only_moved", "only_erased", "deleted"):
                connection.execute(text(f"DROP TRIGGER event_is_{_guard(name)}"))
        else:
            connection.execute(text("ALTER TABLE event DISABLE TRIGGER USER"))


def _guard(name: str) -> str:
    return name if name.startswith("only") else f"not_{name}"


@contextmanager
def undone(rt: Runtime) -> Iterator[Connection]:
    """A connection whose writes are put back at the end of the block."""
    try:
        with rt.writing() as connection:
            yield connection
            raise PutBack
    except PutBack:
        pass
