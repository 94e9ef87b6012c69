"""Taking lists in and away."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import imports, reading
from optout_service.api.operations.operation import ADDRESSED, Media, Operation
from optout_service.core import errors
from optout_service.core.exports import MEDIA

_EXPORTED: Final = Media(
    tuple(media.partition(";")[0] for media in MEDIA.values()), "The whole list, streamed."
)

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/imports"): Operation(
        tag="Lists",
        query=imports.ImportQuery,
        body=Media(
            ("text/csv", "application/x-ndjson", "text/plain", "application/json"),
            "Rows with an address, and what else is known of each; gzip is welcome.",
        ),
        answers={200: imports.ImportAnswer},
        asked={"channel": "email", "reason": "opted_out"},
        example="address,occurred_at\njo@example.com,2026-11-01T08:00:00Z\nnobody,\n",
        answer={
            "rows": 2,
            "added": 1,
            "unchanged": 0,
            "invalid": 1,
            "skipped": 0,
            "format": "plain",
            "rejects": [{"row": 3, "detail": "A mail address has a name, an @ and a domain."}],
        },
        refuses=(*ADDRESSED, errors.NotPermitted),
    ),
    ("GET", "/v1/suppressions/export"): Operation(
        tag="Lists",
        query=reading.ExportQuery,
        answers={200: _EXPORTED},
        answer="sha256:1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014\n",
        refuses=(errors.UnknownChannel, errors.UnknownTopic),
    ),
}
