"""What lies outside the database over a rotation: backups, lists of erasures, tables of digests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from optout_service.backups import making, restoring
from optout_service.core.errors import WrongKeys
from optout_service.evidence import checkpoints, erasures
from optout_service.runtime import Runtime
from optout_service.store import migrating, seal, suppressions, tenants
from optout_service.store.quick import Tables
from tests import stage
from tests.rotation.ground import PEOPLE, RING, fill, of, process, rotate, say
from tests.stage import KEYS, Cast
from tests.store.acts import MAIL, MARKETING


@pytest.fixture
def new(rt: Runtime, cast: Cast) -> Iterator[Runtime]:
    """A process with the new pepper, over a full database."""
    fill(rt, cast)
    checkpoints.write(rt)
    with process(rt) as made:
        yield made


def restored(rt: Runtime, url: str, backup: Path, folder: Path) -> Runtime:
    """A process over a backup that was put back, and released."""
    settings = stage.settings_for(url, checkpoint_dir=str(folder / "checkpoints"))
    restoring.restore(settings, RING, backup, None)
    made = Runtime.build(settings, RING)
    with made.writing() as connection:
        seal.release(connection, RING)
    return made


@pytest.mark.parametrize("transactions", [0, 3, None])
def test_a_backup_answers_whenever_it_was_made(
    new: Runtime, cast: Cast, empty_place: str, tmp_path: Path, transactions: int | None
) -> None:
    before = say(new, cast)
    if transactions != 0:
        rotate(new, transactions=transactions)
    making.make(new, tmp_path / "backup")
    rotate(new)
    back = restored(new, empty_place, tmp_path / "backup", tmp_path)
    try:
        assert say(back, cast) == before
        rotate(back)
        assert say(back, cast) == before
    finally:
        back.close()


def test_a_backup_from_after_it_is_refused_without_the_new_pepper(
    new: Runtime, tmp_path: Path
) -> None:
    rotate(new)
    making.make(new, tmp_path / "backup")
    settings = stage.settings_for(f"sqlite:///{tmp_path / 'restored.db'}")
    with pytest.raises(WrongKeys, match=RING.fingerprints.covers[0]):
        restoring.check(settings, KEYS, tmp_path / "backup", None, "")


def test_a_backup_of_the_release_before_is_put_back(
    rt: Runtime, new: Runtime, cast: Cast, empty_place: str, tmp_path: Path
) -> None:
    before = say(new, cast)
    new.close()
    url = rt.settings.effective_database_url.reveal()
    migrating.downgrade(url, "0010_erasure")
    making.make(rt, tmp_path / "backup")
    back = restored(rt, empty_place, tmp_path / "backup", tmp_path)
    try:
        assert say(back, cast) == before
    finally:
        back.close()


@pytest.mark.parametrize("rotated_first", [False, True])
@pytest.mark.parametrize("restored_before", [False, True])
def test_an_erasure_is_done_again_on_either_side_of_a_rotation(
    new: Runtime,
    cast: Cast,
    empty_place: str,
    tmp_path: Path,
    rotated_first: bool,
    restored_before: bool,
) -> None:
    making.make(new, tmp_path / "before")
    if rotated_first:
        rotate(new)
    with new.reading() as connection:
        acme = tenants.get(connection, "acme")
    assert erasures.erase(new, acme, MAIL, reason="Letter 1", actor="x").erased.events
    rotate(new)
    back = restored(new, empty_place, tmp_path / "before", tmp_path)
    try:
        if not restored_before:
            rotate(back)
        (found,) = erasures.replay(back)
        assert (found.again, found.faults) == (1, 0)
        assert not erasures.look(back, acme, MAIL).erased.anything
        with back.reading() as connection:
            standing = suppressions.standing(connection, acme.id, RING.digest(MAIL), RING)
        assert standing
    finally:
        back.close()


def test_a_table_of_digests_rests_while_they_move_and_comes_back(
    new: Runtime, cast: Cast, tmp_path: Path
) -> None:
    dialect, one_state = new.database.dialect, new.database.reading_one_state
    tables = Tables(tmp_path / "tables", RING, dialect, one_state, 1)
    asked = b"".join(RING.digest(address) for address in PEOPLE)

    def quick() -> tuple[bytes, bytes] | None:
        new.belief.look()
        with new.snapshot(cast.acme, MARKETING) as exact:
            found = tables.quick(exact)  # type: ignore[arg-type]
            return None if found is None else (exact.probe(asked), found.probe(asked))

    assert quick() is None
    assert tables.build(cast.acme)
    before = quick()
    assert before is not None
    assert before[0] == before[1]
    rotate(new, transactions=5)
    assert not tables.build(cast.acme)
    assert quick() is None
    rotate(new)
    assert quick() is None
    assert tables.build(cast.acme)
    assert quick() == before
    named = {path.name.partition("-")[0] for path in (tmp_path / "tables").iterdir()}
    assert named == {RING.regimes.all[2].fingerprint}, "none is left under the old pepper"
    assert any(new.check(cast.acme, address, of(address)).suppressed for address in PEOPLE)
