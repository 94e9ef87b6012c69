"""What senders import. It needs neither Flask nor a database: see docs/client.md."""

from optout_service.client.client import Client
from optout_service.client.errors import OptOutServiceError, Refused, Unavailable
from optout_service.client.headers import add_headers
from optout_service.client.minting import LinkMinter
from optout_service.client.replica import Replica, Stale, Unknowable
from optout_service.client.shapes import (
    Changed,
    Changes,
    Cleared,
    Event,
    Link,
    Match,
    Recipient,
    Recorded,
    Scope,
    Standing,
    Verdict,
)

__all__ = [
    "Changed",
    "Changes",
    "Cleared",
    "Client",
    "Event",
    "Link",
    "LinkMinter",
    "Match",
    "OptOutServiceError",
    "Recipient",
    "Recorded",
    "Refused",
    "Replica",
    "Scope",
    "Stale",
    "Standing",
    "Unavailable",
    "Unknowable",
    "Verdict",
    "add_headers",
]
