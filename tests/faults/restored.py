"""R16: a backup while people leave, the database lost, the backup put back, erasures done again."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Final

from optout_service.backups import making, restoring
from optout_service.core.address import Address
from optout_service.core.checkpoint import Checkpoint
from optout_service.core.errors import Quarantined
from optout_service.core.scope import Kind, Scope
from optout_service.evidence import checkpoints, erasures, quarantine
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.store import chain, feed, tenants
from tests.faults.crowd import crowd, every_door
from tests.faults.doors import Premises, in_lots
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import Call, History, Told
from tests.postgres import binaries

_CLIENTS: Final = 6


def as_it_was(ground: Ground, size: Size) -> Figure:
    """Leave, erase, back up amid it all, erase more; lose everything; put it back, and look."""
    server = ground.server("" if ground.dialect == "sqlite" else ground.database())
    premises, history = Premises.of(server), History()
    server.start()
    backup, tenant = ground.folder / "backup", premises.cast.acme
    wanted, few = size.pick(60, 10_000), size.pick(5, 100)
    with _clients_of_postgresql(), server.looking_in() as rt:
        with crowd(premises, history, _CLIENTS, every_door) as over:
            _await(history, wanted, over)
            before = list(history.told(Told.STORED))
            erased = before[:few]
            _erase(rt, tenant, erased)
            mark = next(one for one in checkpoints.write(rt).written if one.tenant == "acme")
            began = time.monotonic()
            making.make(rt, backup)
            making_took = time.monotonic() - began
            meanwhile = history.count(Told.STORED) - len(before)
            erased = [*erased, *before[few : 2 * few]]
            _erase(rt, tenant, erased[few:])
        server.stop()
        there = replace(rt.settings, database_url=Secret(ground.database()))
        began = time.monotonic()
        restoring.restore(there, rt.keys, backup, None)
        with_it = Runtime.build(there, rt.keys)
    try:
        broken = [*_held_back(with_it, tenant)]
        replayed = sum(one.again for one in erasures.replay(with_it))
        quarantine.release(with_it, "The backup of the trial was put back.")
        broken += _answers(with_it, tenant, before)
        took = time.monotonic() - began
        broken += _proven(with_it, tenant, mark)
        broken += _erased(with_it, tenant, erased)
        if replayed < few:
            broken.append(f"{replayed} erasures were done again, and {few} came after the backup")
    finally:
        with_it.close()
    return Figure(
        f"{len(before)} opt-outs backed up in {making_took:.1f} s while {meanwhile} more came; put "
        f"back, erasures done again and all {len(before)} answered as suppressed {took:.1f} s "
        f"after the restore began; {len(erased)} erased stayed so",
        tuple(broken),
    )


def _await(history: History, wanted: int, over: Event) -> None:
    while history.count(Told.STORED) < wanted and not over.wait(0.1):
        pass


def _erase(rt: Runtime, tenant: int, calls: Sequence[Call]) -> None:
    with rt.reading() as connection:
        found = tenants.get_by_id(connection, tenant)
    assert found is not None
    for call in calls:
        erasures.erase(rt, found, _address(call.address), reason="Letter 12", actor="operator:cli")


def _held_back(rt: Runtime, tenant: int) -> Iterator[str]:
    try:
        rt.check(tenant, _address("stays@example.com"), Scope("email", "*", "marketing"))
    except Quarantined:
        return
    yield "a check was answered before anybody had looked"


def _answers(rt: Runtime, tenant: int, before: Sequence[Call]) -> Iterator[str]:
    for lot in in_lots([call.address for call in before]):
        digests = {rt.keys.digest(_address(one)): one for one in lot}
        channel = "email" if "@" in lot[0] else "sms"
        found, _ = rt.check_many(tenant, list(digests), Scope(channel, "*", "marketing"))
        for digest in digests.keys() - found.keys():
            yield f"lost: {digests[digest]} had left before the backup was begun"


def _proven(rt: Runtime, tenant: int, mark: Checkpoint) -> Iterator[str]:
    with rt.reading() as connection:
        walked = chain.verify(connection, tenant, rt.keys, {mark.seq: bytes.fromhex(mark.head)})
    if not walked.whole:
        yield f"the ledger does not meet the checkpoint: {walked.fault} at {walked.broken_at}"


def _erased(rt: Runtime, tenant: int, calls: Sequence[Call]) -> Iterator[str]:
    with rt.reading() as connection:
        for call in calls:
            past = feed.history(connection, tenant, _address(call.address), rt.keys)
            if not past or any(one.evidence or one.address for one in past):
                yield f"{call.address} was erased, and is there again, or its event is gone"


def _address(name: str) -> Address:
    return Address.parse(Kind.EMAIL if "@" in name else Kind.PHONE, name)


@contextmanager
def _clients_of_postgresql() -> Iterator[None]:
    """``pg_dump`` and ``pg_restore`` on the PATH, those of the tests' server if it is ours."""
    before = os.environ["PATH"]
    if "OPTOUT_TEST_DATABASE_URL" not in os.environ:
        os.environ["PATH"] = f"{binaries()}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before
