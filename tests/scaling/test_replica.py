"""Long reads from a standby: never older than the primary was when the request came in."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from optout_service.app import create_app
from optout_service.core.errors import Misconfigured, NotFound, StoreUnavailable, UnknownTopic
from optout_service.core.scope import Scope
from optout_service.doctor import replica as doctor
from optout_service.doctor.finding import Level
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import keys as api_keys
from optout_service.store import replica as replicas
from optout_service.store import seal, tenants
from optout_service.store.keys import Role
from tests import stage
from tests.api.asking import Asker
from tests.scaling.pair import Pair
from tests.scaling.test_failover import MARKETING, address, opt_out, settings
from tests.stage import KEYS, Cast

MANY = [f"r{number}" for number in range(1200)]
LATE = "late"


def reading_from_standby(two: Pair, name: str, folder: Path) -> Settings:
    """How the service over a database on both is set."""
    return settings(two.url(name), folder, replica_url=Secret(two.standby.url(name)))


@pytest.fixture
def rt(two: Pair, tmp_path: Path) -> Iterator[Runtime]:
    """The service over both, the standby for its long reads."""
    made = Runtime.set_up(reading_from_standby(two, two.database(), tmp_path), KEYS)
    yield made
    made.close()


@pytest.fixture
def cast(two: Pair, rt: Runtime) -> Cast:
    made = stage.set_up(rt)
    opt_out(rt, made, "early")
    two.await_caught_up()
    return made


@pytest.fixture
def served(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each long read, whether the standby gave it."""
    found: list[bool] = []
    original = replicas.Replica._standing

    def noted(self: replicas.Replica, *given: object) -> object:
        connection = original(self, *given)  # type: ignore[arg-type]
        found.append(connection is not None)
        return connection

    monkeypatch.setattr(replicas.Replica, "_standing", noted)
    return found


def batch(rt: Runtime, cast: Cast, name: str, api_key: int = 0) -> bool:
    digests = [rt.keys.digest(address(one)) for one in (name, *MANY)]
    found, _ = rt.check_many(cast.acme, digests, MARKETING, api_key=api_key)
    return digests[0] in found


def scrub(rt: Runtime, cast: Cast, name: str, api_key: int = 0) -> bool:
    with rt.snapshot(cast.acme, MARKETING, api_key=api_key) as snapshot:
        return snapshot.probe(rt.keys.digest(address(name))) == b"\x01"


def export(rt: Runtime, cast: Cast, name: str, _: int = 0) -> bool:
    ask = Asker(create_app(rt).test_client(), cast.keys)
    told = ask.get("/v1/suppressions/export?format=csv", by="admin")
    assert told.status_code == 200
    return address(name).spoken in told.text


def feed(rt: Runtime, cast: Cast, name: str, _: int = 0) -> bool:
    ask = Asker(create_app(rt).test_client(), cast.keys)
    told = ask.get("/v1/events?after=0", by="admin").get_json()
    return address(name).spoken in [event["address"] for event in told["events"]]


def changes(rt: Runtime, cast: Cast, name: str, _: int = 0) -> bool:
    ask = Asker(create_app(rt).test_client(), cast.keys)
    told = ask.get("/v1/suppressions/changes", by="integration").get_json()
    return rt.keys.replica_id(rt.keys.digest(address(name))).hex() in [
        one["recipient"] for one in told["items"]
    ]


READS = [batch, scrub, export, feed, changes]
Read = Callable[..., bool]


@pytest.mark.parametrize("read", READS)
def test_a_long_read_is_the_standbys_where_that_is_up_to_date(
    rt: Runtime, cast: Cast, served: list[bool], read: Read
) -> None:
    assert read(rt, cast, "early")
    assert served == [True]


@pytest.mark.parametrize("read", READS)
def test_one_that_is_behind_is_not_read(
    two: Pair, rt: Runtime, cast: Cast, served: list[bool], read: Read
) -> None:
    two.standby.ask("SELECT pg_wal_replay_pause()::text")
    opt_out(rt, cast, LATE)
    assert read(rt, cast, LATE)
    assert served == [False]


def test_one_that_is_a_little_behind_is_waited_for(
    two: Pair, rt: Runtime, cast: Cast, served: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "_PATIENCE", 30.0)
    two.standby.ask("SELECT pg_wal_replay_pause()::text")
    opt_out(rt, cast, LATE)
    answers: list[bool] = []
    looked = threading.Event()
    original = replicas.Replica.stands

    def noted(self: replicas.Replica, *given: object) -> bool:
        found = original(self, *given)  # type: ignore[arg-type]
        looked.set()
        return found

    monkeypatch.setattr(replicas.Replica, "stands", noted)
    asking = threading.Thread(target=lambda: answers.append(batch(rt, cast, LATE)))
    asking.start()
    assert looked.wait(timeout=20)
    two.standby.ask("SELECT pg_wal_replay_resume()::text")
    asking.join()
    assert (answers, served) == ([True], [True])


@pytest.mark.parametrize("read", READS)
def test_one_that_is_gone_is_no_error(
    two: Pair, rt: Runtime, cast: Cast, served: list[bool], read: Read
) -> None:
    assert read(rt, cast, "early")
    two.standby.kill()
    opt_out(rt, cast, LATE)
    assert read(rt, cast, LATE)
    assert served == [True, False]


def test_one_that_is_gone_is_not_asked_again_at_once(
    two: Pair, rt: Runtime, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.standby.kill()
    assert batch(rt, cast, "early")
    assert rt.places.replica is not None
    monkeypatch.setattr(rt.places.replica, "one_state", lambda: pytest.fail("it was asked"))
    assert batch(rt, cast, "early")


def test_one_that_went_another_way_is_never_read_however_far_it_has_come(
    doomed: Pair, served: list[bool], tmp_path: Path
) -> None:
    name = doomed.database()
    rt = Runtime.set_up(reading_from_standby(doomed, name, tmp_path), KEYS)
    cast = stage.set_up(rt)
    opt_out(rt, cast, "early")
    doomed.await_caught_up()
    doomed.cut()
    doomed.standby.promote()
    opt_out(rt, cast, LATE)
    apart = Runtime.build(settings(doomed.standby.url(name), tmp_path), KEYS)
    for other in ("a", "b", "c"):
        opt_out(apart, cast, other)
    apart.close()
    for read in (batch, scrub):
        assert read(rt, cast, LATE)
        assert not read(rt, cast, "a")
    assert not any(served)
    rt.close()


def test_another_database_is_never_read(two: Pair, rt: Runtime, cast: Cast, tmp_path: Path) -> None:
    url = two.primary.url(two.database())
    other = Runtime.set_up(settings(url, tmp_path / "other"), KEYS)
    beside = stage.set_up(other)
    for name in ("x", "y"):
        opt_out(other, beside, name)
    other.close()
    database = rt.settings.database_url.reveal()
    astray = Runtime.build(settings(database, tmp_path, replica_url=Secret(url)), KEYS)
    assert batch(astray, cast, "early")
    assert not batch(astray, cast, "x")
    astray.close()


@pytest.mark.parametrize("read", [batch, scrub])
def test_what_no_ledger_tells_is_the_primarys_to_say(
    two: Pair, rt: Runtime, cast: Cast, read: Read
) -> None:
    two.standby.ask("SELECT pg_wal_replay_pause()::text")
    with rt.writing() as connection:
        key, _ = api_keys.create(
            connection, cast.acme, Role.SENDER, name="new", at=rt.now(), keys=rt.keys
        )
        tenants.create_topic(connection, cast.acme, "brand-new")
    assert read(rt, cast, "early", key.id), "a key that the standby does not know yet"
    with rt.snapshot(cast.acme, Scope("email", "brand-new", "marketing")) as snapshot:
        assert snapshot.probe(rt.keys.digest(address("early"))) == b"\x01"
    with pytest.raises(UnknownTopic), rt.snapshot(cast.acme, Scope("email", "none", "marketing")):
        pass
    with pytest.raises(NotFound):
        rt.check_many(999, [bytes(16)] * 1000, MARKETING)


def test_a_quarantine_holds_although_the_standby_has_not_heard_of_it(
    two: Pair, rt: Runtime, cast: Cast
) -> None:
    two.standby.ask("SELECT pg_wal_replay_pause()::text")
    rt.quarantine("for this test")
    for read in (batch, scrub):
        with pytest.raises(replicas.OptOutError, match="quarantine"):
            read(rt, cast, "early")


def test_the_end_of_a_quarantine_holds_although_the_standby_has_not_heard_of_it(
    two: Pair, rt: Runtime, cast: Cast
) -> None:
    rt.quarantine("for this test")
    two.await_caught_up()
    two.standby.ask("SELECT pg_wal_replay_pause()::text")
    with rt.writing() as connection:
        seal.release(connection, rt.keys)
    for read in (batch, scrub):
        assert read(rt, cast, "early")


def test_a_single_check_asks_the_primary_alone(
    two: Pair, rt: Runtime, cast: Cast, served: list[bool]
) -> None:
    two.primary.kill()
    with pytest.raises(StoreUnavailable):
        rt.check(cast.acme, address("early"), MARKETING)
    assert served == []


@pytest.mark.parametrize("read", [batch, scrub])
def test_without_a_primary_nothing_is_answered(
    two: Pair, rt: Runtime, cast: Cast, read: Read
) -> None:
    two.primary.kill()
    with pytest.raises(StoreUnavailable):
        read(rt, cast, "early")


def test_the_doctor_says_how_it_stands(two: Pair, rt: Runtime, cast: Cast, tmp_path: Path) -> None:
    def found(of: Runtime) -> list[tuple[Level, str]]:
        return [(one.level, one.detail.split(",")[0]) for one in doctor.examine(of)]

    assert found(rt) == [(Level.OK, "It follows this database")]
    two.standby.ask("SELECT pg_wal_replay_pause()::text")
    opt_out(rt, cast, LATE)
    assert found(rt) == [(Level.ADVICE, "It is 1 event(s) behind. If it stays so")]
    two.standby.kill()
    assert found(rt) == [(Level.ADVICE, "It does not answer")]
    name = two.database()
    other = Runtime.set_up(settings(two.primary.url(name), tmp_path), KEYS)
    opt_out(other, stage.set_up(other), "somebody")
    other.close()
    given = Secret(two.primary.url(name))
    astray = Runtime.build(
        settings(rt.settings.database_url.reveal(), tmp_path, replica_url=given), KEYS
    )
    assert found(astray) == [(Level.MEND, "It is none of this database")]
    astray.close()


def test_without_a_replica_the_doctor_has_nothing_to_say_of_it(two: Pair, tmp_path: Path) -> None:
    rt = Runtime.set_up(settings(two.url(two.database()), tmp_path), KEYS)
    assert list(doctor.examine(rt)) == []
    rt.close()


def test_sqlite_has_none(tmp_path: Path) -> None:
    given = settings(
        f"sqlite:///{tmp_path}/optout.db", tmp_path, replica_url=Secret("postgresql://x/y")
    )
    with pytest.raises(Misconfigured, match="OPTOUT_REPLICA_URL"):
        Runtime.set_up(given, KEYS)
