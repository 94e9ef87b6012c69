"""Checks without a call: a copy of what stands, in a file, and never older than is allowed.

A replica answers as the service would have, some seconds ago. What is acknowledged in between it
does not know yet; who may not miss that asks the service.
"""

import os
import threading
import time
from pathlib import Path
from typing import Final, Self

from optout_service.client.client import Client
from optout_service.client.errors import OptOutServiceError, Refused, Unavailable, refusals
from optout_service.client.line import TOO_MANY
from optout_service.client.replica_file import Held, ReplicaFile
from optout_service.client.shapes import Match, Verdict
from optout_service.client.shapes import Scope as ScopeShape
from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest, UnknownTopic
from optout_service.core.policy import PLATFORM, Suppression, strength, verdict
from optout_service.core.scope import ANY, Scope, kind_of

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_BAD_CURSOR: Final = "malformed"


class Stale(OptOutServiceError):
    """The replica is older than is allowed, or not complete yet: ask the service."""


class Unknowable(OptOutServiceError):
    """A suppression stands that may be this address's: the service knows, the replica cannot.

    So it is where a tenant keeps no address book, and no hash of the address came along.
    """


class Replica:
    """What stands at one tenant, kept in a file beside the one who asks.

    >>> replica = Replica(client, "replica.db", max_staleness=5)
    >>> as_of = replica.sync()
    >>> replica.check("jo@example.com", topic="newsletter").allowed
    True

    Several processes may open one file, each for itself and after a fork; one of them at least has
    to ``follow``. Its key is an integration's.
    """

    def __init__(
        self,
        client: Client,
        path: str | os.PathLike[str],
        *,
        max_staleness: float = 60,
        page: int = 1000,
    ) -> None:
        """``max_staleness``: in seconds, the oldest that an answer may be. Raises OSError.

        ``page``: how many events are read at a time, at most 1000.
        """
        self._page = page
        self._client = client
        self._file = ReplicaFile(path)
        self._max_staleness = max_staleness
        self._boot = _boot()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the client stays open."""
        self._file.close()

    def sync(self) -> int:
        """Read all that is new, and give the position of the ledger that was reached.

        Raises Unavailable and Refused; what was read until then is kept.
        """
        while True:
            cursor = self._file.cursor()
            # Before it is asked: the answer is at least as new.
            asked_at = _now()
            try:
                page = self._client.changes(cursor, limit=self._page)
            except Refused as refused:
                if cursor is None or refused.kind != _BAD_CURSOR:
                    raise
                self._file.forget()
                continue
            put = self._file.put(page, after=cursor, fresh=asked_at, boot=self._boot)
            if put and not page.more:
                return page.as_of

    def follow(self, stop: threading.Event, *, interval: float = 1) -> None:
        """``sync`` every so many seconds until ``stop`` is set, for a thread or process of its own.

        The service may be away meanwhile, or ask for less haste: checks are refused once they would
        be too old. Raises Refused otherwise: a key that was revoked does not come back by itself.
        """
        while not stop.is_set():
            try:
                self.sync()
            except Unavailable:
                pass
            except Refused as refused:
                if refused.status != TOO_MANY:
                    raise
            stop.wait(interval)

    def check(
        self,
        address: str,
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
        *,
        max_staleness: float | None = None,
    ) -> Verdict:
        """``Client.check``, of the file. ``max_staleness``: for this one.

        Raises Stale, Unknowable, and Refused as the service does; none of them means "allowed".
        """
        with refusals():
            asked = Scope.parse(channel, topic, purpose)
            if asked.purpose == ANY:
                raise InvalidRequest("A message has one purpose.", field="purpose")
            known = Address.parse(kind_of(channel), address)
            held = self._file.look_up(known.kind, known.sha256, asked.as_question())
            as_of = self._fresh(held, max_staleness)
            if not held.known:
                raise UnknownTopic("The replica knows no such topic. If it is new, sync first.")
        found = verdict(held.stands, asked, as_of)
        if not found.suppressed and held.somebody:
            raise Unknowable(
                "A suppression stands of which only the service knows whose it is. Ask the service."
            )
        rows = sorted(found.matches, key=strength, reverse=True)
        return Verdict(found.suppressed, tuple(_match(row, held.slug) for row in rows), as_of)

    def _fresh(self, held: Held, max_staleness: float | None) -> int:
        """The position, if the file is young enough. Raises Stale."""
        if held.as_of is None or held.fresh is None or held.boot != self._boot:
            raise Stale("The replica is not complete yet. Let it sync.")
        age = _now() - held.fresh
        most = self._max_staleness if max_staleness is None else max_staleness
        if not 0 <= age <= most:
            raise Stale(f"The replica is {age:.0f} s old, and may be {most:g}. Let it sync.")
        return held.as_of


def _match(row: Suppression, slug: str) -> Match:
    of = "platform" if row.tenant == PLATFORM else slug
    scope = ScopeShape(of, row.scope.channel, row.scope.topic, row.scope.purpose)
    return Match(row.reason.value, scope, row.source.value, row.since, row.event)


def _now() -> float:
    """Seconds since the machine started: nobody sets that clock, and it counts while it sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _boot() -> str:
    """Which start of the machine that is. Where it does not say, this process, and no other."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"process {os.getpid()} {_now()}"
