"""What each route reads, answers and refuses: the table behind ``/openapi.json``.

Shapes and rules come from the types that validate; here stand only what goes with what, and the
examples. A test sends every example, and holds the table to the routes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from optout_service.api.bodies import checks, links, reading, recording, setup
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

    ``answers``: by status, the first being the ordinary one. ``example``: a request's body, and
    ``answer``: what it is answered with. ``refuses``: beside what every route of its kind refuses.
    ``headers``: of the request, by name, with what they are for.
    """

    tag: str
    answers: Mapping[int, type[Struct] | Media]
    body: type[Struct] | Media | None = None
    query: type[Struct] | None = None
    example: Any = None
    answer: Any = None
    refuses: Refusals = ()
    headers: Mapping[str, str] = field(default_factory=dict)


ANY_ROUTE: Final[Refusals] = (
    errors.Unauthenticated,
    errors.NotPermitted,
    errors.NotFound,
    errors.Internal,
    errors.StoreUnavailable,
    errors.WrongKeys,
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

_ADDRESSED: Final[Refusals] = (
    errors.InvalidAddress,
    errors.UnknownChannel,
    errors.UnknownTopic,
)
_IDEMPOTENT: Final = {
    "Idempotency-Key": "1 to 255 visible ASCII characters of your own. Sent again with the same "
    "body, it repeats the first answer and writes nothing."
}
_SCOPE: Final = {
    "tenant": "demo-shop",
    "channel": "email",
    "topic": "newsletter",
    "purpose": "marketing",
}
_STANDING: Final = {
    "address": "jo@example.com",
    "reason": "opted_out",
    "source": "api",
    "since": "2026-11-24T12:00:00Z",
    "event": 17,
    "scope": _SCOPE,
}
_LINK: Final = {
    "url": "https://optout.example.com/u/AQAAAAE...~...",
    "headers": {
        "List-Unsubscribe": "<https://optout.example.com/u/AQAAAAE...~...>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
}
_ONE: Final = {"channel": "email", "address": "jo@example.com", "topic": "newsletter"}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/check"): Operation(
        tag="Asking",
        body=checks.CheckRequest,
        answers={200: checks.CheckAnswer},
        example=_ONE,
        answer={
            "suppressed": True,
            "address": "jo@example.com",
            "matches": [{name: part for name, part in _STANDING.items() if name != "address"}],
            "as_of": 1234,
        },
        refuses=_ADDRESSED,
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
                    "scope": _SCOPE | {"channel": "*", "topic": "*", "purpose": "*"},
                }
            ],
            "invalid": [{"index": 2, "address": "nobody", "detail": "Write one phone number ..."}],
            "as_of": 1234,
        },
        refuses=(errors.UnknownChannel, errors.UnknownTopic),
    ),
    ("POST", "/v1/opt-outs"): Operation(
        tag="Recording",
        body=recording.OptOutRequest,
        answers={201: recording.Recorded, 200: recording.Recorded},
        example=_ONE | {"reference": "letter of 24 November"},
        answer={"event": 17, "changed": True, "suppression": _STANDING},
        refuses=(*_ADDRESSED, errors.IdempotencyMismatch),
        headers=_IDEMPOTENT,
    ),
    ("POST", "/v1/opt-ins"): Operation(
        tag="Recording",
        body=recording.OptInRequest,
        answers={201: recording.Recorded, 200: recording.Recorded},
        example=_ONE | {"reference": "ticket 4711", "statement": "Please send it to me again."},
        answer={"event": 18, "changed": True, "suppression": None},
        refuses=(*_ADDRESSED, errors.NotLiftable, errors.LiftCap, errors.IdempotencyMismatch),
        headers=_IDEMPOTENT,
    ),
    ("POST", "/v1/links"): Operation(
        tag="Links",
        body=links.LinkRequest,
        answers={201: links.LinkAnswer},
        example={"address": "jo@example.com", "topic": "newsletter", "message": "c42"},
        answer=_LINK,
        refuses=_ADDRESSED,
    ),
    ("POST", "/v1/links/batch"): Operation(
        tag="Links",
        body=links.LinkBatchRequest,
        answers={201: links.LinkBatchAnswer},
        example={"links": [{"address": "jo@example.com"}, {"address": "mo@example.com"}]},
        answer={"links": [_LINK, _LINK]},
        refuses=_ADDRESSED,
    ),
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
                    "scope": _SCOPE,
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
    ("GET", "/v1/suppressions"): Operation(
        tag="Reading",
        query=reading.SuppressionsQuery,
        answers={200: reading.SuppressionsAnswer},
        answer={"items": [_STANDING], "next": None},
        refuses=(errors.Malformed, errors.UnknownChannel, errors.UnknownTopic),
    ),
    ("GET", "/v1/topics"): Operation(
        tag="Setting up",
        answers={200: setup.TopicsAnswer},
        answer={"topics": [{"slug": "newsletter", "name": "Newsletter"}]},
    ),
}
