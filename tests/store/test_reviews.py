"""The queue: what goes in, what comes out, and what a thief would find in it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from optout_service.core.address import Address
from optout_service.core.errors import NotFound
from optout_service.core.evidence import Source
from optout_service.core.review import ReviewState, Why
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import reviews, tenants
from optout_service.store.reviews import Doubt, Review
from optout_service.store.tables import review
from tests.cast import ANA
from tests.stage import Cast
from tests.store.acts import AT, PHONE, SAID, doubt, message
from tests.store.test_concurrency import at_once


def opened(rt: Runtime, given: Doubt, at: datetime = AT) -> Review:
    with rt.writing() as connection:
        return reviews.open_review(connection, given, at=at, keys=rt.keys)


def found(rt: Runtime, tenant: int, number: int) -> Review:
    with rt.reading() as connection:
        return reviews.get(connection, tenant, number, rt.keys)


def listed(rt: Runtime, tenant: int, state: ReviewState, at: datetime = AT) -> list[int]:
    with rt.reading() as connection:
        rows, following = reviews.page(
            connection, tenant, state=state, at=at, after=0, limit=100, keys=rt.keys
        )
    assert following is None
    return [row.number for row in rows]


def test_a_doubt_comes_out_as_it_went_in(rt: Runtime, cast: Cast) -> None:
    made = opened(rt, doubt(cast.acme, topic="offers", hold_event=7))
    assert made == found(rt, cast.acme, 1)
    assert (made.number, made.address, made.channel, made.topic) == (1, PHONE, "sms", "offers")
    assert (made.source, made.why, made.rule) == (Source.TEXT, Why.DOUBTFUL, "review:en:no")
    assert (made.private, made.hold_event, made.decided) == (SAID, 7, None)
    assert made.received_at == AT
    assert made.due_at.isoformat() == "2026-12-08T12:00:00+00:00"


def test_each_tenant_counts_its_own_reviews_without_a_gap(rt: Runtime, cast: Cast) -> None:
    def fail_after_opening() -> None:
        with rt.writing() as connection:
            reviews.open_review(connection, doubt(cast.acme), at=AT, keys=rt.keys)
            raise RuntimeError

    opened(rt, doubt(cast.acme))
    with pytest.raises(RuntimeError):
        fail_after_opening()
    assert [opened(rt, doubt(tenant)).number for tenant in (cast.acme, cast.bolt)] == [2, 1]


def test_the_same_provider_message_gives_the_same_review(rt: Runtime, cast: Cast) -> None:
    first = opened(rt, doubt(cast.acme, provider_message=message(1)))
    again = doubt(cast.acme, provider_message=message(1), private={"text": "another"})
    assert opened(rt, again, AT + timedelta(hours=1)) == first
    assert opened(rt, replace(again, tenant=cast.bolt)).number == 1, "each tenant its own"
    assert opened(rt, doubt(cast.acme, provider_message=message(2))).number == 2


def test_a_message_delivered_many_times_at_once_makes_one_review(rt: Runtime, cast: Cast) -> None:
    made = at_once(4, lambda n: opened(rt, doubt(cast.acme, provider_message=message(n % 2))))
    assert sorted(review_.number for review_ in made) == [1, 1, 2, 2]


def test_a_review_may_name_nobody(rt: Runtime, cast: Cast) -> None:
    made = opened(rt, doubt(0, address=None, why=Why.DAMAGED_LINK, source=Source.PAGE))
    assert (made.address, made.digest, made.private) == (None, None, SAID)


def test_a_tenant_that_does_not_exist_has_no_queue(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        opened(rt, doubt(4711))


def test_another_tenants_review_is_not_found(rt: Runtime, cast: Cast) -> None:
    opened(rt, doubt(cast.acme))
    with pytest.raises(NotFound):
        found(rt, cast.bolt, 1)
    assert listed(rt, cast.bolt, ReviewState.ALL) == []


def test_without_an_address_book_an_address_is_known_by_its_hash_alone(rt: Runtime) -> None:
    with rt.writing() as connection:
        lean = tenants.create(connection, "lean", name="Lean", address_book=False, at=AT)
    assert opened(rt, doubt(lean.id)).address == Address(Kind.PHONE, PHONE.sha256, None)


def test_what_was_said_can_be_erased(rt: Runtime, cast: Cast) -> None:
    opened(rt, doubt(cast.acme))
    with rt.writing() as connection:
        connection.execute(update(review).values(private=None))
    assert found(rt, cast.acme, 1).private == {}


def test_nothing_that_was_said_lies_open_in_the_database(rt: Runtime, cast: Cast) -> None:
    opened(rt, doubt(cast.acme))
    with rt.reading() as connection:
        stored = repr(connection.execute(select(review)).all())
    for word in ("pizza", "+15005550006", ANA.phone, PHONE.sha256.hex()):
        assert word not in stored


def test_what_is_open_and_what_is_overdue_is_told_apart(rt: Runtime, cast: Cast) -> None:
    first = opened(rt, doubt(cast.acme))
    opened(rt, doubt(cast.acme), AT + timedelta(days=3))
    opened(rt, doubt(cast.bolt))
    late = first.due_at + timedelta(seconds=1)
    assert listed(rt, cast.acme, ReviewState.OPEN, late) == [1, 2]
    assert listed(rt, cast.acme, ReviewState.OVERDUE, first.due_at) == []
    assert listed(rt, cast.acme, ReviewState.OVERDUE, late) == [1]
    assert listed(rt, cast.acme, ReviewState.DECIDED, late) == []
    with rt.reading() as connection:
        assert reviews.open_count(connection) == 3
        assert reviews.overdue_count(connection, first.due_at) == 0
        assert reviews.overdue_count(connection, late) == 2, "one of each tenant"


def test_the_pages_together_are_the_whole_queue_once(rt: Runtime, cast: Cast) -> None:
    for _ in range(5):
        opened(rt, doubt(cast.acme))
    for limit in (1, 2, 5, 6):
        assert pages(rt, cast.acme, limit) == [1, 2, 3, 4, 5], limit


def pages(rt: Runtime, tenant: int, limit: int) -> list[int]:
    seen: list[int] = []
    after: int | None = 0
    with rt.reading() as connection:
        while after is not None:
            rows, after = reviews.page(
                connection,
                tenant,
                state=ReviewState.OPEN,
                at=AT,
                after=after,
                limit=limit,
                keys=rt.keys,
            )
            assert len(rows) == limit or after is None
            seen += [row.number for row in rows]
    return seen
