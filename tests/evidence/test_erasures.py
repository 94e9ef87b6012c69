"""One recipient's data goes, everywhere; what keeps people from writing to them stays."""

import logging
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Table, select, update

from optout_service.core.address import Address
from optout_service.core.errors import Conflict, InvalidRequest
from optout_service.core.review import ReviewDecision
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.evidence import erasures
from optout_service.evidence.erasures import Replayed, Report
from optout_service.runtime import Runtime
from optout_service.store import chain, feed, holds, tenants
from optout_service.store.erasures import Erased, Kept
from optout_service.store.tables import address_book, event, idempotency, review
from tests.cast import ANA, BO
from tests.evidence import traces
from tests.evidence.acts import disarm
from tests.stage import Cast
from tests.store.acts import MAIL, PHONE, act, doubt, message
from tests.store.test_concurrency import at_once
from tests.store.test_decisions import decide, held, unheld

BOS = Address.parse(Kind.PHONE, BO.phone)
SMS = Scope("sms", "*", "marketing")
AGENT = "Mail/1.0 (nobody else's)"
WORDS = {"reference": "Letter-4711", "statement": "She wrote: no more of it."}


def marks(phone: str) -> list[str]:
    """What would tell of a person."""
    return [phone, sha256(phone.encode()).hexdigest()]


SAID = [*marks(ANA.phone), AGENT, "127.0.0.1", *WORDS.values(), "no more pizza", "fewer peppers"]


@pytest.fixture
def everything(rt: Runtime, cast: Cast, client: FlaskClient) -> None:
    """Ana comes through every door, and Bo stands beside her."""
    for phone, key in ((ANA.phone, traces.IDEMPOTENCY_KEY), (BO.phone, None)):
        address = Address.parse(Kind.PHONE, phone)
        token = rt.links.mint(Claim(cast.acme, "sms", address, "newsletter", "m-1"))
        client.post(f"/u/{token}", headers={"User-Agent": AGENT})
        client.post(
            "/v1/opt-outs",
            json={"channel": "sms", "address": phone, **WORDS},
            headers={"Authorization": f"Bearer {cast.keys['agent']}"}
            | ({"Idempotency-Key": key} if key else {}),
        )
    held(rt, cast.acme, provider_message=message(1))
    decide(rt, cast.acme, 1, ReviewDecision.OPT_OUT)
    unheld(rt, doubt(cast.acme, address=None, private={"text": f"It is me, {ANA.phone}!"}))
    decide(rt, cast.acme, 2, ReviewDecision.NOT_OPT_OUT)


def erase(rt: Runtime, tenant: int, address: Address = PHONE, **changes: Any) -> Report:
    with rt.reading() as connection:
        found = tenants.get_by_id(connection, tenant)
    given = {"reason": "Letter 12", "actor": "operator:cli"} | changes
    return erasures.erase(rt, found, address, **given)


def record(rt: Runtime, tenant: int, address: Address = PHONE, **changes: Any) -> int:
    with rt.writing() as connection:
        return rt.record(connection, act(tenant, address=address, scope=SMS, **changes)).event


def is_whole(rt: Runtime, tenant: int) -> bool:
    with rt.reading() as connection:
        return chain.verify(connection, tenant, rt.keys).whole


def test_every_column_that_could_hide_a_person_is_known() -> None:
    assert traces.bytes_columns() == {*traces.SEALED, *traces.OF_NOBODY, *traces.KEYED}


@pytest.mark.usefixtures("everything")
def test_after_an_erasure_no_table_tells_of_the_recipient(rt: Runtime, cast: Cast) -> None:
    before = traces.of(rt, *SAID)
    erase(rt, cast.acme)
    assert before == {
        "address_book.sealed",
        "event.private",
        "review.private",
        "review.grounds",
        "idempotency.answer",
    }
    # Of Bo, who did the same, all is there; so nothing of Ana's may be sought by what both said.
    assert traces.of(rt, *marks(ANA.phone), "no more pizza", "fewer peppers") == set()
    assert traces.of(rt, *marks(BO.phone)) == {"address_book.sealed"}
    assert traces.of(rt, AGENT) == {"event.private"}
    with rt.reading() as connection:
        digest = rt.keys.digest(PHONE)
        parts = select(event.c.private, event.c.salt).where(event.c.digest == digest)
        assert set(connection.execute(parts)) == {(None, None)}
        fingerprints = connection.scalars(select(idempotency.c.fingerprint)).all()
    assert fingerprints == [bytes(32)]


@pytest.mark.usefixtures("everything")
def test_the_suppression_and_the_chain_outlive_it(rt: Runtime, cast: Cast) -> None:
    report = erase(rt, cast.acme)
    assert rt.check(cast.acme, PHONE, SMS).suppressed
    assert is_whole(rt, cast.acme)
    assert report.erased == Erased(addresses=1, events=4, reviews=2, answers=1)
    assert report.kept.suppressions > 0
    assert {part.what: part.count for part in report.kept_parts}["events"] == 4
    assert all(part.why for part in report.kept_parts)


@pytest.mark.usefixtures("everything")
def test_a_dry_run_says_the_same_and_erases_nothing(rt: Runtime, cast: Cast) -> None:
    before = traces.of(rt, *SAID)
    with rt.reading() as connection:
        acme = tenants.get_by_id(connection, cast.acme)
    looked = erasures.look(rt, acme, PHONE)
    assert traces.of(rt, *SAID) == before
    assert not erasures.path(rt, cast.acme).exists()
    assert looked == erase(rt, cast.acme)
    assert erasures.look(rt, acme, PHONE).erased == Erased(0, 0, 0, 0)


def test_another_tenants_evidence_of_the_same_person_stays(rt: Runtime, cast: Cast) -> None:
    for tenant in (cast.acme, cast.bolt):
        record(rt, tenant)
    erase(rt, cast.acme)
    with rt.reading() as connection:
        assert not feed.history(connection, cast.acme, PHONE, rt.keys)[0].evidence
        assert feed.history(connection, cast.bolt, PHONE, rt.keys)[0].evidence


def test_what_nobody_has_decided_yet_is_kept_and_said(rt: Runtime, cast: Cast) -> None:
    held(rt, cast.acme)
    report = erase(rt, cast.acme)
    assert report.kept == Kept(suppressions=1, events=1, messages=0, open_reviews=1)
    assert "decide" in report.kept_parts[-1].why
    decide(rt, cast.acme, 1, ReviewDecision.OPT_OUT)
    assert erase(rt, cast.acme).erased.reviews == 1
    assert traces.of(rt, *marks(ANA.phone), "no more pizza") == set()


def test_whoever_acts_again_is_written_down_again(rt: Runtime, cast: Cast) -> None:
    record(rt, cast.acme)
    erase(rt, cast.acme)
    record(rt, cast.acme)
    assert rt.check(cast.acme, PHONE, SMS).suppressed
    assert traces.of(rt, ANA.phone) == {"address_book.sealed"}
    assert is_whole(rt, cast.acme)


def test_while_the_recipient_keeps_acting_each_act_is_before_it_or_after(
    rt: Runtime, cast: Cast
) -> None:
    def turn(number: int) -> Report | int:
        return erase(rt, cast.acme) if number % 3 == 0 else record(rt, cast.acme)

    done = at_once(8, turn)
    erased = sum(one.erased.events for one in done if isinstance(one, Report))
    with rt.reading() as connection:
        past = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert len(past) == 5
    assert [bool(one.evidence) for one in past] == [False] * erased + [True] * (5 - erased)
    assert rt.check(cast.acme, PHONE, SMS).suppressed
    assert is_whole(rt, cast.acme)


@pytest.mark.usefixtures("everything")
def test_a_request_whose_answer_was_erased_is_not_done_twice(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    erase(rt, cast.acme)
    with rt.reading() as connection:
        before = chain.position(connection, cast.acme).seq
    again = client.post(
        "/v1/opt-outs",
        json={"channel": "sms", "address": ANA.phone, **WORDS},
        headers={
            "Authorization": f"Bearer {cast.keys['agent']}",
            "Idempotency-Key": traces.IDEMPOTENCY_KEY,
        },
    )
    assert (again.status_code, again.json["kind"]) == (409, "conflict")
    with rt.reading() as connection:
        assert chain.position(connection, cast.acme).seq == before


@pytest.mark.usefixtures("everything")
def test_answers_from_before_it_was_kept_whose_they_are_go_too(rt: Runtime, cast: Cast) -> None:
    with rt.writing() as connection:
        connection.execute(update(idempotency).values(digest=None))
    erase(rt, cast.acme, MAIL)
    assert "idempotency.answer" not in traces.of(rt, ANA.phone)


def test_a_hold_refuses_it(rt: Runtime, cast: Cast) -> None:
    record(rt, cast.acme)
    with rt.writing() as connection:
        holds.place(
            connection, cast.acme, PHONE, "Case 7", by="operator:cli", at=rt.now(), keys=rt.keys
        )
    with pytest.raises(Conflict, match="legal hold"):
        erase(rt, cast.acme)
    assert traces.of(rt, ANA.phone) == {"address_book.sealed"}
    assert not erasures.path(rt, cast.acme).exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, f"she is {ANA.phone}", "+1 415-555-2671"])
def test_a_reason_is_needed_and_names_nobody(rt: Runtime, cast: Cast, reason: str) -> None:
    record(rt, cast.acme)
    with pytest.raises(InvalidRequest) as refusal:
        erase(rt, cast.acme, reason=reason)
    assert ANA.phone not in refusal.value.detail
    assert traces.of(rt, ANA.phone)


def test_it_is_in_the_log_without_the_address(
    rt: Runtime, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    record(rt, cast.acme)
    with caplog.at_level(logging.INFO):
        erase(rt, cast.acme)
    (line,) = (one for one in caplog.records if one.message == "a recipient was erased")
    assert (vars(line)["by"], vars(line)["tenant"], vars(line)["events"]) == (
        "operator:cli",
        "acme",
        1,
    )


def test_what_is_written_down_names_nobody(rt: Runtime, cast: Cast) -> None:
    record(rt, cast.acme)
    erase(rt, cast.acme)
    written = erasures.path(rt, cast.acme).read_text()
    assert rt.keys.digest(PHONE).hex() in written
    assert not [mark for mark in marks(ANA.phone) if mark in written]


def test_where_it_cannot_be_written_down_nothing_is_erased(rt: Runtime, cast: Cast) -> None:
    record(rt, cast.acme)
    rt.settings.effective_checkpoint_dir.write_text("no directory")
    with pytest.raises(FileExistsError):
        erase(rt, cast.acme)
    assert traces.of(rt, ANA.phone) == {"address_book.sealed"}


Saved = dict[Table, list[dict[str, Any]]]


def back_up(rt: Runtime) -> Saved:
    """All rows in which something can be erased."""
    with rt.reading() as connection:
        return {
            table: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in (address_book, event, review, idempotency)
        }


def restore(rt: Runtime, saved: Saved) -> None:
    """Put them back as they were, as an older copy of the database does."""
    disarm(rt)
    with rt.writing() as connection:
        for table, rows in saved.items():
            connection.execute(table.delete())
            if rows:
                connection.execute(table.insert(), rows)


@pytest.mark.usefixtures("everything")
def test_a_replay_erases_again_what_a_restore_brought_back(rt: Runtime, cast: Cast) -> None:
    saved = back_up(rt)
    erase(rt, cast.acme)
    erased = back_up(rt)
    restore(rt, saved)
    assert traces.of(rt, *marks(ANA.phone)) != set()
    assert erasures.replay(rt, dry_run=True) == [Replayed("acme", 1, 1, 0, 0)]
    assert back_up(rt) == saved
    assert erasures.replay(rt) == [Replayed("acme", 1, 1, 0, 0)]
    assert back_up(rt) == erased
    assert is_whole(rt, cast.acme)
    assert erasures.replay(rt) == [Replayed("acme", 1, 0, 0, 0)]


def test_a_replay_goes_through_the_platforms_own_ledger_too(rt: Runtime, cast: Cast) -> None:
    record(rt, 0)
    erase(rt, 0)
    assert erasures.replay(rt) == [Replayed("platform", 1, 0, 0, 0)]


def test_a_replay_leaves_what_the_recipient_did_since(rt: Runtime, cast: Cast) -> None:
    record(rt, cast.acme)
    saved = back_up(rt)
    erase(rt, cast.acme)
    restore(rt, saved)
    later = record(rt, cast.acme)
    erasures.replay(rt)
    with rt.reading() as connection:
        past = feed.history(connection, cast.acme, PHONE, rt.keys)
    assert [one.number for one in past if one.evidence] == [later]
    assert traces.of(rt, ANA.phone) == {"address_book.sealed"}


def test_a_replay_passes_over_lines_that_are_not_ours(rt: Runtime, cast: Cast) -> None:
    for address in (PHONE, BOS):
        record(rt, cast.acme, address)
    saved = back_up(rt)
    erase(rt, cast.acme)
    restore(rt, saved)
    file = erasures.path(rt, cast.acme)
    line = file.read_text()
    ana, bo = (rt.keys.digest(address).hex() for address in (PHONE, BOS))
    file.write_text("nonsense\n" + line.replace(ana, bo))
    file.with_name(f"erased-{cast.bolt}.jsonl").write_text(line)
    assert erasures.replay(rt) == [Replayed("acme", 2, 0, 0, 2), Replayed("bolt", 1, 0, 0, 1)]
    assert back_up(rt) == saved


def test_a_replay_stops_before_a_hold(rt: Runtime, cast: Cast) -> None:
    record(rt, cast.acme)
    saved = back_up(rt)
    erase(rt, cast.acme)
    restore(rt, saved)
    with rt.writing() as connection:
        holds.place(
            connection, cast.acme, PHONE, "Case 7", by="operator:cli", at=rt.now(), keys=rt.keys
        )
    assert erasures.replay(rt) == [Replayed("acme", 1, 0, 1, 0)]
    assert back_up(rt) == saved
