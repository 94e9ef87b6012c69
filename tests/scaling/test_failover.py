"""One server dies and the other takes over: what must not be lost, and what must not be said."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from optout_service.core.address import Address
from optout_service.core.errors import Quarantined, StoreUnavailable
from optout_service.core.scope import Kind, Scope
from optout_service.evidence import checkpoints, quarantine
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import chain, revisions
from optout_service.store.checks import Question
from tests import stage
from tests.scaling import failover
from tests.scaling.pair import Pair
from tests.stage import KEYS, Cast
from tests.store.acts import act

MARKETING = Scope("email", "*", "marketing")


@pytest.fixture
def url(two: Pair) -> str:
    """A new database on both servers."""
    return two.url(two.database())


@pytest.fixture
def doomed_url(doomed: Pair) -> str:
    """The same, where the standby will be promoted."""
    return doomed.url(doomed.database())


@pytest.fixture
def doomed_store(doomed_url: str, tmp_path: Path) -> Iterator[tuple[Runtime, Cast]]:
    """A process over such a database."""
    rt = Runtime.set_up(settings(doomed_url, tmp_path), KEYS)
    yield rt, stage.set_up(rt)
    rt.close()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[tuple[Runtime, Cast]]:
    """A process over a database whose servers go on."""
    rt = Runtime.set_up(settings(url, tmp_path), KEYS)
    yield rt, stage.set_up(rt)
    rt.close()


def settings(url: str, folder: Path, **knobs: object) -> Settings:
    return stage.settings_for(url, checkpoint_dir=str(folder / "checkpoints"), **knobs)


def opt_out(rt: Runtime, cast: Cast, name: str) -> int:
    """Somebody leaves, and the number of the event."""
    with rt.writing(cast.acme) as connection:
        evidence = act(cast.acme, address=address(name), scope=MARKETING)
        return rt.record(connection, evidence).event


def address(name: str) -> Address:
    return Address.parse(Kind.EMAIL, f"{name}@example.com")


def name_in(url: str) -> str:
    return make_url(url).database or ""


def standby_of(two: Pair, url: str) -> str:
    """The URL of the standby alone."""
    return two.standby.url(name_in(url))


def is_suppressed(rt: Runtime, cast: Cast, name: str) -> bool:
    return rt.check(cast.acme, address(name), MARKETING).suppressed


def test_a_synchronous_standby_takes_over_under_load_and_nothing_is_lost_or_said_too_early(
    doomed: Pair, doomed_url: str, tmp_path: Path
) -> None:
    doomed.require_both()
    with failover.nodes(tmp_path, doomed_url) as (first, second, key):
        with failover.load((first.base_url, second.base_url), key) as history:
            history.await_acknowledged(20)
            failover.kill_and_promote(doomed)
            history.await_acknowledged(len(history.acknowledged) + 20)
        with first.looking_in() as rt:
            with rt.reading() as connection:
                acme = chain.positions(connection)[1].tenant
                assert chain.verify(connection, acme, rt.keys).whole
            assert history.said_allowed == []
            assert failover.lost(rt, acme, history) == []
            assert not quarantine.state(rt).quarantined


def test_a_standby_that_lost_events_is_caught_by_the_next_check(
    doomed: Pair, doomed_store: tuple[Runtime, Cast]
) -> None:
    rt, cast = doomed_store
    opt_out(rt, cast, "early")
    doomed.await_caught_up()
    doomed.cut()
    opt_out(rt, cast, "late")
    assert is_suppressed(rt, cast, "late")
    failover.kill_and_promote(doomed)
    for name in ("late", "early"):
        with pytest.raises(Quarantined):
            is_suppressed(rt, cast, name)
    assert opt_out(rt, cast, "late") == 2, "opt-outs are taken all the while"


def test_it_is_caught_by_the_next_opt_out_where_nobody_asked(
    doomed: Pair, doomed_store: tuple[Runtime, Cast]
) -> None:
    rt, cast = doomed_store
    doomed.await_caught_up()
    doomed.cut()
    opt_out(rt, cast, "late")
    failover.kill_and_promote(doomed)
    assert opt_out(rt, cast, "another") == 1, "the number of the one that is lost"
    with pytest.raises(Quarantined):
        is_suppressed(rt, cast, "late")


def test_a_process_that_starts_after_it_catches_it_by_its_checkpoints(
    doomed: Pair, doomed_url: str, tmp_path: Path, doomed_store: tuple[Runtime, Cast]
) -> None:
    rt, cast = doomed_store
    doomed.await_caught_up()
    doomed.cut()
    opt_out(rt, cast, "late")
    checkpoints.write(rt)
    rt.close()
    failover.kill_and_promote(doomed)
    started = Runtime.build(settings(doomed_url, tmp_path), KEYS)
    quarantine.look(started)
    with pytest.raises(Quarantined):
        is_suppressed(started, cast, "late")
    started.close()


def test_a_synchronous_standby_takes_over_without_a_quarantine(
    doomed: Pair, doomed_store: tuple[Runtime, Cast]
) -> None:
    rt, cast = doomed_store
    doomed.require_both()
    opt_out(rt, cast, "late")
    checkpoints.write(rt)
    failover.kill_and_promote(doomed)
    quarantine.look(rt)
    assert is_suppressed(rt, cast, "late")
    assert opt_out(rt, cast, "later") == 2
    assert is_suppressed(rt, cast, "later")


def test_what_the_synchronous_standby_did_not_confirm_is_not_acknowledged(
    two: Pair, url: str, tmp_path: Path
) -> None:
    """PostgreSQL ends such a commit with a warning when the statement's time is over."""
    rt = Runtime.set_up(settings(url, tmp_path, statement_timeout_ms=300), KEYS)
    cast = stage.set_up(rt)
    two.require_both()
    assert opt_out(rt, cast, "early") == 1
    two.standby.kill()
    with pytest.raises(StoreUnavailable):
        opt_out(rt, cast, "late")
    with pytest.raises(StoreUnavailable), rt.writing() as connection:
        rt.record(connection, act(cast.acme, address=address("later"), scope=MARKETING))
    rt.close()


def test_a_node_that_starts_where_only_a_standby_is_there_says_so(
    two: Pair, url: str, tmp_path: Path
) -> None:
    rt = Runtime.set_up(settings(url, tmp_path), KEYS)
    rt.close()
    two.await_caught_up()
    two.primary.kill()
    for act_of_it in (Runtime.build, Runtime.set_up):
        with pytest.raises(StoreUnavailable, match="only a standby answers"):
            act_of_it(settings(url, tmp_path), KEYS)
    with pytest.raises(StoreUnavailable, match="only a standby answers"):
        revisions.status(url)


def test_no_check_is_answered_by_a_standby_whatever_leads_to_it(
    two: Pair, url: str, store: tuple[Runtime, Cast]
) -> None:
    rt, cast = store
    two.await_caught_up()
    question = Question(cast.acme, MARKETING, 0, rt.belief.regime, rt.now())
    digest = rt.keys.digest(address("somebody"))
    # As a pooler would: a connection that was asked for as a primary's, and is none.
    with psycopg.connect(standby_of(two, url), autocommit=True) as connection:
        with pytest.raises(StoreUnavailable, match="standby"):
            rt.checks.check(connection, question, digest)
        with pytest.raises(StoreUnavailable, match="standby"):
            rt.checks.check_many(connection, question, [digest])


def test_the_hosts_of_a_url_may_stand_in_any_order(
    two: Pair, url: str, tmp_path: Path, store: tuple[Runtime, Cast]
) -> None:
    _, cast = store
    turned = Pair(two.standby, two.primary).url(name_in(url))
    two.await_caught_up()
    other = Runtime.build(settings(turned, tmp_path), KEYS)
    assert opt_out(other, cast, "somebody") == 1
    assert is_suppressed(other, cast, "somebody")
    other.close()


def test_a_connection_gives_up_on_a_machine_that_vanished(
    two: Pair, url: str, tmp_path: Path
) -> None:
    rt = Runtime.set_up(settings(url, tmp_path), KEYS)
    for connecting in (rt.reading, rt.writing):
        with connecting() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            assert driver.info.get_parameters()["tcp_user_timeout"] == "3000"
    rt.close()
