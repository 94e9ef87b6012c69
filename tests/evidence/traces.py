"""What a database with its keys at hand tells of a person: every value of every table, opened."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import LargeBinary, select

from optout_service.core.keyring import KeyRing
from optout_service.runtime import Connection, Runtime
from optout_service.store import book, chain
from optout_service.store.tables import metadata

Context = Callable[[Mapping[str, Any]], str]
IDEMPOTENCY_KEY: Final = "one-key-for-all"

SEALED: Final[Mapping[str, Context]] = {
    "address_book.sealed": lambda row: book.context(row["tenant"]),
    "event.private": lambda row: chain.private_context(row["tenant"], row["number"]),
    "review.private": lambda row: f"review/{row['tenant']}/{row['number']}/private",
    "review.grounds": lambda row: f"review/{row['tenant']}/{row['number']}/grounds",
    "idempotency.answer": lambda row: (
        f"idempotency/{row['tenant']}/{row['api_key']}/{IDEMPOTENCY_KEY}"
    ),
    "legal_hold.grounds": lambda row: f"legal-hold/{row['tenant']}/{row['number']}",
}
OF_NOBODY: Final = {
    "seal.canary",
    "tenant.head",
    "brand.logo",
    "provider_account.tokens",
    "api_key.digest",
    "idempotency.key",
}
"""Bytes that are a tenant's or our own."""
KEYED: Final = {
    "suppression.digest",
    "event.digest",
    "event.commitment",
    "event.hash",
    "event.salt",
    "address_book.digest",
    "idempotency.digest",
    "idempotency.fingerprint",
    "review.digest",
    "legal_hold.digest",
}
"""Bytes that tell nobody anything without a secret; which of them go is tested by themselves."""


def bytes_columns() -> set[str]:
    """Every column that could hide something."""
    return {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }


def of(rt: Runtime, *marks: str) -> set[str]:
    """The columns in which one of these texts, or its SHA-256 in hex or bytes, stands."""
    with rt.reading() as connection:
        return {
            column
            for column, text in _texts(connection, rt.keys)
            if any(mark.casefold() in text.casefold() for mark in marks)
        }


def _texts(connection: Connection, keys: KeyRing) -> Iterator[tuple[str, str]]:
    for table in metadata.sorted_tables:
        for row in connection.execute(select(table)).mappings():
            for name, value in row.items():
                column = f"{table.name}.{name}"
                if not value:
                    continue
                if column in SEALED:
                    yield column, keys.open(value, SEALED[column](row)).decode()
                else:
                    yield column, value.hex() if isinstance(value, bytes) else str(value)
