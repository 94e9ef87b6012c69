"""Following what stands."""

from typing import Annotated

from msgspec import Meta, Struct

from optout_service.api.bodies.checks import Match
from optout_service.api.bodies.parts import LIST_LIMIT, Limit
from optout_service.core.scope import Kind


class ChangesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to go on: the ``next`` of the page before. ``limit``: events that are looked at."""

    cursor: Annotated[str, Meta(max_length=500)] | None = None
    limit: Limit = LIST_LIMIT


class Changed(Struct, frozen=True):
    """All that stands for one recipient now.

    ``recipient`` is the same each time. ``sha256`` is null where nothing but our own digest is
    known: then it cannot be told of whom this is true.
    """

    recipient: str
    kind: Kind
    sha256: str | None
    stands: list[Match]


class ChangesAnswer(Struct, frozen=True):
    """A page, true for the position ``as_of``; ``more``: whether to go on at once.

    ``topics``: all that the tenant has.
    """

    tenant: str
    items: list[Changed]
    topics: list[str]
    as_of: int
    next: str
    more: bool
