"""What a provider's message was answered, so that the same message gets the same answer again.

Kept beside the message's id, in the transaction of the act itself. In an answer there is a brand's
text and never an address.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from optout_service.core.evidence import ProviderMessage
from optout_service.store.prepared import Prepared, run
from optout_service.store.tables import provider_message

NO_EVENT = 0
"""The number under which a message stands that wrote nothing into the ledger."""


_THIS: Final = [
    column == bindparam(f"its_{column.name}") for column in provider_message.primary_key.columns
]
_FIND = Prepared(select(provider_message.c.answer).where(*_THIS))
_KEEP: Final = update(provider_message).where(*_THIS).values(answer=bindparam("text"))


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that was given: a text, or None for silence."""

    text: str | None


def find(conn: Connection, tenant_id: int, message: ProviderMessage) -> Given | None:
    """What this message was answered, or None if it has not been.

    Ask after ``ledger.lock`` or ``ledger.record``: then an answer that another worker is about to
    give is waited for.
    """
    (rows,) = run(conn, (_FIND, _key(tenant_id, message)))
    return Given(rows[0][0]) if rows else None


def keep(conn: Connection, tenant_id: int, message: ProviderMessage, text: str | None) -> None:
    """Keep the answer to a message that the ledger has counted just now, or that it knows not."""
    key = _key(tenant_id, message)
    if not conn.execute(_KEEP, key | {"text": text}).rowcount:
        row = {"tenant": tenant_id, **asdict(message), "event": NO_EVENT, "answer": text}
        conn.execute(insert(provider_message), row)


def _key(tenant_id: int, message: ProviderMessage) -> dict[str, Any]:
    return {"its_tenant": tenant_id} | {
        f"its_{name}": value for name, value in asdict(message).items()
    }
