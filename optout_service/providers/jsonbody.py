"""A hook's body that is JSON, from a stranger until it is proven: bounded, and never trusted."""

import json
from collections.abc import Sequence
from typing import Any, Final

from optout_service.core.errors import Malformed, TooLarge

MOST_FIELDS: Final = 1000
"""No provider sends a hundred; each one costs time before anything is proven."""


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises Malformed for all else, TooLarge for too many fields."""
    count = 0

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal count
        count += len(found)
        if count > MOST_FIELDS:
            raise TooLarge(f"A hook has at most {MOST_FIELDS} fields.")
        return dict(found)

    try:
        # Decoded here: json would also take UTF-16 and UTF-32 (RFC 8259, 8.1, knows UTF-8 alone).
        made = json.loads(body.decode(), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        raise Malformed("The body of this hook is not JSON in UTF-8.") from None
    if not isinstance(made, dict):
        raise Malformed("The body of this hook is no JSON object.")
    return made


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path of names and places, or None."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: Any, *path: str | int) -> str:
    """The string at a path, or "". What is no character, half of a pair, becomes a ``?``."""
    found = at(value, *path)
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def name(value: Any, *path: str | int) -> str:
    """An id, a number, a word: as ``text``, but "" where there are control characters in it.

    No database takes the NUL character.
    """
    found = text(value, *path)
    return found if found.isprintable() else ""


def first(value: Any, *paths: Sequence[str | int]) -> str:
    """The first of these names that is there, or ""."""
    return next(filter(None, (name(value, *path) for path in paths)), "")
