"""The replica answers as the service would, or says that it cannot."""

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optout_service.client import Client, Refused, Replica, Stale, Unavailable, Unknowable
from optout_service.client import replica_file as file_module
from optout_service.core.address import Address
from optout_service.core.errors import LiftCap, NotLiftable
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.scope import ANY, CHANNELS_OF, Kind, Purpose, Scope
from optout_service.runtime import Runtime
from optout_service.store import tenants
from tests.cast import ANA, BO
from tests.client.scripted import refusal, scripted
from tests.client.serving import listening
from tests.stage import TOPICS, Cast

HASHED = Address.parse(Kind.EMAIL, f"sha256:{'5a' * 32}")
PEOPLE = (Address.parse(Kind.EMAIL, ANA.email), Address.parse(Kind.PHONE, BO.phone), HASHED)
PAGE = Authority.RECIPIENT_PAGE


@dataclass(frozen=True)
class Stage:
    """A service with a database of its own, and a replica that has followed it from the start."""

    rt: Runtime
    cast: Cast
    base_url: str
    client: Client
    folder: Path
    replica: Replica

    def anew(self) -> Replica:
        """A replica that begins now."""
        return Replica(self.client, self.folder / f"{secrets.token_hex(4)}.db")


@pytest.fixture
def stage(app: Flask, rt: Runtime, cast: Cast, tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as open_:
        base_url = open_.enter_context(listening(app))
        client = open_.enter_context(Client(base_url, cast.keys["integration"], retries=0))
        replica = open_.enter_context(Replica(client, tmp_path / "replica.db", page=2))
        yield Stage(rt, cast, base_url, client, tmp_path, replica)


Act = Callable[[Stage], None]


def recorded(**parts: Any) -> Act:
    """An act that may be refused, as others are."""

    def act(stage: Stage) -> None:
        tenant = 0 if parts["authority"] is Authority.PLATFORM else stage.cast.acme
        try:
            with stage.rt.writing() as connection:
                stage.rt.record(
                    connection,
                    Evidence(tenant=tenant, source=Source.API, actor="key:1", **parts),
                )
        except (NotLiftable, LiftCap):
            pass

    return act


def new_topic(stage: Stage) -> None:
    with stage.rt.writing() as connection:
        if len(tenants.topics(connection, stage.cast.acme)) < 8:
            tenants.create_topic(connection, stage.cast.acme, f"t-{secrets.token_hex(3)}")


def book(kept: bool) -> Act:
    def act(stage: Stage) -> None:
        with stage.rt.writing() as connection:
            tenants.change(connection, "acme", address_book=kept)

    return act


@st.composite
def some_act(draw: st.DrawFn) -> Act:
    address = draw(st.sampled_from(PEOPLE))
    channel = draw(st.sampled_from([ANY, *CHANNELS_OF[address.kind]]))
    scope = Scope(
        channel,
        draw(st.sampled_from([ANY, ANY, *TOPICS])),
        draw(st.sampled_from([ANY, *Purpose])),
    )
    return recorded(
        action=draw(st.sampled_from(list(Action))),
        address=address,
        scope=scope,
        authority=draw(
            st.sampled_from([PAGE, PAGE, PAGE, Authority.INTEGRATION, Authority.PLATFORM])
        ),
        reason=draw(st.sampled_from([Reason.OPTED_OUT, Reason.OPTED_OUT, *Reason])),
    )


def answers(stage: Stage, address: Address) -> Iterator[tuple[Scope, Any]]:
    """Every question there is about an address, and what the service says to it."""
    with stage.rt.reading() as connection:
        topics = [ANY, *(topic.slug for topic in tenants.topics(connection, stage.cast.acme))]
    for channel in CHANNELS_OF[address.kind]:
        for topic in topics:
            for purpose in Purpose:
                asked = Scope(channel, topic, purpose)
                yield asked, stage.rt.check(stage.cast.acme, address, asked)


def said(stage: Stage, verdict: Any) -> set[Any]:
    return {
        (row.tenant == 0, row.scope, row.reason.value, row.source.value, row.since, row.event)
        for row in verdict.matches
    }


def replied(verdict: Any) -> set[Any]:
    return {
        (
            row.scope.tenant == "platform",
            Scope(row.scope.channel, row.scope.topic, row.scope.purpose),
            row.reason,
            row.source,
            row.since,
            row.event,
        )
        for row in verdict.matches
    }


def compare(stage: Stage, replica: Replica) -> int:
    """How many questions it could not answer; all its answers are the service's."""
    unanswered = 0
    for address in PEOPLE:
        for asked, verdict in answers(stage, address):
            topic = None if asked.topic == ANY else asked.topic
            try:
                found = replica.check(address.spoken, asked.channel, topic, asked.purpose)
            except Unknowable:
                unanswered += 1
                continue
            assert replied(found) == said(stage, verdict)
            assert (found.suppressed, found.as_of) == (verdict.suppressed, verdict.as_of)
    return unanswered


MANY = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@MANY
@given(st.lists(st.one_of(some_act(), some_act(), st.just(new_topic)), min_size=1, max_size=6))
def test_after_any_acts_it_answers_as_the_service(stage: Stage, acts: list[Act]) -> None:
    for act in acts:
        act(stage)
    stage.replica.sync()
    assert compare(stage, stage.replica) == 0
    with stage.anew() as another:
        another.sync()
        assert compare(stage, another) == 0


@MANY
@given(st.lists(st.one_of(some_act(), st.builds(book, st.booleans())), min_size=1, max_size=6))
def test_where_addresses_are_not_kept_it_answers_as_the_service_or_not_at_all(
    stage: Stage, acts: list[Act]
) -> None:
    for act in acts:
        act(stage)
    with stage.anew() as another:
        for replica in (stage.replica, another):
            replica.sync()
            compare(stage, replica)


LEFT = recorded(
    action=Action.OPT_OUT,
    address=PEOPLE[0],
    scope=Scope("email", "offers", "marketing"),
    authority=PAGE,
)


def test_somebody_unknown_left_a_topic_and_the_others_are_answered(stage: Stage) -> None:
    book(False)(stage)
    LEFT(stage)
    stage.replica.sync()
    with pytest.raises(Unknowable):
        stage.replica.check(ANA.email, topic="offers")
    assert stage.replica.check(ANA.email, topic="newsletter").allowed
    assert stage.replica.check(BO.phone, "sms", topic="offers").allowed


def test_who_was_unknown_is_known_from_the_next_act_on(stage: Stage) -> None:
    book(False)(stage)
    LEFT(stage)
    stage.replica.sync()
    book(True)(stage)
    LEFT(stage)
    stage.replica.sync()
    assert stage.replica.check(ANA.email, topic="offers").suppressed
    assert stage.replica.check("jo@example.com", topic="offers").allowed


def test_who_was_known_stays_known_when_the_address_was_erased(stage: Stage) -> None:
    LEFT(stage)
    stage.replica.sync()
    book(False)(stage)
    with stage.rt.writing() as connection:
        connection.exec_driver_sql("DELETE FROM address_book")
    LEFT(stage)
    stage.replica.sync()
    assert stage.replica.check(ANA.email, topic="offers").suppressed
    with stage.anew() as another:
        another.sync()
        with pytest.raises(Unknowable):
            another.check(ANA.email, topic="offers")


def test_it_answers_nothing_before_it_is_complete(stage: Stage) -> None:
    with pytest.raises(Stale, match="not complete"):
        stage.replica.check(ANA.email)


def test_it_answers_nothing_when_it_is_older_than_is_allowed(stage: Stage) -> None:
    stage.replica.sync()
    assert stage.replica.check(ANA.email).allowed
    with pytest.raises(Stale, match="old"):
        stage.replica.check(ANA.email, max_staleness=0)


def test_a_key_that_was_taken_away_lets_it_grow_old(stage: Stage, cast: Cast) -> None:
    stage.replica.sync()
    with Client(stage.base_url, "oo_none", retries=0) as nobody:
        path = stage.folder / "replica.db"
        with Replica(nobody, path, max_staleness=0) as other, pytest.raises(Refused):
            other.follow(threading.Event())


def test_who_is_told_to_come_later_goes_on_and_who_is_turned_away_does_not(stage: Stage) -> None:
    with scripted(refusal(429, "too-many"), refusal(401, "unauthenticated")) as service:
        client = Client(service.base_url, "oo_x", retries=0)
        with Replica(client, stage.folder / "other.db") as other, pytest.raises(Refused) as refused:
            other.follow(threading.Event(), interval=0)
    assert (refused.value.status, len(service.heard)) == (401, 2)


def test_while_the_service_is_away_it_goes_on_as_long_as_it_may(stage: Stage) -> None:
    LEFT(stage)
    stage.replica.sync()
    stop = threading.Event()
    away = Client("http://127.0.0.1:9", "oo_x", retries=0)
    with Replica(away, stage.folder / "replica.db") as other:
        follower = threading.Thread(target=other.follow, args=(stop,))
        follower.start()
        assert other.check(ANA.email, topic="offers").suppressed
        stop.set()
        follower.join()
        with pytest.raises(Unavailable):
            other.sync()


def test_what_it_holds_is_good_after_a_restart_of_the_process(stage: Stage) -> None:
    LEFT(stage)
    stage.replica.sync()
    with Replica(stage.client, stage.folder / "replica.db") as again:
        assert again.check(ANA.email, topic="offers").suppressed


def test_after_a_restart_of_the_machine_it_has_to_sync_first(stage: Stage) -> None:
    stage.replica.sync()
    with sqlite3.connect(stage.folder / "replica.db") as held:
        held.execute("UPDATE place SET boot = 'another'")
    held.close()
    with pytest.raises(Stale):
        stage.replica.check(ANA.email)


def test_a_ledger_that_is_another_now_is_read_anew(stage: Stage) -> None:
    LEFT(stage)
    stage.replica.sync()
    with sqlite3.connect(stage.folder / "replica.db") as held:
        # ["9", "ab", "0", ""]: a place that this ledger does not have.
        held.execute("UPDATE place SET cursor = 'WyI5IiwiYWIiLCIwIiwiIl0'")
        held.execute("DELETE FROM suppression")
    held.close()
    stage.replica.sync()
    assert stage.replica.check(ANA.email, topic="offers").suppressed


def test_a_page_is_written_whole_or_not_at_all(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.replica.sync()
    LEFT(stage)

    def broken(write: Any, one: Any) -> None:
        write("DELETE FROM recipient")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(file_module, "_replace", broken)
        with pytest.raises(KeyboardInterrupt):
            stage.replica.sync()
    assert stage.replica.sync() == 1
    assert stage.replica.check(ANA.email, topic="offers").suppressed


def test_of_two_who_follow_into_one_file_the_slower_writes_nothing(stage: Stage) -> None:
    page = stage.client.changes(None)
    with stage.anew() as replica:
        file = replica._file
        assert file.put(page, after=None, fresh=1, boot="b")
        assert not file.put(page, after=None, fresh=2, boot="b")


def test_the_file_is_its_owners_and_names_nobody(stage: Stage) -> None:
    LEFT(stage)
    stage.replica.sync()
    files = sorted(stage.folder.glob("replica.db*"))
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert len(files) > 1  # SQLite's own side files
    assert all(ANA.email.encode() not in path.read_bytes() for path in files)


def test_a_file_that_others_could_read_is_closed_to_them(stage: Stage) -> None:
    path = stage.folder / "open.db"
    path.touch(0o644)
    with Replica(stage.client, path):
        assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_a_file_of_another_form_is_read_anew(stage: Stage) -> None:
    path = stage.folder / "old.db"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE place (x)")
        old.execute("PRAGMA user_version = 99")
    old.close()
    with Replica(stage.client, path) as replica:
        assert replica.sync() == 0


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (("nobody",), "invalid-address"),
        ((ANA.email, "fax"), "unknown-channel"),
        ((ANA.email, "*"), "unknown-channel"),
        ((ANA.email, "email", "no-such"), "unknown-topic"),
        ((ANA.email, "email", None, "*"), "invalid-request"),
    ],
    ids=str,
)
def test_it_refuses_what_the_service_refuses(
    stage: Stage, asked: tuple[Any, ...], kind: str
) -> None:
    stage.replica.sync()
    for one in (stage.replica, stage.client):
        with pytest.raises(Refused) as refused:
            one.check(*asked)
        assert (refused.value.status, refused.value.kind) == (422, kind)


def test_the_strongest_reason_comes_first(stage: Stage) -> None:
    LEFT(stage)
    complaint = {"reason": Reason.COMPLAINT, "scope": Scope("email", ANY, "marketing")}
    recorded(action=Action.OPT_OUT, address=PEOPLE[0], authority=PAGE, **complaint)(stage)
    stage.replica.sync()
    found, there = (c.check(ANA.email, topic="offers") for c in (stage.replica, stage.client))
    assert found == there
    assert [row.reason for row in found.matches] == ["complaint", "opted_out"]
