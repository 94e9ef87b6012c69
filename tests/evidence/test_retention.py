"""What has been kept for long enough goes; what must never go stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from optout_service.core.address import Address
from optout_service.core.evidence import Source
from optout_service.core.review import ReviewDecision
from optout_service.core.scope import Kind
from optout_service.evidence import retention
from optout_service.runtime import Runtime
from optout_service.store import (
    answers,
    chain,
    feed,
    holds,
    idempotency,
    ledger,
    outdated,
    reviews,
    tables,
    visits,
)
from optout_service.store.idempotency import Answer, Slot
from optout_service.store.visits import Visited
from tests.cast import ANA, BO
from tests.evidence import traces
from tests.stage import Cast
from tests.store.acts import MAIL, MARKETING, PHONE, act, doubt, message
from tests.store.test_decisions import decide

BOS = Address.parse(Kind.EMAIL, BO.email)
WORDS = {"text": "please stop, says Ana"}
Removed = dict[tuple[str, str], tuple[int, int]]
Add = Callable[..., Any]


@pytest.fixture
def short(rt: Runtime) -> Runtime:
    """The store under a schedule of ten days for all, and twenty for words."""
    days = {f"keep_{what}_days": 10 for what in ("traces", "answers", "visits")}
    return replace(rt, settings=replace(rt.settings, **days, keep_words_days=20))  # type: ignore[arg-type]


@pytest.fixture
def aged(rt: Runtime, cast: Cast) -> Add:
    """Record an act of so many days ago."""

    def add(days: int, address: Address = MAIL, **changes: Any) -> int:
        with rt.writing() as connection:
            return ledger.record(
                connection,
                act(cast.acme, address=address, scope=MARKETING, **changes),
                at=rt.now() - timedelta(days),
                keys=rt.keys,
                lift_cap=100,
            ).event

    return add


def run(rt: Runtime, **options: Any) -> Removed:
    """What a run removed and what a hold kept, by tenant and kind, where there was anything."""
    done = retention.run(rt, **options)
    return {(r.tenant, r.what): (r.removed, r.held) for r in done if r.removed or r.held}


def with_evidence(rt: Runtime, tenant: int, address: Address = MAIL) -> list[int]:
    with rt.reading() as connection:
        past = feed.history(connection, tenant, address, rt.keys)
    return [one.number for one in past if one.evidence]


def test_traces_and_words_go_each_at_its_time(short: Runtime, cast: Cast, aged: Add) -> None:
    for days in (9, 11, 21):
        aged(days)
        aged(days, source=Source.API, private=WORDS)
    assert run(short) == {("acme", "traces"): (2, 0), ("acme", "words"): (1, 0)}
    assert with_evidence(short, cast.acme) == [1, 2, 4]
    assert run(short) == {}


def test_a_dry_run_says_the_same_and_removes_nothing(short: Runtime, cast: Cast, aged: Add) -> None:
    aged(30)
    aged(30, source=Source.TEXT, private=WORDS)
    looked = run(short, dry_run=True)
    assert with_evidence(short, cast.acme) == [1, 2]
    assert looked == run(short) == {("acme", "traces"): (1, 0), ("acme", "words"): (1, 0)}


def test_what_stands_the_chain_and_the_guard_against_replays_never_go(
    short: Runtime, cast: Cast, aged: Add
) -> None:
    said = {"source": Source.TEXT, "private": WORDS, "provider_message": message(1)}
    aged(4000, **said)
    run(short)
    assert short.check(cast.acme, MAIL, MARKETING).suppressed
    assert traces.of(short, ANA.email) == {"address_book.sealed"}
    with short.reading() as connection:
        assert chain.verify(connection, cast.acme, short.keys).whole
        assert answers.find(connection, cast.acme, message(1)) is not None


def test_a_longer_ledger_is_gone_through_to_its_end(
    short: Runtime, cast: Cast, aged: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outdated, "STRETCH", 2)
    monkeypatch.setattr(retention, "STRETCH", 2)
    for days in (30, 1, 30, 30, 30, 1, 30):
        aged(days)
    assert run(short) == {("acme", "traces"): (5, 0)}
    assert with_evidence(short, cast.acme) == [2, 6]


def test_of_whom_a_hold_stands_nothing_goes_and_it_is_said(
    short: Runtime, cast: Cast, aged: Add
) -> None:
    for address in (MAIL, BOS):
        aged(30, address)
    with short.writing() as connection:
        holds.place(connection, cast.acme, MAIL, "Case 7", by="x", at=short.now(), keys=short.keys)
    assert run(short) == {("acme", "traces"): (1, 1)}
    assert (with_evidence(short, cast.acme), with_evidence(short, cast.acme, BOS)) == ([1], [])
    with short.writing() as connection:
        holds.end(connection, cast.acme, MAIL, by="x", at=short.now(), keys=short.keys)
    assert run(short) == {("acme", "traces"): (1, 0)}


def test_a_review_goes_when_it_was_decided_for_long_enough(short: Runtime, cast: Cast) -> None:
    for address in (PHONE, None):
        with short.writing() as connection:
            reviews.open_review(
                connection,
                doubt(cast.acme, address=address),
                at=short.now() - timedelta(90),
                keys=short.keys,
            )
    assert run(short) == {}, "nobody has read them yet"
    for number in (1, 2):
        decide(short, cast.acme, number, ReviewDecision.OPT_OUT, address=ANA.phone)
    assert run(short) == {}
    later = replace(short, settings=replace(short.settings, keep_words_days=1))
    assert run(in_days(later, 2))["acme", "reviews"] == (2, 0)
    assert "review.private" not in traces.of(short, "no more pizza")


def in_days(rt: Runtime, days: int) -> Runtime:
    """The same store, later."""

    class Later(Runtime):
        def now(self) -> Any:
            return super().now() + timedelta(days)

    return Later(**{name: getattr(rt, name) for name in rt.__dataclass_fields__})


def test_answers_go_with_their_keys(short: Runtime, cast: Cast) -> None:
    slots = [Slot(cast.acme, 1, f"k-{n}", bytes(32)) for n in range(3)]
    with short.writing() as connection:
        for slot, days in zip(slots, (9, 11, 40), strict=True):
            at = short.now() - timedelta(days)
            digest = short.keys.digest(MAIL)
            answer = Answer(201, b"{}")
            idempotency.save(connection, slot, answer, digest, at=at, keys=short.keys)
    assert run(short, dry_run=True) == run(short) == {("acme", "answers"): (2, 0)}
    with short.reading() as connection:
        found = [idempotency.find(connection, slot, short.keys) is not None for slot in slots]
    assert found == [True, False, False]


def test_what_names_nobody_is_held_for_nobody(short: Runtime, cast: Cast) -> None:
    slot = Slot(cast.acme, 1, "k-1", bytes(32))
    with short.writing() as connection:
        at, digest = short.now() - timedelta(11), short.keys.digest(MAIL)
        idempotency.save(connection, slot, Answer(201, b"{}"), digest, at=at, keys=short.keys)
        # As the release before wrote it.
        connection.execute(update(tables.idempotency).values(digest=None))
        holds.place(connection, cast.acme, MAIL, "Case 7", by="x", at=short.now(), keys=short.keys)
    assert run(short) == {("acme", "answers"): (1, 0)}


def test_counts_of_opened_links_go(short: Runtime, cast: Cast) -> None:
    today = short.now().date()
    days = [today - timedelta(days) for days in (10, 11, 12)]
    with short.writing() as connection:
        visits.add(connection, {Visited(cast.acme, day, "m", "GET"): 3 for day in days})
    assert run(short, dry_run=True) == run(short) == {("acme", "visits"): (2, 0)}
    with short.reading() as connection:
        left = [day for day, _ in visits.by_day(connection, cast.acme, days[-1], today)]
    assert left == days[:1]


def test_what_is_kept_for_ever_goes_never(rt: Runtime, cast: Cast, aged: Add) -> None:
    for days in (2000, 4000):
        aged(days)
        aged(days, source=Source.API, private=WORDS)
    for_ever = {f"keep_{what}_days": 0 for what in ("traces", "words", "answers", "visits")}
    assert retention.run(replace(rt, settings=replace(rt.settings, **for_ever))) == []  # type: ignore[arg-type]
    assert with_evidence(rt, cast.acme) == [1, 2, 3, 4]
    assert run(rt) == {("acme", "traces"): (2, 0), ("acme", "words"): (2, 0)}
