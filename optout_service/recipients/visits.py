"""How often links are opened: counted here, and written down afterwards, every few seconds.

Opening a link changes nothing about anybody, waits for no write, and works while none can be
made. What a process that is killed had not written down yet is lost; no opt-out depends on it.
"""

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final

from optout_service import telemetry
from optout_service.core.token import MAX_MESSAGE, Claim
from optout_service.recipients import acts
from optout_service.runtime import Runtime
from optout_service.store import visits
from optout_service.store.visits import Visited

EVERY_SECONDS: Final = 5
"""How often what was counted is written down."""

_MOST: Final = 10_000
"""How many counters a process keeps; beyond that the message no longer counts."""


class Visits:
    """What was opened, since that was written down, through this process."""

    def __init__(self) -> None:
        self._hits: Counter[Visited] = Counter()
        self._lock = Lock()

    def note(self, rt: Runtime, claim: Claim, environ: Mapping[str, Any]) -> None:
        """A link was opened now. ``environ``: the WSGI environment of the request."""
        day = rt.now().date()
        visited = Visited(claim.tenant, day, _message(claim, environ), environ["REQUEST_METHOD"])
        self._add({visited: 1})

    def write(self, rt: Runtime) -> None:
        """Write down what was counted. Raises StoreUnavailable; then it is still to be written."""
        with self._lock:
            hits, self._hits = self._hits, Counter()
        if not hits:
            return
        try:
            with rt.writing() as connection:
                visits.add(connection, hits)
        except BaseException:
            self._add(hits)
            raise

    def _add(self, hits: Mapping[Visited, int]) -> None:
        with self._lock:
            for visited, number in hits.items():
                if visited not in self._hits and len(self._hits) >= _MOST:
                    visited = visited._replace(message="")
                self._hits[visited] += number


def _message(claim: Claim, environ: Mapping[str, Any]) -> str:
    """The message that counts; none for who asks not to be tracked.

    Nor one that is no text, or that names somebody: it would stand in the database in clear.
    """
    message = claim.message
    if acts.is_private(environ) or len(message) > MAX_MESSAGE or not message.isprintable():
        return ""
    return message if telemetry.mask(message) == message else ""
