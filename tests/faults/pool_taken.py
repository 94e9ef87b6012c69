"""R5: every connection to the database is taken, and none comes free in time."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Final

from optout_service.runtime import Runtime
from tests import stage
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.street import Knock, Street

_IN_TIME: Final = {Size.FULL: 2.5, Size.BOUNDED: 10.0}
"""Seconds; in the suite other tests have the processors."""

_WRITERS: Final = 4
_READERS: Final = 2 * _WRITERS
"""As many connections as there are (``store.engines``). More than there are callers: each of those
keeps one of them."""


@dataclass(frozen=True, slots=True)
class _Told:
    door: str
    status: int
    allowed: bool
    retry_after: str
    seconds: float


def refused(ground: Ground, size: Size) -> Figure:
    """Somebody at each door, each by a thread that has no connection yet; then once more."""
    rt = Runtime.set_up(stage.settings_for(ground.database(), pool_size=_WRITERS), stage.KEYS)
    with closing(rt):
        street = Street(rt, stage.set_up(rt))
        street.done(street.asks("/v1/opt-outs", _one(street, 1)))
        with _all_taken(rt):
            meanwhile = _knock(street, 2)
        after = _knock(street, 3)
    broken = [f"{one.door} said allowed" for one in meanwhile if one.allowed]
    broken += [f"{one.door}: {one.status}" for one in after if one.status >= 300]
    turned = [one for one in meanwhile if one.status != 200]
    for one in turned:
        if one.status != 503 or not one.retry_after:
            broken.append(f"{one.door}: {one.status}, Retry-After {one.retry_after!r}")
        if one.seconds > _IN_TIME[size]:
            broken.append(f"{one.door} waited {one.seconds:.1f} s")
    if not turned:
        broken.append("it did nothing")
    slowest = max((one.seconds for one in turned), default=0.0)
    found = f"{len(turned)} of {len(meanwhile)} callers told 503, the slowest after {slowest:.1f} s"
    return Figure(f"{found}; served at once when a connection was free", tuple(broken))


@contextmanager
def _all_taken(rt: Runtime) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(_READERS):
            stack.enter_context(rt.reading())
        if rt.database.dialect == "postgresql":
            for _ in range(_WRITERS):
                stack.enter_context(rt.writing())
        yield


def _knock(street: Street, number: int) -> list[_Told]:
    # Who left long ago is asked about: "allowed" would be wrong of him.
    asked = _one(street, 1)
    batch = {"channel": "email", "addresses": [street.email(1)]}
    knocks: dict[str, Knock] = {
        "check": street.asks("/v1/check", asked, "sender"),
        "batch": street.asks("/v1/check/batch", batch, "sender"),
        "opt-out": street.asks("/v1/opt-outs", _one(street, number)),
        "page": street.page(number, action="topic"),
        "text": street.text(number, "STOP"),
    }

    def at(door: str) -> _Told:
        began = time.monotonic()
        answer = knocks[door].at(street.app.test_client())
        took = time.monotonic() - began
        allowed = door == "check" and b'"suppressed":false' in answer.data
        allowed |= door == "batch" and answer.status_code == 200 and b'"index":0' not in answer.data
        return _Told(door, answer.status_code, allowed, answer.headers.get("Retry-After", ""), took)

    with ThreadPoolExecutor(len(knocks)) as pool:
        return list(pool.map(at, knocks))


def _one(street: Street, number: int) -> dict[str, str]:
    return {"channel": "email", "address": street.email(number)}
