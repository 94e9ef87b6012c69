"""Looking one recipient up, and proving what happened."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import checkpoints, clearances, counts, erasing, holds, recipients
from optout_service.api.bodies.setup import Page
from optout_service.api.operations.operation import ADDRESSED, STANDING, Media, Operation
from optout_service.core import errors

_CLEARANCE: Final = {
    "valid": True,
    "expired": False,
    "tenant": "demo-shop",
    "channel": "email",
    "topic": "newsletter",
    "purpose": "marketing",
    "as_of": 1234,
    "issued_at": "2026-11-24T12:00:00Z",
    "valid_until": "2026-11-24T12:15:00Z",
    "suppressed_now": False,
}
_ADDRESS: Final = {"channel": "email", "address": "jo@example.com"}
_HOLD: Final = {
    "hold": 1,
    "address": "jo@example.com",
    "reason": "case 7",
    "placed_at": "2026-11-24T12:00:00Z",
    "placed_by": "key:7",
    "ended_at": None,
    "ended_by": None,
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/clearances/verify"): Operation(
        tag="Proving",
        body=clearances.ClearanceRequest,
        answers={200: clearances.ClearanceAnswer},
        answer=_CLEARANCE,
        refuses=(*ADDRESSED, errors.BadClearance),
    ),
    ("POST", "/v1/recipients/lookup"): Operation(
        tag="Proving",
        body=recipients.LookupRequest,
        answers={200: recipients.LookupAnswer},
        example=_ADDRESS,
        answer={
            "address": "jo@example.com",
            "stands": [STANDING | {"liftable_by": ["recipient_page", "agent", "admin"]}],
            "events": [],
            "next": None,
        },
        refuses=ADDRESSED,
    ),
    ("POST", "/v1/recipients/evidence"): Operation(
        tag="Proving",
        body=recipients.EvidenceRequest,
        answers={200: Media(("application/json", "text/html"), "The evidence, as asked for.")},
        example=_ADDRESS,
        refuses=ADDRESSED,
    ),
    ("POST", "/v1/recipients/erase"): Operation(
        tag="Proving",
        body=erasing.EraseRequest,
        answers={200: erasing.EraseAnswer},
        example=_ADDRESS | {"reason": "T-17", "dry_run": True},
        answer={
            "dry_run": True,
            "erased": {"addresses": 1, "events": 2, "reviews": 0, "answers": 1},
            "kept": [
                {
                    "what": "suppressions",
                    "count": 1,
                    "why": "so that nobody writes to them again; under a keyed digest alone",
                }
            ],
        },
        refuses=(*ADDRESSED, errors.Conflict),
    ),
    ("GET", "/v1/holds"): Operation(
        tag="Proving",
        query=Page,
        answers={200: holds.HoldsAnswer},
        answer={"items": [_HOLD], "next": None},
        refuses=(errors.Malformed,),
    ),
    ("POST", "/v1/holds"): Operation(
        tag="Proving",
        body=holds.HoldRequest,
        answers={201: holds.HoldShape},
        example=_ADDRESS | {"reason": "case 7"},
        answer=_HOLD,
        refuses=(*ADDRESSED, errors.Conflict),
    ),
    ("POST", "/v1/holds/<int:number>/end"): Operation(
        tag="Proving",
        answers={200: holds.HoldShape},
        path={"number": 1},
        answer=_HOLD | {"ended_at": "2026-12-24T12:00:00Z", "ended_by": "key:7"},
    ),
    ("GET", "/v1/checkpoints"): Operation(
        tag="Proving",
        query=checkpoints.CheckpointsQuery,
        answers={200: checkpoints.CheckpointsAnswer},
        answer={"public_keys": ["3b6a27bc"], "checkpoints": [], "next": None},
    ),
    ("GET", "/v1/stats"): Operation(
        tag="Reading",
        query=counts.StatsQuery,
        answers={200: counts.StatsAnswer},
        asked={"from": "2026-11-01", "to": "2026-11-24"},
        answer={
            "counts": [
                {
                    "day": "2026-11-24",
                    "channel": "email",
                    "topic": "newsletter",
                    "reason": "opted_out",
                    "source": "one_click",
                    "action": "opt_out",
                    "events": 12,
                    "changed": 11,
                }
            ],
            "next": None,
            "visits": [{"day": "2026-11-24", "message": "c42", "method": "GET", "hits": 489}],
        },
    ),
}
