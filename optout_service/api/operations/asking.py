"""Asking before a send."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import checks
from optout_service.api.operations.operation import (
    ADDRESSED,
    ONE,
    SCOPE,
    STANDING,
    Media,
    Operation,
)
from optout_service.core import errors

_LIST: Final = Media(
    ("text/csv", "application/x-ndjson", "text/plain"),
    "A list of any length, in the media type in which it was sent; gzip is welcome both ways.",
)

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/check"): Operation(
        tag="Asking",
        body=checks.CheckRequest,
        answers={200: checks.CheckAnswer},
        example=ONE,
        answer={
            "suppressed": True,
            "address": "jo@example.com",
            "matches": [{name: part for name, part in STANDING.items() if name != "address"}],
            "as_of": 1234,
        },
        refuses=ADDRESSED,
    ),
    ("POST", "/v1/check/batch"): Operation(
        tag="Asking",
        body=checks.BatchRequest,
        answers={200: checks.BatchAnswer},
        example={"channel": "sms", "addresses": ["+14155552671", "+14155552672", "nobody"]},
        answer={
            "checked": 3,
            "suppressed": [
                {
                    "index": 0,
                    "address": "+14155552671",
                    "reason": "opted_out",
                    "scope": SCOPE | {"channel": "*", "topic": "*", "purpose": "*"},
                }
            ],
            "invalid": [{"index": 2, "address": "nobody", "detail": "Write one phone number ..."}],
            "as_of": 1234,
        },
        refuses=(errors.UnknownChannel, errors.UnknownTopic),
    ),
    ("POST", "/v1/scrub"): Operation(
        tag="Asking",
        query=checks.ScrubQuery,
        body=_LIST,
        answers={200: _LIST},
        asked={"channel": "email", "keep": "allowed"},
        example="name,email\nJo,jo@example.com\nMo,mo@example.com\n",
        answer="name,email\nMo,mo@example.com\n",
        refuses=(errors.UnknownChannel, errors.UnknownTopic),
    ),
}
