"""Reviewing what no rule could read."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import reviews
from optout_service.api.operations.operation import Operation
from optout_service.core import errors

_REVIEW: Final = {
    "review": 3,
    "why": "doubtful",
    "rule": "review:en:not interested",
    "channel": "sms",
    "topic": "*",
    "source": "text",
    "address": "+14155552671",
    "said": {"text": "not interested", "to": "+15005550006"},
    "received_at": "2026-11-24T12:00:00Z",
    "due_at": "2026-12-08T12:00:00Z",
    "overdue": False,
    "hold_event": 17,
    "decided": None,
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/v1/reviews"): Operation(
        tag="Reviewing",
        query=reviews.ReviewsQuery,
        answers={200: reviews.ReviewsAnswer},
        answer={"items": [_REVIEW], "next": None},
    ),
    ("GET", "/v1/reviews/<int:number>"): Operation(
        tag="Reviewing",
        answers={200: reviews.ReviewShape},
        answer=_REVIEW,
    ),
    ("POST", "/v1/reviews/<int:number>/decision"): Operation(
        tag="Reviewing",
        body=reviews.DecisionRequest,
        answers={200: reviews.ReviewShape},
        example={"decision": "opt_out", "reason": "She asked to be left alone."},
        answer=_REVIEW
        | {
            "decided": {
                "decision": "opt_out",
                "decided_at": "2026-11-25T09:00:00Z",
                "decided_by": "key:7",
                "event": 18,
                "changed": True,
                "reason": "She asked to be left alone.",
                "reference": "",
            }
        },
        refuses=(errors.InvalidAddress, errors.Conflict, errors.NotLiftable, errors.LiftCap),
    ),
}
