"""A thousand opt-outs at once are what they are one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from optout_service.core.address import Address
from optout_service.core.errors import NotFound
from optout_service.core.evidence import Action, Evidence, Reason, Source
from optout_service.core.scope import ANY, Kind, Scope
from optout_service.runtime import Runtime
from optout_service.store import bulk, chain, feed, ledger, suppressions, tenants
from optout_service.store.ledger import Outcome
from optout_service.store.tables import address_book, event, suppression, tenant
from tests.cast import ANA, BO
from tests.stage import Cast
from tests.store.acts import AT, MAIL, MARKETING, NEWSLETTER, act, message

HASHED = Address(Kind.EMAIL, MAIL.sha256, None)
PEOPLE = (MAIL, HASHED, Address.parse(Kind.EMAIL, BO.email), Address.parse(Kind.PHONE, ANA.phone))
SCOPES = (MARKETING, NEWSLETTER, Scope(ANY, ANY, ANY))

acts = st.lists(
    st.builds(
        lambda address, scope, reason, note: act(
            0, address=address, scope=scope, reason=reason, source=Source.IMPORT, private=note
        ),
        st.sampled_from(PEOPLE),
        st.sampled_from(SCOPES),
        st.sampled_from(Reason),
        st.sampled_from([{}, {"reference": "list of May"}]),
    ),
    max_size=12,
)
numbers = iter(range(10**6))


def many(rt: Runtime, evidences: Sequence[Evidence], **options: Any) -> list[Outcome]:
    with rt.writing() as connection:
        return bulk.record_many(connection, evidences, at=AT, keys=rt.keys, **options)


def one_by_one(rt: Runtime, evidences: Sequence[Evidence]) -> Iterator[Outcome]:
    for evidence in evidences:
        with rt.writing() as connection:
            yield ledger.record(connection, evidence, at=AT, keys=rt.keys, lift_cap=0)


def new_tenant(rt: Runtime) -> int:
    with rt.writing() as connection:
        return tenants.create(connection, f"t{next(numbers)}", name="T", at=AT).id


def rows_of(rt: Runtime, tenant_id: int) -> dict[str, Any]:
    """All that is stored of a tenant but what chance or its number makes different."""
    left_out = {"tenant", "hash", "salt", "private", "commitment", "sealed", "id", "slug", "head"}
    found = {}
    with rt.reading() as connection:
        for table in (event, suppression, address_book, tenant):
            owner = table.c.id if table is tenant else table.c.tenant
            columns = [column for column in table.columns if column.name not in left_out]
            rows = connection.execute(select(*columns).where(owner == tenant_id))
            found[table.name] = sorted(map(repr, rows))
        found["evidence"] = [
            (row.number, row.address, row.evidence)
            for person in PEOPLE
            for row in feed.history(connection, tenant_id, person, rt.keys)
        ]
    return found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=acts, together=acts)
def test_many_at_once_leave_what_they_leave_one_after_the_other(
    rt: Runtime, before: list[Evidence], together: list[Evidence]
) -> None:
    left, right = new_tenant(rt), new_tenant(rt)
    told = []
    for owner in (left, right):
        list(one_by_one(rt, [replace(evidence, tenant=owner) for evidence in before]))
    told.append(list(one_by_one(rt, [replace(evidence, tenant=left) for evidence in together])))
    told.append(many(rt, [replace(evidence, tenant=right) for evidence in together]))
    assert [(o.event, o.changed) for o in told[0]] == [(o.event, o.changed) for o in told[1]]
    assert [o.suppression and (o.suppression.scope, o.suppression.reason) for o in told[0]] == [
        o.suppression and (o.suppression.scope, o.suppression.reason) for o in told[1]
    ]
    assert rows_of(rt, left) == rows_of(rt, right)
    with rt.reading() as connection:
        assert chain.verify(connection, right, rt.keys).whole


def test_a_later_row_sees_what_an_earlier_one_did(rt: Runtime, cast: Cast) -> None:
    first, second, third = many(
        rt,
        [
            act(cast.acme),
            act(cast.acme, reason=Reason.COMPLAINT),
            act(cast.acme, reason=Reason.BOUNCED),
        ],
    )
    assert (first.changed, second.changed, third.changed) == (True, True, False)
    assert third.suppression is not None
    assert (third.suppression.reason, third.suppression.event) == (Reason.COMPLAINT, 2)


def test_a_repeat_is_left_out_where_that_is_asked_for(rt: Runtime, cast: Cast) -> None:
    rows = [act(cast.acme), act(cast.acme, scope=MARKETING), act(cast.acme)]
    assert [o.event for o in many(rt, rows, skip_repeats=True)] == [1, 2, 1]
    assert [o.changed for o in many(rt, rows, skip_repeats=True)] == [False, False, False]
    with rt.reading() as connection:
        assert len(feed.page(connection, cast.acme, after=0, limit=9, keys=rt.keys)) == 2


def test_a_repeat_for_another_reason_is_evidence_of_its_own(rt: Runtime, cast: Cast) -> None:
    many(rt, [act(cast.acme, reason=Reason.COMPLAINT)], skip_repeats=True)
    (weaker,) = many(rt, [act(cast.acme, reason=Reason.OPTED_OUT)], skip_repeats=True)
    assert (weaker.event, weaker.changed) == (2, False)


def test_what_came_hashed_is_known_by_its_hash_until_the_address_comes(
    rt: Runtime, cast: Cast
) -> None:
    def known() -> Address | None:
        with rt.reading() as connection:
            rows, _ = suppressions.page(connection, cast.acme, rt.keys, limit=9)
        return rows[0].address

    many(rt, [act(cast.acme, address=HASHED)])
    assert known() == HASHED
    many(rt, [act(cast.acme)])
    assert known() == MAIL
    many(rt, [act(cast.acme, address=HASHED)])
    assert known() == MAIL


@pytest.mark.parametrize(
    "foreign",
    [
        {"action": Action.OPT_IN},
        {"provider_message": message(1)},
        {"tenant": 0},
    ],
    ids=["an opt-in", "a provider's message", "another tenant's"],
)
def test_what_is_no_opt_out_of_this_tenant_undoes_all(
    rt: Runtime, cast: Cast, foreign: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="act"):
        many(rt, [act(cast.acme), replace(act(cast.acme), **foreign)])
    with rt.reading() as connection:
        assert feed.page(connection, cast.acme, after=0, limit=9, keys=rt.keys) == []


def test_many_of_an_unknown_tenant_are_refused_and_none_are_nothing(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        many(rt, [act(4711)])
    assert many(rt, []) == []


def test_the_days_count_of_lifts_outlasts_an_import(rt: Runtime, cast: Cast) -> None:
    lift = act(cast.acme, Action.OPT_IN, authority="integration")
    for at in (AT, AT + timedelta(hours=1)):
        with rt.writing() as connection:
            ledger.record(connection, act(cast.acme), at=at, keys=rt.keys, lift_cap=9)
            ledger.record(connection, lift, at=at, keys=rt.keys, lift_cap=9)
    many(rt, [act(cast.acme)])
    with rt.reading() as connection:
        query = select(tenant.c.lift_count).where(tenant.c.id == cast.acme)
        assert connection.execute(query).scalar_one() == 2
