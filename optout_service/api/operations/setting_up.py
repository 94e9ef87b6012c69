"""Setting a tenant up."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import setup
from optout_service.api.operations.operation import Operation

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/v1/topics"): Operation(
        tag="Setting up",
        answers={200: setup.TopicsAnswer},
        answer={"topics": [{"slug": "newsletter", "name": "Newsletter"}]},
    ),
}
