"""Importing a list."""

from msgspec import Struct

from optout_service.api.bodies.parts import Reference, ScopeChannel, ScopePurpose, TopicName
from optout_service.core.evidence import Reason
from optout_service.core.layouts import AUTO


class ImportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for every row that does not say otherwise; ``format``: whose list it is."""

    channel: ScopeChannel | None = None
    topic: TopicName | None = None
    purpose: ScopePurpose | None = None
    reason: Reason | None = None
    reference: Reference | None = None
    format: str = AUTO


class RejectShape(Struct, frozen=True):
    """A row that was not taken, by its number in the list, the header counted."""

    row: int
    detail: str


class ImportAnswer(Struct, frozen=True):
    """What became of the rows. ``skipped`` are those that mean nobody who left.

    ``rejects`` tells of the first 1000 of the ``invalid``; ``format`` is what the list was
    recognised as.
    """

    rows: int
    added: int
    unchanged: int
    invalid: int
    skipped: int
    format: str
    rejects: list[RejectShape]
