"""Times as lists write them, and when an act can have happened."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from optout_service.core.errors import InvalidRequest

_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER: Final = timedelta(hours=25)
"""How far theirs may be from ours: if it is ours that is a day off, nobody is refused.

Not even where a signature has a time against being sent again: what each hook takes counts once,
for ever, by the id of its message.
"""
_SECONDS: Final = re.compile(r"\d{9,10}(?:\.\d{1,9})?", re.ASCII)
_MILLISECONDS: Final = re.compile(r"\d{12,13}", re.ASCII)


def happened(given: datetime, now: datetime) -> datetime:
    """When an act happened, in UTC. Raises InvalidRequest for what cannot be: still to come, or
    before 1990."""
    if not _EARLIEST <= given <= now + CLOCKS_DIFFER:
        raise InvalidRequest(
            "The act lies in the future, or before 1990. Leave the field out if the time is not "
            "known.",
            field="occurred_at",
        )
    return given.astimezone(UTC)


def parse(text: str) -> datetime:
    """A time with its zone (RFC 3339). Raises InvalidRequest."""
    found = _iso(text)
    if found is None or found.tzinfo is None:
        raise InvalidRequest(
            "Expected a time with its zone, such as 2026-01-31T12:00:00Z (RFC 3339).",
            field="occurred_at",
        )
    return found


def guess(text: str, now: datetime) -> datetime | None:
    """When another system says that it happened; None if that cannot be read, or cannot be.

    Seconds or milliseconds since 1970, ISO 8601, RFC 5322; UTC where no zone is named.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        found: datetime | None = datetime.fromtimestamp(float(text), UTC)
    elif _MILLISECONDS.fullmatch(text):
        found = datetime.fromtimestamp(int(text) / 1000, UTC)
    else:
        found = _iso(text.removesuffix(" UTC")) or _rfc5322(text)
    if found is None:
        return None
    try:
        return happened(found if found.tzinfo else found.replace(tzinfo=UTC), now)
    except (InvalidRequest, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _rfc5322(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
