"""Signed statements of one shape, a document of JSON each: what we keep outside the database.

The shape is a struct whose last fields are ``key`` and ``signature``, as ``core.signing`` makes
them. Whoever reads a line first, and asks for its signature after that, is told of both faults.
"""

import json
from collections.abc import Collection
from typing import Any, Generic, TypeVar

import msgspec

from optout_service.core.signing import KEY, SIGNATURE, Signatures, is_signed

T = TypeVar("T", bound=msgspec.Struct)


class Statements(Generic[T]):
    """The statements of one shape and one use, such as ``optout checkpoint 1``."""

    def __init__(self, shape: type[T], use: str) -> None:
        self._shape = shape
        self._use = use

    def sign(self, signatures: Signatures, tenant: int, unsigned: T) -> T:
        """The statement with the tenant's key and signature."""
        document: dict[str, Any] = msgspec.to_builtins(unsigned)
        del document[KEY], document[SIGNATURE]
        return msgspec.convert(signatures.sign_document(tenant, self._use, document), self._shape)

    def is_good(self, statement: T, trusted: Collection[str] | None) -> bool:
        """Whether its signature holds, by one of these public keys (hex); None: by any."""
        return is_signed(msgspec.to_builtins(statement), self._use, trusted)

    def as_line(self, statement: T) -> str:
        """A statement as one line of JSON, without its end."""
        return json.dumps(msgspec.to_builtins(statement), ensure_ascii=False)

    def from_line(self, line: str | bytes) -> T:
        """The statement of a line, its signature not yet looked at. Raises ValueError."""
        try:
            return msgspec.json.decode(line, type=self._shape)
        except (msgspec.MsgspecError, UnicodeError):
            raise ValueError("This is no such statement.") from None
