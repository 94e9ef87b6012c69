"""Counts by day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from optout_service.runtime import Runtime
from optout_service.store import ledger, visits
from optout_service.store.visits import Visited
from tests.api.asking import MAIL, Asker
from tests.stage import Cast
from tests.store.acts import act

PATH = "/v1/stats"


def record(rt: Runtime, tenant: int, day: date, count: int = 1, at: time = time(12)) -> None:
    """Opt-outs received on a day; the second and later ones change nothing."""
    with rt.writing() as connection:
        for _ in range(count):
            moment = datetime.combine(day, at, UTC)
            ledger.record(connection, act(tenant), at=moment, keys=rt.keys, lift_cap=9)


def visit(rt: Runtime, tenant: int, day: date, hits: dict[tuple[str, str], int]) -> None:
    """Links that were opened on a day."""
    with rt.writing() as connection:
        visits.add(
            connection, {Visited(tenant, day, *which): number for which, number in hits.items()}
        )


def counts(ask: Asker, **query: Any) -> Any:
    answer = ask.get(PATH, query={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_events_that_are_alike_are_counted_together(ask: Asker) -> None:
    ask.opt_out("a@example.com")
    ask.opt_out("b@example.com")
    ask.opt_out("b@example.com")
    ask.opt_out("c@example.com", topic="offers", reason="complaint")
    ask.opt_in("a@example.com")
    told = {
        (c["topic"], c["reason"], c["source"], c["action"]): (c["events"], c["changed"])
        for c in counts(ask)["counts"]
    }
    assert told == {
        ("*", "opted_out", "api", "opt_out"): (3, 2),
        ("*", "opted_out", "api", "opt_in"): (1, 1),
        ("offers", "complaint", "api", "opt_out"): (1, 1),
    }


def test_a_day_is_of_utc_from_midnight_to_midnight(rt: Runtime, ask: Asker, cast: Cast) -> None:
    day = date(2026, 1, 31)
    record(rt, cast.acme, day, at=time.min)
    record(rt, cast.acme, day, at=time.max)
    record(rt, cast.acme, day - timedelta(days=1), at=time.max)
    record(rt, cast.acme, day + timedelta(days=1), at=time.min)
    (told,) = counts(ask, from_=day, to=day)["counts"]
    assert (told["day"], told["events"]) == ("2026-01-31", 2)


def test_both_ends_belong_to_the_range_and_empty_days_are_left_out(
    rt: Runtime, ask: Asker, cast: Cast
) -> None:
    for day in (1, 3, 7):
        record(rt, cast.acme, date(2026, 3, day))
    told = counts(ask, from_="2026-03-01", to="2026-03-07")
    assert [c["day"] for c in told["counts"]] == ["2026-03-01", "2026-03-03", "2026-03-07"]
    assert counts(ask, from_="2026-03-02", to="2026-03-06")["counts"][0]["day"] == "2026-03-03"


def test_pages_are_of_whole_days_and_leave_nothing_out(rt: Runtime, ask: Asker, cast: Cast) -> None:
    for day in range(1, 6):
        record(rt, cast.acme, date(2026, 3, day), count=day)
    seen, start = [], "2026-03-01"
    while start:
        page = counts(ask, from_=start, to="2026-03-05", limit=2)
        seen += [c["events"] for c in page["counts"]]
        start = page["next"]
    assert seen == [1, 2, 3, 4, 5]


def test_opened_links_are_told_beside_and_as_what_they_are(
    rt: Runtime, ask: Asker, cast: Cast
) -> None:
    day = date(2026, 3, 1)
    visit(rt, cast.acme, day, {("c42", "GET"): 489, ("c42", "HEAD"): 30, ("", "GET"): 2})
    visit(rt, cast.acme, day, {("c42", "GET"): 1})
    visit(rt, cast.bolt, day, {("c7", "GET"): 5})
    told = counts(ask, from_="2026-03-01", to="2026-03-01")
    assert told["counts"] == []
    assert told["visits"] == [
        {"day": "2026-03-01", "message": "", "method": "GET", "hits": 2},
        {"day": "2026-03-01", "message": "c42", "method": "GET", "hits": 490},
        {"day": "2026-03-01", "message": "c42", "method": "HEAD", "hits": 30},
    ]


def test_a_page_has_whole_days_of_both(rt: Runtime, ask: Asker, cast: Cast) -> None:
    for day in (2, 4):
        record(rt, cast.acme, date(2026, 3, day))
    for day in (1, 2, 3, 5):
        visit(rt, cast.acme, date(2026, 3, day), {("a", "GET"): day, ("b", "GET"): day})
    pages, start = [], "2026-03-01"
    while start:
        page = counts(ask, from_=start, to="2026-03-09", limit=3)
        pages.append([sorted({row["day"][-2:] for row in page[of]}) for of in ("counts", "visits")])
        start = page["next"]
    assert pages == [[[], ["01"]], [["02"], ["02"]], [["04"], ["03"]], [[], ["05"]]]


def test_the_last_thirty_days_are_told_unless_others_are_asked_for(
    rt: Runtime, ask: Asker, cast: Cast
) -> None:
    today = rt.now().date()
    record(rt, cast.acme, today - timedelta(days=29))
    record(rt, cast.acme, today - timedelta(days=30))
    assert len(counts(ask)["counts"]) == 1


def test_a_tenant_counts_its_own_events_alone_and_nobody_is_named(ask: Asker) -> None:
    ask.opt_out(by="bolt-admin")
    ask.opt_out(by="platform")
    assert counts(ask)["counts"] == []
    ask.opt_out()
    assert MAIL not in ask.get(PATH).text


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-02-01", "to": "2026-01-31"},
        {"from": "2024-12-27", "to": "2026-01-31"},
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"to": "2026-01-31T00:00:00Z"},
        {"limit": "0"},
        {"day": "2026-01-31"},
        {"from": ["2026-01-01", "2026-01-02"]},
    ],
    ids=str,
)
def test_a_range_that_makes_no_sense_is_refused(ask: Asker, query: dict[str, Any]) -> None:
    answer = ask.get(PATH, query=query)
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-request")


def test_four_hundred_days_are_not_too_many(ask: Asker) -> None:
    assert counts(ask, from_="2024-12-28", to="2026-01-31")["next"] is None
    assert counts(ask, from_="9999-12-01", to="9999-12-31")["counts"] == []


def test_the_counts_are_read_from_their_index_alone(rt: Runtime, dialect: str) -> None:
    """Else a year's counts would read every event of the year, evidence and all."""
    query = (
        "SELECT channel, topic, reason, source, action, count(*), sum(changed) FROM event "
        "WHERE tenant = 1 AND recorded_at >= 1 AND recorded_at < 9 "
        "GROUP BY channel, topic, reason, source, action"
    )
    with rt.reading() as connection:
        if dialect == "sqlite":
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
            assert "COVERING INDEX ix_event_counts" in str(plan)
        else:
            # It would read a table that is as small as this one whole.
            for way in ("seqscan", "bitmapscan"):
                connection.execute(text(f"SET enable_{way} = off"))
            cast = query.replace("sum(changed)", "sum(changed::int)")
            plan = connection.execute(text(f"EXPLAIN {cast}")).all()
            assert "Index Only Scan using ix_event_counts" in str(plan)
