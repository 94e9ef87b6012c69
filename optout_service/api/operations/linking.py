"""Minting links."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import links
from optout_service.api.operations.operation import ADDRESSED, Operation

_LINK: Final = {
    "url": "https://optout.example.com/u/AQAAAAE...~...",
    "headers": {
        "List-Unsubscribe": "<https://optout.example.com/u/AQAAAAE...~...>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/links"): Operation(
        tag="Links",
        body=links.LinkRequest,
        answers={201: links.LinkAnswer},
        example={"address": "jo@example.com", "topic": "newsletter", "message": "c42"},
        answer=_LINK,
        refuses=ADDRESSED,
    ),
    ("POST", "/v1/links/batch"): Operation(
        tag="Links",
        body=links.LinkBatchRequest,
        answers={201: links.LinkBatchAnswer},
        example={"links": [{"address": "jo@example.com"}, {"address": "mo@example.com"}]},
        answer={"links": [_LINK, _LINK]},
        refuses=ADDRESSED,
    ),
}
