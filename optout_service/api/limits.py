"""How often a key may ask. Only here: a recipient and a provider are never told to come later.

Counted in each process: each has its share of what is set, so that all of them together let no more
through. Where requests spread unevenly over the processes, a key meets its limit a little early.

Not by the ``limits`` library: measured, a request and what is left cost it 7 us and a new thread
each 10 ms; here they cost 1.5.
"""

from math import ceil
from threading import Lock
from time import monotonic_ns
from typing import Any, Final

from optout_service import envelope
from optout_service.core.errors import TooMany
from optout_service.core.rate import NEVER, SECOND, Policy
from optout_service.settings import Settings


class Limits:
    """The two limits of each key: of requests, and of those that take long."""

    def __init__(self, plain: "_Limit | None", heavy: "_Limit | None") -> None:
        """None is no limit."""
        self._plain = plain
        self._heavy = heavy

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits of one process, as they are set for all."""
        among = settings.effective_workers
        return cls(
            _limit("requests", settings.rate_per_second, 1, among),
            _limit("heavy", settings.heavy_rate_per_minute, 60, among),
        )

    def take(self, api_key: int, environ: dict[str, Any], *, heavy: bool = False) -> None:
        """Count a request of this key, and have its answer say what is left. Raises TooMany."""
        limit = self._heavy if heavy else self._plain
        if limit is not None:
            limit.take(api_key, environ)


def _limit(name: str, quota: int, seconds: int, among: int) -> "_Limit | None":
    return _Limit(name, quota, seconds, Policy.shared(quota, seconds, among)) if quota else None


class _Limit:
    """One limit, and how far each key has used it up."""

    def __init__(self, name: str, quota: int, seconds: int, policy: Policy) -> None:
        self._policy = policy
        self._said: Final = f'"{name}";q={quota};w={seconds}'
        self._name = name
        # A number for each of our own keys: no stranger can make it grow.
        self._due: dict[int, int] = {}
        self._lock = Lock()

    def take(self, api_key: int, environ: dict[str, Any]) -> None:
        policy, now = self._policy, monotonic_ns()
        with self._lock:
            due = self._due.get(api_key, NEVER)
            after = policy.take(due, now)
            if after is not None:
                due = self._due[api_key] = after
        environ[envelope.LIMITS] = self._headers(policy.left(due, now), due - now)
        if after is None:
            wait = ceil(policy.wait(due, now) / SECOND)
            raise TooMany(
                f"This key has asked too often. Ask again in {wait} s, and spread the requests; "
                "or send many in one batch.",
                retry_after=wait,
            )

    def _headers(self, left: int, ahead: int) -> tuple[tuple[str, str], ...]:
        # https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, 10: 3 and 4.
        return (
            ("RateLimit-Policy", self._said),
            ("RateLimit", f'"{self._name}";r={left};t={-(-ahead // SECOND)}'),
        )
