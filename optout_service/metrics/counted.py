"""The metrics as prometheus-client keeps them, for one process or for all workers of a server.

Measured with the files of several workers: 2 us a counter, 3 us a histogram. A check pays both.
"""

from functools import cached_property
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    values,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from optout_service.metrics import Metrics, files

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CHANGED: Final = {True: "yes", False: "no"}


class Counted(Metrics):
    """``Metrics`` that are counted, and can be shown."""

    def __init__(self) -> None:
        """Where this process is one of several workers, all of their figures are shown together."""
        # When each began to be counted: a second series for each, which several workers lack.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._shared = files.shared()
        if self._shared is not None:
            values.ValueClass = values.MultiProcessValue(files.slot)  # type: ignore[no-untyped-call]
        own = self._own = CollectorRegistry()
        # A histogram counts too: a counter beside it would be paid for on every check.
        self._requests = Histogram(
            "optout_http_request_duration_seconds",
            "Time until an answer began, by route, method and class of status.",
            ["route", "method", "status"],
            buckets=_SECONDS,
            registry=own,
        )
        self._verdicts = Counter(
            "optout_verdicts", "Addresses asked about.", ["verdict"], registry=own
        )
        self._opt_outs = Counter(
            "optout_opt_outs", "Opt-outs recorded.", ["source", "changed"], registry=own
        )
        self._opt_ins = Counter(
            "optout_opt_ins", "Opt-ins recorded.", ["source", "changed"], registry=own
        )
        self._lifts = Counter(
            "optout_lifts",
            "Suppressions lifted on another's word than the recipient's.",
            ["authority"],
            registry=own,
        )
        self._replays = Counter(
            "optout_replayed_messages", "Provider messages that came again.", registry=own
        )
        self._refusals = Counter(
            "optout_refusals", "Requests refused or failed, by kind.", ["kind"], registry=own
        )
        self._hooks_refused = Counter(
            "optout_hooks_refused", "Hooks refused unread.", ["provider", "why"], registry=own
        )
        self._gauge(own)
        self._add_what_is_done_beside(own)
        self._timed: dict[tuple[str, str, str], Histogram] = {}
        self._suppressed = self._verdicts.labels("suppressed")
        self._allowed = self._verdicts.labels("allowed")

    def _gauge(self, own: CollectorRegistry) -> None:
        self._behind = Gauge(
            "optout_feed_behind_events",
            "Events that a reader of the feed had before it when it read last, by id of its key.",
            ["key"],
            multiprocess_mode="mostrecent",
            registry=own,
        )
        self._read_at = Gauge(
            "optout_feed_read_timestamp_seconds",
            "When a reader read the feed last, by id of its key.",
            ["key"],
            multiprocess_mode="mostrecent",
            registry=own,
        )

    def _add_what_is_done_beside(self, own: CollectorRegistry) -> None:
        self._tasks = Counter(
            "optout_background_failures",
            "Turns of what is done beside the requests that came to nothing, by task.",
            ["task"],
            registry=own,
        )
        self._checkpointed = Gauge(
            "optout_checkpoint_timestamp_seconds",
            "When every ledger had its checkpoint last, and was what that said; 0: not yet.",
            multiprocess_mode="mostrecent",
            registry=own,
        )
        self._pools = Gauge(
            "optout_pool_connections_in_use",
            "Connections taken out of the pools of all workers.",
            ["pool"],
            multiprocess_mode="livesum",
            registry=own,
        )

    def request(self, route: str, method: str, status: str, seconds: float) -> None:
        """As ``Metrics``."""
        # Remembered, since finding a child by its labels costs as much as counting.
        timed = self._timed.get((route, method, status[0]))
        if timed is None:
            known = method if method in _METHODS else "other"
            timed = self._requests.labels(route, known, f"{status[0]}xx")
            if known == method:
                self._timed[route, method, status[0]] = timed
        timed.observe(seconds)

    def verdicts(self, suppressed: int, allowed: int) -> None:
        """As ``Metrics``."""
        if suppressed:
            self._suppressed.inc(suppressed)
        if allowed:
            self._allowed.inc(allowed)

    def opt_out(self, source: str, changed: bool) -> None:
        """As ``Metrics``."""
        self._opt_outs.labels(source, _CHANGED[changed]).inc()

    def opt_in(self, source: str, changed: bool) -> None:
        """As ``Metrics``."""
        self._opt_ins.labels(source, _CHANGED[changed]).inc()

    def lift(self, authority: str) -> None:
        """As ``Metrics``."""
        self._lifts.labels(authority).inc()

    def replay(self) -> None:
        """As ``Metrics``."""
        self._replays.inc()

    def refusal(self, kind: str) -> None:
        """As ``Metrics``."""
        self._refusals.labels(kind).inc()

    def hook_refused(self, provider: str, why: str) -> None:
        """As ``Metrics``."""
        self._hooks_refused.labels(provider, why).inc()

    def feed_read(self, api_key: int, behind: int, at: float) -> None:
        """As ``Metrics``."""
        self._behind.labels(str(api_key)).set(behind)
        self._read_at.labels(str(api_key)).set(at)

    def task_failed(self, task: str) -> None:
        """As ``Metrics``."""
        self._tasks.labels(task).inc()

    def checkpointed(self, at: float) -> None:
        """As ``Metrics``."""
        self._checkpointed.set(at)

    def pool(self, name: str, in_use: int) -> None:
        """As ``Metrics``."""
        self._pools.labels(name).set(in_use)

    def exposition(self) -> bytes:
        """As ``Metrics``."""
        return generate_latest(self._shown)

    @cached_property
    def _shown(self) -> CollectorRegistry:
        if self._shared is None:
            return self._own
        merged = CollectorRegistry()
        MultiProcessCollector(merged, str(self._shared))  # type: ignore[no-untyped-call]
        return merged
