"""Recording, reading and links by the client."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

import pytest

from optout_service.client import Client, Refused

By = Callable[..., Client]
WORDS = {"reference": "T-1", "statement": "Please write again."}


def test_an_opt_out_stands_when_it_has_been_answered(by: By, someone: str) -> None:
    made = by("integration").opt_out(someone, topic="offers", reference="T-2")
    assert (made.changed, made.suppression and made.suppression.event) == (True, made.event)
    assert by("sender").check(someone, topic="offers").suppressed


def test_what_stands_already_changes_nothing(by: By, someone: str) -> None:
    made = [by("integration").opt_out(someone).changed for _ in range(2)]
    assert made == [True, False]


def test_ones_own_idempotency_key_counts_once(by: By, someone: str) -> None:
    made = [by("integration").opt_out(someone, idempotency_key=someone[:40]) for _ in range(2)]
    assert made[0] == made[1]


def test_the_client_makes_a_key_for_each_act(by: By, someone: str) -> None:
    acts = [by("integration").opt_out(someone).event for _ in range(2)]
    assert acts[0] != acts[1]


def test_a_recipient_comes_back_on_their_word(by: By, someone: str) -> None:
    by("integration").opt_out(someone)
    assert by("integration").opt_in(someone, **WORDS).changed
    assert by("sender").check(someone).allowed


def test_what_may_not_be_lifted_says_who_may(by: By, someone: str) -> None:
    by("integration").opt_out(someone, reason="complaint")
    with pytest.raises(Refused) as refused:
        by("integration").opt_in(someone, **WORDS)
    assert (refused.value.status, refused.value.kind) == (409, "not-liftable")
    assert "admin" in refused.value.extra["liftable_by"]


def test_an_act_can_have_happened_before(by: By, someone: str) -> None:
    then = datetime(2026, 1, 31, 12, tzinfo=UTC)
    made = by("integration").opt_out(someone, occurred_at=then)
    (event,) = islice(by("integration").events(made.event - 1), 1)
    assert event.occurred_at == then


def test_the_feed_goes_on_where_it_was_left(by: By, someone: str) -> None:
    first = by("integration").opt_out(someone, topic="offers").event
    by("integration").opt_out(someone, topic="events")
    assert [e.event for e in by("integration").events(first - 1)] == [first, first + 1]
    assert [e.scope.topic for e in by("integration").events(first)] == ["events"]


def test_whoever_waits_hears_of_the_next_event(by: By, someone: str) -> None:
    last = by("integration").opt_out(someone, topic="offers").event
    feed = by("integration").events(last - 1, wait=30)
    assert next(feed).event == last
    by("integration").opt_out(someone, topic="events")
    assert next(feed).event == last + 1


def test_a_look_up_tells_all_that_happened(by: By, someone: str) -> None:
    by("integration").opt_out(someone, reference="letter 7")
    known = by("agent").lookup(someone)
    assert [row.reason for row in known.stands] == ["opted_out"]
    assert "agent" in known.stands[0].liftable_by
    assert [event.evidence["reference"] for event in known.events] == ["letter 7"]


def test_a_link_comes_with_its_headers(by: By, someone: str) -> None:
    made = by("sender").link(someone, topic="offers", message="c42", language="de")
    assert made.headers["List-Unsubscribe"] == f"<{made.url}>"
