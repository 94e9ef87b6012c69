"""The review queue: what is to be read by a person, and what they decide."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import AddressText, Limit, Number, Reference, Statement
from optout_service.core.evidence import Source
from optout_service.core.review import ReviewDecision, ReviewState, Why


class ReviewsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which reviews to list, and where to read on."""

    state: ReviewState = ReviewState.OPEN
    cursor: Number = 0
    limit: Limit = 100


class DecisionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person found, and why. ``address``: only where the review names nobody."""

    decision: ReviewDecision
    reason: Statement
    reference: Reference | None = None
    address: AddressText | None = None


class DecisionShape(Struct, frozen=True):
    """A decision. ``event``: what it wrote into the ledger; null where nothing was to be written.

    ``changed``: whether that changed what stands: false where a hold could not be lifted since the
    person opted out meanwhile. ``reason`` and ``reference`` are null for who may not see the text.
    """

    decision: ReviewDecision
    decided_at: datetime
    decided_by: str
    event: int | None
    changed: bool
    reason: str | None
    reference: str | None


class ReviewShape(Struct, frozen=True):
    """One entry of the queue. ``decided`` is null while it is open.

    ``address`` is null where nobody is named, ``hold_event`` where nothing is held meanwhile.
    ``said``: the text, to whom it was sent, a note; of a damaged link who asks, what they wrote and
    what is left of the link; null for who may not see it. ``due_at``: by when it must be decided;
    ``overdue``: it is not, and that time has passed. Of a damaged link the ``address`` is what
    somebody wrote, proven by nothing: make sure before you decide.
    """

    review: int
    why: Why
    rule: str
    channel: str
    topic: str
    source: Source
    address: str | None
    said: dict[str, str] | None
    received_at: datetime
    due_at: datetime
    overdue: bool
    hold_event: int | None
    decided: DecisionShape | None


class ReviewsAnswer(Struct, frozen=True):
    """A page, oldest first; ``next`` is the cursor of the one after it, null on the last."""

    items: list[ReviewShape]
    next: int | None


DECISION: Final = Decoder(DecisionRequest)
