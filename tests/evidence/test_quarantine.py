"""A database that is older than what it held: checks are refused, opt-outs are not."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, text, update

from optout_service.core.address import Address
from optout_service.core.errors import Conflict, InvalidRequest, Quarantined, StoreUnavailable
from optout_service.core.release import Release, as_line, from_line, is_good
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.evidence import checkpoints, lines, quarantine, releases
from optout_service.evidence.keeping import Keeper, keep
from optout_service.falls import Falls
from optout_service.runtime import Runtime
from optout_service.store import chain, seal, tables
from optout_service.store.tables import event
from tests.evidence.acts import disarm, fill
from tests.stage import Cast

ADDRESS = Address.parse(Kind.EMAIL, "r0@example.com")
ASKED = Scope("email", "*", "marketing")


def put_back(rt: Runtime, tenant: int, seq: int, *, armed: bool = True) -> None:
    """What an old backup comes to, as far as a ledger goes."""
    if armed:
        disarm(rt)
    with rt.writing() as connection:
        head = chain.hash_at(connection, tenant, seq)
        connection.execute(delete(event).where(event.c.tenant == tenant, event.c.number > seq))
        connection.execute(
            update(tables.tenant).where(tables.tenant.c.id == tenant).values(seq=seq, head=head)
        )


def another_process(rt: Runtime) -> Runtime:
    return replace(rt, falls=Falls(rt.keys, rt.database))


def check(rt: Runtime, tenant: int) -> bool:
    return rt.check(tenant, ADDRESS, ASKED).suppressed


def test_a_ledger_behind_its_checkpoint_puts_all_checks_into_quarantine(
    rt: Runtime, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    fill(rt, cast.acme, 6)
    checkpoints.write(rt)
    put_back(rt, cast.acme, 4)
    started = another_process(rt)
    with caplog.at_level(logging.ERROR):
        quarantine.look(started)
    for process in (started, rt):
        for tenant in (cast.acme, cast.bolt):
            with pytest.raises(Quarantined, match="optout evidence quarantine"):
                check(process, tenant)
            with pytest.raises(Quarantined):
                process.check_many(tenant, [rt.keys.digest(ADDRESS)], ASKED)
            with pytest.raises(Quarantined), process.snapshot(tenant, ASKED):
                pass
    assert "the database is in quarantine" in caplog.text
    found = quarantine.state(rt)
    assert found.quarantined
    assert [(one.tenant, one.seq, one.checkpoint.seq) for one in found.behind] == [("acme", 4, 6)]


def test_it_is_seen_before_a_new_process_answers_anything(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 6)
    checkpoints.write(rt)
    put_back(rt, cast.acme, 4)
    started = another_process(rt)
    settings = replace(rt.settings, checkpoint_seconds=0)
    keep(replace(started, settings=settings)).stop()
    with pytest.raises(Quarantined):
        check(started, cast.acme)


def test_the_keeper_sees_it_in_its_round(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 6)
    keeper = Keeper(rt)
    keeper.round()
    put_back(rt, cast.acme, 4)
    keeper.round()
    assert keeper.failures == 1
    with pytest.raises(Quarantined):
        check(another_process(rt), cast.acme)


def test_a_ledger_that_falls_under_the_eyes_of_a_process_is_seen_at_the_next_check(
    rt: Runtime, cast: Cast
) -> None:
    fill(rt, cast.acme, 6)
    assert check(rt, cast.acme)
    put_back(rt, cast.acme, 5)
    with pytest.raises(Quarantined, match="gone back"):
        check(rt, cast.acme)
    with pytest.raises(Quarantined, match="behind"):
        check(another_process(rt), cast.acme)


def test_a_fall_that_cannot_be_noted_is_answered_by_nothing_all_the_same(
    rt: Runtime, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(rt, cast.acme, 6)
    check(rt, cast.acme)
    put_back(rt, cast.acme, 5)

    @contextmanager
    def refuse(*_: object) -> Iterator[None]:
        raise StoreUnavailable("The store takes no writes.")
        yield

    monkeypatch.setattr(type(rt.database), "writing", refuse)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="takes no writes"):
            check(rt, cast.acme)


def test_opt_outs_are_taken_and_the_service_is_ready_meanwhile(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    rt.quarantine("a test")
    link = rt.links.mint(Claim(cast.acme, "email", ADDRESS, "*"))
    one_click = {"List-Unsubscribe": "One-Click"}
    assert client.post(f"/u/{link}", data=one_click).status_code == 200
    assert client.get("/readyz").status_code == 200
    for path, body in (
        ("/v1/check", {"channel": "email", "address": "a@example.com"}),
        ("/v1/check/batch", {"channel": "email", "addresses": ["a@example.com"]}),
    ):
        key = {"Authorization": f"Bearer {cast.keys['sender']}"}
        refused = client.post(path, json=body, headers=key)
        assert (refused.status_code, refused.get_json()["kind"]) == (503, "quarantined")
    with rt.writing() as connection:
        seal.release(connection, rt.keys)
    assert check(rt, cast.acme)


def test_an_operator_ends_it_with_a_reason_that_is_signed_and_kept(
    rt: Runtime, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    fill(rt, cast.acme, 6)
    checkpoints.write(rt)
    put_back(rt, cast.acme, 4)
    quarantine.look(rt)
    with caplog.at_level(logging.WARNING):
        (made,) = quarantine.release(rt, " The disk of the 24th. ")
    assert (made.tenant, made.seq, made.instead_of_seq) == ("acme", 4, 6)
    assert made.reason == "The disk of the 24th."
    trusted = rt.signatures.public_keys(cast.acme)
    assert list(releases.all_of(checkpoints.path(rt, cast.acme), trusted)) == [made]
    assert "the database was released" in caplog.text
    assert not quarantine.state(rt).quarantined
    assert check(rt, cast.acme)
    quarantine.look(rt)
    assert check(another_process(rt), cast.acme), "what was released stays released"


def test_after_a_release_the_ledger_is_proven_by_what_came_after_it(
    rt: Runtime, cast: Cast
) -> None:
    fill(rt, cast.acme, 6)
    checkpoints.write(rt)
    put_back(rt, cast.acme, 4)
    quarantine.look(rt)
    quarantine.release(rt, "a test")
    fill(rt, cast.acme, 3)  # one was heard before; the same numbers again, with other hashes
    (made,) = checkpoints.write(rt).written
    assert made.seq == 6
    read = checkpoints.read(rt, cast.acme)
    assert (read.faults, sorted(read.marks), read.releases) == ((), [4, 6], 1)
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys, read.marks).whole
    put_back(rt, cast.acme, 5, armed=False)
    quarantine.look(rt)
    assert quarantine.state(rt).quarantined, "a release is good for once"


def test_a_fall_that_no_checkpoint_shows_is_released_in_the_platforms_name(
    rt: Runtime, cast: Cast
) -> None:
    rt.quarantine("a ledger fell between two checkpoints")
    (made,) = quarantine.release(rt, "looked into")
    assert made.seq == made.instead_of_seq
    assert check(rt, cast.acme) is False


def test_nothing_is_released_without_a_reason_or_without_a_quarantine(
    rt: Runtime, cast: Cast
) -> None:
    with pytest.raises(Conflict):
        quarantine.release(rt, "why not")
    rt.quarantine("a test")
    for reason in ("", "  ", "x" * 1001):
        with pytest.raises(InvalidRequest):
            quarantine.release(rt, reason)
    assert quarantine.state(rt).quarantined


def test_a_release_that_we_did_not_sign_releases_nothing(rt: Runtime, cast: Cast) -> None:
    fill(rt, cast.acme, 6)
    checkpoints.write(rt)
    put_back(rt, cast.acme, 4)
    quarantine.look(rt)
    (made,) = quarantine.release(rt, "a test")
    forged = from_line(as_line(made).replace("a test", "a lie!"))
    file = releases.path_beside(checkpoints.path(rt, cast.acme))
    file.unlink()
    lines.append(file, as_line(forged))
    lines.append(file, "no release at all")
    trusted = rt.signatures.public_keys(cast.acme)
    assert list(releases.all_of(checkpoints.path(rt, cast.acme), trusted)) == []
    assert is_good(made, trusted)
    assert not is_good(forged, trusted)


GOLDEN = (
    '{"origin": "https://optout.example.com", "tenant": "acme", "seq": 4, "head": "ab", '
    '"instead_of_seq": 6, "instead_of_head": "cd", "reason": "r", '
    '"at": "2026-01-31T12:00:00.123456Z", "key": "k", "signature": "s"}'
)


def test_a_releases_line_never_changes() -> None:
    assert as_line(from_line(GOLDEN)) == GOLDEN
    assert isinstance(from_line(GOLDEN), Release)


def test_the_seal_remembers_the_pepper_through_it(rt: Runtime, cast: Cast) -> None:
    with rt.writing() as connection:
        assert seal.quarantine(connection, rt.keys)
        assert not seal.quarantine(connection, rt.keys)
        seal.verify(connection, rt.keys)
        assert seal.release(connection, rt.keys)
        assert not seal.release(connection, rt.keys)
        found = connection.execute(text("SELECT pepper FROM seal")).scalar_one()
    assert found == rt.keys.fingerprints.pepper
