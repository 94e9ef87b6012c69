"""What a row of the table says, and what many rows share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from optout_service.core import errors
from optout_service.core.errors import OptOutError

Refusals = tuple[type[OptOutError], ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A body that is no JSON object: its media types, and what stands in it."""

    types: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. Its texts are the docstring of its view.

    ``answers``: by status, the first being the ordinary one; None: without a body. ``example``: a
    request's body, ``asked``: its query, ``path``: what stands for its variables, and ``answer``:
    what it is answered with. ``refuses``: beside what every route of its kind refuses.
    ``headers``: of the request, by name, with what they are for.
    """

    tag: str
    answers: Mapping[int, type[Struct] | Media | None]
    body: type[Struct] | Media | None = None
    query: type[Struct] | None = None
    example: Any = None
    asked: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str | int] = field(default_factory=dict)
    answer: Any = None
    refuses: Refusals = ()
    headers: Mapping[str, str] = field(default_factory=dict)


ANY_ROUTE: Final[Refusals] = (
    errors.Unauthenticated,
    errors.NotPermitted,
    errors.NotFound,
    errors.TooMany,
    errors.Internal,
    errors.Busy,
    errors.StoreUnavailable,
    errors.WrongKeys,
    errors.Quarantined,
)
"""What every route may refuse with."""

ANY_QUERY: Final[Refusals] = (errors.InvalidRequest,)
ANY_BODY: Final[Refusals] = (
    errors.Malformed,
    errors.TooLarge,
    errors.UnsupportedMediaType,
    errors.InvalidRequest,
)
"""What a route with a query, or with a body, may refuse with beside."""

ADDRESSED: Final[Refusals] = (
    errors.InvalidAddress,
    errors.UnknownChannel,
    errors.UnknownTopic,
)
IDEMPOTENT: Final = {
    "Idempotency-Key": "1 to 255 visible ASCII characters of your own. Sent again with the same "
    "body, it repeats the first answer and writes nothing."
}
SCOPE: Final = {
    "tenant": "demo-shop",
    "channel": "email",
    "topic": "newsletter",
    "purpose": "marketing",
}
STANDING: Final = {
    "address": "jo@example.com",
    "reason": "opted_out",
    "source": "api",
    "since": "2026-11-24T12:00:00Z",
    "event": 17,
    "scope": SCOPE,
}
ONE: Final = {"channel": "email", "address": "jo@example.com", "topic": "newsletter"}
