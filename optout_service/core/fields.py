"""Which column or field of a list holds the address: by the names that people give it."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from optout_service.core.errors import InvalidRequest
from optout_service.core.scope import Kind

_ANY_KIND: Final = ("address", "recipient", "to", "contact", "sha256", "hash")
_OF_EMAIL: Final = ("email", "emailaddress", "mail", "mailaddress", "emails", "correo", "courriel")
_OF_PHONE: Final = (
    *("phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "cell", "cellphone"),
    *("msisdn", "tel", "telephone", "sms", "whatsapp", "number", "handy", "telefon", "telefono"),
)
# The kind's own names first: where there is an e-mail column, "address" is a street.
_NAMES: Final = {
    Kind.EMAIL: (*_OF_EMAIL, *_ANY_KIND),
    Kind.PHONE: (*_OF_PHONE, *_ANY_KIND),
    None: (*_ANY_KIND[:1], *_OF_EMAIL, *_OF_PHONE, *_ANY_KIND[1:]),
}
_BETWEEN_WORDS: Final = re.compile(r"[\s_.\-]+")
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def place(
    cells: Sequence[str], header: bool | None, column: str | None, kind: Kind | None
) -> tuple[bool, int]:
    """Whether a first row with these cells is a header, and where the addresses are, from 0.

    ``header``: what the caller says of it; None: it is one if a cell is such a name as columns of
    addresses have, or if the address's own cell can be no address, for want of an @ and of digits.
    Raises InvalidRequest: there is no such column, or two of that name.
    """
    if column is not None and not column.isdecimal():
        if header is False:
            raise InvalidRequest(
                "A list without a header has no names. Give the column's number, from 1.",
                field="column",
            )
        return True, _named(cells, column)
    if column is not None:
        at = int(column) - 1
        if at < 0 or (cells and at >= len(cells)):
            raise InvalidRequest(
                f"The list has columns 1 to {len(cells)}, by its first row.", field="column"
            )
    elif header is False or known(cells, kind) == 0:
        at = 0
    else:
        names = [_simple(cell) for cell in cells]
        return True, _only(names, next(name for name in _NAMES[kind] if name in names))
    if header is None:
        cell = cells[at] if cells else ""
        bare = bool(cell.strip()) and "@" not in cell and not any(map(str.isdecimal, cell))
        header = bare or known(cells, kind) > 0
    return header, at


def known(cells: Sequence[str], kind: Kind | None) -> int:
    """How many of these cells are names of columns of addresses."""
    return sum(_simple(cell) in _NAMES[kind] for cell in cells)


class Finder:
    """Finds the address in JSON objects, one a row."""

    def __init__(self, field: str | None, kind: Kind | None) -> None:
        """``field``: its name, exactly; None: a name that such fields have."""
        self.field = field
        self._names = _NAMES[kind]

    def address(self, raw: bytes) -> str | None:
        """The text in the address's field. None: no object, no such field or two, or no text."""
        values = values_of(raw)
        if values is None:
            return None
        name = self.field or _chosen(tuple(values), self._names)
        found = values.get(name) if name is not None else None
        return found if isinstance(found, str) else None


def chosen(given: Sequence[str], kind: Kind | None) -> str | None:
    """Which of these fields is the address's. None: none has such a name, or two have the same."""
    return _chosen(given, _NAMES[kind])


def values_of(raw: bytes) -> dict[str, Any] | None:
    """A row of NDJSON as an object; None for anything else.

    None too where a name stands twice: readers differ in which of the two they take.
    """
    try:
        values = _decode(raw)
        # Colons within texts only lead to a closer look.
        if raw.count(b":") != len(values):
            values = json.loads(raw, object_pairs_hook=_once)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _chosen(given: Sequence[str], names: Sequence[str]) -> str | None:
    simple = [_simple(name) for name in given]
    best = next((name for name in names if name in simple), None)
    if best is None or simple.count(best) > 1:
        return None
    return given[simple.index(best)]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError
    return values


def _named(cells: Sequence[str], column: str) -> int:
    exact = [cell.strip() for cell in cells]
    if column.strip() in exact:
        return _only(exact, column.strip())
    folded = [cell.casefold() for cell in exact]
    return _only(folded, column.strip().casefold())


def _only(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise InvalidRequest("The list has no column of this name in its header.", field="column")
    if names.count(name) > 1:
        raise InvalidRequest(
            "Two columns have this name. Give the number of the right one, from 1.", field="column"
        )
    return names.index(name)


def _simple(name: str) -> str:
    return _BETWEEN_WORDS.sub("", name.strip().casefold())
