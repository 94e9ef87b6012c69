"""Minting links."""

from collections.abc import Mapping
from typing import Final

from optout_service.api.bodies import links
from optout_service.api.operations.operation import ADDRESSED, Operation
from optout_service.core import errors

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
    ("GET", "/v1/link-key"): Operation(
        tag="Links",
        answers={200: links.LinkKeyAnswer},
        answer={
            "version": 1,
            "tenant": 1,
            "slug": "demo-shop",
            "base_url": "https://optout.example.com",
            "topics": ["newsletter"],
            "keys": ["..."],
        },
        refuses=(errors.InvalidRequest,),
    ),
}
