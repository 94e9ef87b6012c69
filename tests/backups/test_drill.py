"""The drill: acts, a backup while acts go on, more acts, loss, restore, quarantine, release."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from optout_service.backups import making, restoring
from optout_service.core.address import Address
from optout_service.core.errors import Quarantined
from optout_service.core.scope import Kind
from optout_service.evidence import checkpoints, quarantine
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.store import chain
from tests import stage
from tests.stage import Cast
from tests.store.acts import MARKETING, act


def leave(rt: Runtime, tenant: int, number: int) -> Address:
    """An opt-out that is acknowledged when this returns."""
    address = Address.parse(Kind.EMAIL, f"r{number}@example.com")
    with rt.writing(tenant) as connection:
        rt.record(connection, act(tenant, address=address, scope=MARKETING))
    return address


def while_others_leave(rt: Runtime, tenants: list[int], do: Callable[[], object]) -> int:
    """How many were recorded while something was done."""
    done, recorded = threading.Event(), []

    def leaving(tenant: int) -> None:
        number = 1000
        while not done.is_set():
            recorded.append(leave(rt, tenant, number))
            number += 1

    threads = [threading.Thread(target=leaving, args=(tenant,)) for tenant in tenants]
    for thread in threads:
        thread.start()
    try:
        do()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    return len(recorded)


def test_what_was_acknowledged_before_a_backup_outlives_the_loss_of_the_database(
    rt: Runtime, cast: Cast, tmp_path: Path, empty_place: str
) -> None:
    before = [leave(rt, cast.acme, number) for number in range(20)]
    checkpoints.write(rt)
    backup = tmp_path / "backup"
    assert while_others_leave(rt, [cast.acme, cast.bolt], lambda: making.make(rt, backup))
    after = leave(rt, cast.acme, 9999)
    checkpoints.write(rt)

    there = replace(rt.settings, database_url=Secret(empty_place))
    restoring.restore(there, rt.keys, backup, None)

    with_it = Runtime.build(there, rt.keys)
    try:
        with pytest.raises(Quarantined):
            with_it.check(cast.acme, before[0], MARKETING)
        assert "acme" in {one.tenant for one in quarantine.state(with_it).behind}
        leave(with_it, cast.acme, 777)
        quarantine.release(with_it, "The backup of the drill was put back.")
        found = [with_it.check(cast.acme, one, MARKETING).suppressed for one in before]
        assert all(found)
        assert not with_it.check(cast.acme, after, MARKETING).suppressed, "what quarantine is for"
        with with_it.reading() as connection:
            for tenant in (cast.acme, cast.bolt):
                kept = checkpoints.read(with_it, tenant)
                assert chain.verify(connection, tenant, rt.keys, kept.marks).whole
        assert not quarantine.state(with_it).behind
    finally:
        with_it.close()


def test_a_backup_of_the_moment_is_held_back_although_no_checkpoint_contradicts_it(
    rt: Runtime, cast: Cast, tmp_path: Path, empty_place: str
) -> None:
    address = leave(rt, cast.acme, 1)
    checkpoints.write(rt)
    making.make(rt, tmp_path / "backup")
    directory = tmp_path / "checkpoints of another machine"
    there = stage.settings_for(
        empty_place, checkpoint_dir=str(directory), cache_dir=rt.settings.cache_dir
    )
    restoring.restore(there, rt.keys, tmp_path / "backup", None)
    assert (directory / f"{cast.acme}.jsonl").exists()
    with_it = Runtime.build(there, rt.keys)
    try:
        assert quarantine.state(with_it) == quarantine.State(True, ())
        with pytest.raises(Quarantined):
            with_it.check(cast.acme, address, MARKETING)
    finally:
        with_it.close()


def test_a_database_in_quarantine_can_be_backed_up_and_put_back(
    rt: Runtime, cast: Cast, tmp_path: Path, empty_place: str
) -> None:
    leave(rt, cast.acme, 1)
    rt.quarantine("a test")
    making.make(rt, tmp_path / "backup")
    there = replace(rt.settings, database_url=Secret(empty_place))
    assert restoring.restore(there, rt.keys, tmp_path / "backup", None).events == 1


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_there_is_no_moment_in_which_an_older_copy_answers(
    rt: Runtime, cast: Cast, tmp_path: Path, empty_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that points to the database already sees it as soon as it is there."""
    address = leave(rt, cast.acme, 1)
    making.make(rt, tmp_path / "backup")
    there = replace(rt.settings, database_url=Secret(empty_place))
    seen = []

    def before_it_is_proven(*_: object, **__: object) -> None:
        waiting = Runtime.build(there, rt.keys)
        with pytest.raises(Quarantined):
            waiting.check(cast.acme, address, MARKETING)
        seen.append(leave(waiting, cast.acme, 2))
        waiting.close()

    monkeypatch.setattr(restoring, "_prove", before_it_is_proven)
    restoring.restore(there, rt.keys, tmp_path / "backup", None)
    assert len(seen) == 1
