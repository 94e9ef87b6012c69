"""The words of replies."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import texts
from optout_service.api.operations.operation import Operation

_TEXT: Final = {
    "said": "stop",
    "language": "en",
    "text": "{brand}: you will get no more messages. Reply START to come back.",
    "encoding": "gsm-7",
    "units": 69,
    "segments": 1,
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/v1/texts"): Operation(
        tag="Setting up",
        answers={200: texts.TextsAnswer},
        answer={"texts": [], "built_in": [_TEXT]},
    ),
    ("PUT", "/v1/texts"): Operation(
        tag="Setting up",
        body=texts.TextRequest,
        answers={200: texts.TextShape},
        example={"said": "stop", "text": "{brand}: no more. START comes back."},
        answer=_TEXT,
    ),
    ("DELETE", "/v1/texts"): Operation(
        tag="Setting up",
        query=texts.TextQuery,
        answers={204: None},
    ),
}
