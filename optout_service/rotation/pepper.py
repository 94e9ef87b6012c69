"""A new pepper: every digest is brought under it, recipient by recipient, while all goes on.

In small transactions, each whole by itself. What is broken off goes on where it stood when it is
run again: a row says itself whether it has moved.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from optout_service.core.covers import Regime
from optout_service.core.errors import Conflict
from optout_service.runtime import Runtime
from optout_service.store import feed, rotating, tenants

STEP: Final = 200
"""Events, or recipients, that one transaction reads. Writers of the tenant wait meanwhile."""
_PASSES: Final = 2
"""A pass over all tenants, and another for those that were made during the first."""
_log: Final = logging.getLogger("optout.audit")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come: a tenant's events up to ``at``, of ``of`` there were when it began.

    ``recipients``: how many were moved by this call, of all tenants.
    """

    tenant: str
    at: int
    of: int
    recipients: int


@dataclass(frozen=True, slots=True)
class Rotated:
    """Under which regime the database stood, by its fingerprint, and stands now.

    ``recipients``: how many were moved, counted once for each tenant. ``done``: whether there was
    anything to do.
    """

    before: str
    after: str
    recipients: int
    done: bool


def rotate(
    rt: Runtime, *, tell: Callable[[Progress], None] = lambda _: None, step: int = STEP
) -> Rotated:
    """Bring all digests under the next pepper of the ring, as far as that is not done.

    Two at once do no harm. Raises Conflict (the database is in quarantine, or rows do not fit the
    ledger), WrongKeys, StoreUnavailable.
    """
    if begins(rt):
        _require_no_strays(rt)
    before = rt.belief.regime
    with rt.writing() as connection:
        regime = after = rotating.begin(connection, rt.keys)
    if not regime.moving:
        return Rotated(before.fingerprint, after.fingerprint, 0, done=False)
    recipients = 0
    for _ in range(_PASSES):
        recipients += _move_all(rt, regime, tell, step)
        with rt.reading_one_state() as connection:
            left = rotating.left(connection, regime)
        if not left:
            with rt.writing() as connection:
                after = rotating.settle(connection, rt.keys, regime)
            break
    else:
        if rt.belief.look() == regime:
            raise Conflict(f"Rows could not be moved: {left}. {_WRITTEN}")
        after = rt.belief.regime  # somebody else has ended it
    _log.info("the pepper was rotated", extra={"regime": after.fingerprint, "moved": recipients})
    return Rotated(before.fingerprint, after.fingerprint, recipients, done=True)


_WRITTEN: Final = (
    "Somebody has written to the database beside the service, or a process of an older release "
    "runs. Stop it, and run: optout evidence verify"
)


def begins(rt: Runtime) -> bool:
    """Whether ``rotate`` would begin one, and not go on with one. Raises WrongKeys."""
    now = rt.belief.look()
    return not now.moving and now != rt.keys.regimes.all[-1]


def _require_no_strays(rt: Runtime) -> None:
    with rt.reading_one_state() as connection:
        if found := rotating.strays(connection):
            raise Conflict(f"Rows do not fit the ledger's events: {found}. {_WRITTEN}")


def _move_all(rt: Runtime, regime: Regime, tell: Callable[[Progress], None], step: int) -> int:
    with rt.reading() as connection:
        known = tenants.every(connection)
        ends = feed.reached(connection, [tenant.id for tenant in known])
    recipients = 0
    for tenant in known:
        for at, moved in _move_tenant(rt, tenant.id, regime, ends[tenant.id], step):
            recipients += moved
            tell(Progress(tenant.slug, at, ends[tenant.id], recipients))
    return recipients


def _move_tenant(
    rt: Runtime, tenant: int, regime: Regime, end: int, step: int
) -> Iterator[tuple[int, int]]:
    """After each transaction, the event that it came to and how many recipients it moved."""
    at = 0
    while at < end:
        with rt.reading_one_state() as connection:
            some = rotating.next_events(connection, tenant, regime, after=at, limit=step)
        if some.last is None:
            break
        at = some.last
        yield min(at, end), _move(rt, tenant, regime, some.stored)
    for table in rotating.OTHERS:
        moved = step
        while moved:
            with rt.reading_one_state() as connection:
                others = rotating.next_others(connection, tenant, regime, table, limit=step)
            moved = _move(rt, tenant, regime, others) if others else 0
            if moved:
                yield end, moved


def _move(rt: Runtime, tenant: int, regime: Regime, stored: set[bytes]) -> int:
    """One transaction, and a rest as long as it took: whoever waits for the lock gets it then."""
    began = time.monotonic()
    with rt.writing(tenant) as connection:
        moved = rotating.move(connection, tenant, rt.keys, regime, stored)
    time.sleep(time.monotonic() - began)
    return moved
