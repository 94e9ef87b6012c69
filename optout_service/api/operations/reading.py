"""Reading what stands and what happened."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import changes, reading
from optout_service.api.operations.operation import SCOPE, STANDING, Operation
from optout_service.core import errors

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/v1/events"): Operation(
        tag="Reading",
        query=reading.EventsQuery,
        answers={200: reading.EventsAnswer},
        answer={
            "events": [
                {
                    "event": 17,
                    "action": "opt_out",
                    "changed": True,
                    "scope": SCOPE,
                    "reason": "opted_out",
                    "source": "one_click",
                    "actor": "recipient",
                    "address": "jo@example.com",
                    "occurred_at": "2026-11-24T12:00:00Z",
                    "recorded_at": "2026-11-24T12:00:00Z",
                    "hash": "71b40558dcb313d1a3d483036969055e8c2f84d74e3f625a76d0cda28de8ec93",
                }
            ],
            "next": 17,
        },
    ),
    ("GET", "/v1/suppressions/changes"): Operation(
        tag="Reading",
        query=changes.ChangesQuery,
        answers={200: changes.ChangesAnswer},
        answer={
            "tenant": "demo-shop",
            "items": [
                {
                    "recipient": "0b5d3c1f0f6f4f6e9a8b7c6d5e4f3a2b",
                    "kind": "email",
                    "sha256": "0" * 64,
                    "stands": [{name: STANDING[name] for name in STANDING if name != "address"}],
                }
            ],
            "topics": ["newsletter"],
            "as_of": 17,
            "next": "WyIxNyIsIjcxYjQiLCIwIiwiIl0",
            "more": False,
        },
        refuses=(errors.Malformed,),
    ),
    ("GET", "/v1/suppressions"): Operation(
        tag="Reading",
        query=reading.SuppressionsQuery,
        answers={200: reading.SuppressionsAnswer},
        answer={"items": [STANDING], "next": None},
        refuses=(errors.Malformed, errors.UnknownChannel, errors.UnknownTopic),
    ),
}
