"""Recording what a recipient said."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import recording
from optout_service.api.operations.operation import ADDRESSED, IDEMPOTENT, ONE, STANDING, Operation
from optout_service.core import errors

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/opt-outs"): Operation(
        tag="Recording",
        body=recording.OptOutRequest,
        answers={201: recording.Recorded, 200: recording.Recorded},
        example=ONE | {"reference": "letter of 24 November"},
        answer={"event": 17, "changed": True, "suppression": STANDING},
        refuses=(*ADDRESSED, errors.IdempotencyMismatch),
        headers=IDEMPOTENT,
    ),
    ("POST", "/v1/opt-ins"): Operation(
        tag="Recording",
        body=recording.OptInRequest,
        answers={201: recording.Recorded, 200: recording.Recorded},
        example=ONE | {"reference": "ticket 4711", "statement": "Please send it to me again."},
        answer={"event": 18, "changed": True, "suppression": None},
        refuses=(*ADDRESSED, errors.NotLiftable, errors.LiftCap, errors.IdempotencyMismatch),
        headers=IDEMPOTENT,
    ),
}
