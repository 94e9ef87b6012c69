"""What is counted, and under which names: https://prometheus.io/docs/practices/naming/.

No label carries an address, a token, a path, or a text that a caller chose. ``docs/metrics.md``
says what each is for.
"""


class Metrics:
    """What the rooms tell. None of it raises or touches the store, and here none of it is counted.

    ``counted.Counted`` counts.
    """

    def request(self, route: str, method: str, status: str, seconds: float) -> None:
        """An answer that began after so many seconds; ``status`` has three digits."""

    def verdicts(self, suppressed: int, allowed: int) -> None:
        """Addresses that were asked about."""

    def opt_out(self, source: str, changed: bool) -> None:
        """An opt-out that is on the disk."""

    def opt_in(self, source: str, changed: bool) -> None:
        """An opt-in that is on the disk."""

    def lift(self, authority: str) -> None:
        """An opt-in that lifted something on another's word than the recipient's."""

    def replay(self) -> None:
        """A provider's message that came again."""

    def refusal(self, kind: str) -> None:
        """A request that was refused, or failed."""

    def hook_refused(self, provider: str, why: str) -> None:
        """A provider's hook that was refused unread; ``why`` is one of a handful of words."""

    def feed_read(self, api_key: int, behind: int, at: float) -> None:
        """How many events a reader of the feed still has before it, at this time (Unix)."""

    def task_failed(self, task: str) -> None:
        """A turn of something that is done beside the requests came to nothing."""

    def checkpointed(self, at: float) -> None:
        """At this time (Unix) every ledger had its checkpoint, and was what that said."""

    def pool(self, name: str, in_use: int) -> None:
        """Connections that are taken out of a pool of this process."""

    def exposition(self) -> bytes:
        """All that was counted, in Prometheus' text format."""
        return b""
