"""When keys were used last: remembered here, and written afterwards, a few at a time.

A write for each use would cost more than a check, and a check writes nothing.
"""

from datetime import datetime

from optout_service.runtime import Runtime
from optout_service.store import keys

EVERY_SECONDS = 60
"""How often what is remembered is written."""


class KeyUse:
    """The keys that this process has seen used since it wrote that down."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._written: dict[int, datetime] = {}

    def note(self, api_key: int) -> None:
        """A key was used now."""
        self._seen.add(api_key)

    def write(self, rt: Runtime) -> None:
        """Write down what is news. Raises StoreUnavailable; then it is still to be written."""
        at = rt.now()
        stale = at - keys.USE_KNOWN_TO
        news = {key for key in self._seen.copy() if self._written.get(key, stale) <= stale}
        if news:
            with rt.writing() as connection:
                keys.note_use(connection, news, at=at)
            self._written |= dict.fromkeys(news, at)
        self._seen.clear()
