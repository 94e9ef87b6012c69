"""The rules, without a database: what an act does to what stands."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.policy import (
    LADDER,
    PLATFORM,
    Decision,
    Suppression,
    decide,
    verdict,
)
from optout_service.core.scope import ANY, Channel, Kind, Purpose, Scope

ACME = 1
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)
TOPICS = ("events", "newsletter", "offers")
EVERYTHING = Scope(ANY, ANY, ANY)
MARKETING = Scope("email", ANY, "marketing")
NEWSLETTER = Scope("email", "newsletter", "marketing")
OFFERS = Scope("email", "offers", "marketing")
ANA = Address.parse(Kind.EMAIL, "ana@example.com")
PHONE = Address.parse(Kind.PHONE, "+14155552671")


def act(
    action: Action = Action.OPT_OUT,
    scope: Scope = NEWSLETTER,
    *,
    reason: Reason = Reason.OPTED_OUT,
    authority: Authority = Authority.RECIPIENT_PAGE,
    tenant: int = ACME,
    address: Address = ANA,
) -> Evidence:
    return Evidence(
        tenant,
        action,
        address,
        scope,
        Source.PAGE,
        authority,
        "recipient",
        reason=reason,
    )


def row(
    scope: Scope = NEWSLETTER, reason: Reason = Reason.OPTED_OUT, tenant: int = ACME
) -> Suppression:
    return Suppression(tenant, scope, reason, Source.PAGE, EARLIER, 7)


def decided(evidence: Evidence, *standing: Suppression) -> Decision:
    return decide(evidence, standing, number=8, at=NOW, topics=TOPICS, earlier=())


def after(decision: Decision, standing: Iterable[Suppression]) -> list[Suppression]:
    """What stands once the decision is carried out."""
    rows = {(r.tenant, r.scope): r for r in standing}
    for scope in decision.drop:
        del rows[ACME, scope]
    rows |= {(r.tenant, r.scope): r for r in decision.put}
    return list(rows.values())


def test_an_opt_out_suppresses_its_scope_from_now_on() -> None:
    decision = decided(act())
    assert decision.put == (Suppression(ACME, NEWSLETTER, Reason.OPTED_OUT, Source.PAGE, NOW, 8),)
    assert decision.changed


def test_the_same_opt_out_again_changes_nothing() -> None:
    assert decided(act(), row()) == Decision()


def test_a_wider_opt_out_stands_beside_a_narrower_one() -> None:
    assert decided(act(scope=MARKETING), row()).put[0].scope == MARKETING


def test_a_narrower_opt_out_is_kept_for_the_day_the_wider_one_is_lifted() -> None:
    assert decided(act(), row(MARKETING)).put[0].scope == NEWSLETTER


@pytest.mark.parametrize("weaker", LADDER)
@pytest.mark.parametrize("stronger", LADDER)
def test_a_weaker_reason_never_takes_a_stronger_ones_place(
    weaker: Reason, stronger: Reason
) -> None:
    order = list(LADDER)
    decision = decided(act(reason=stronger), row(reason=weaker))
    if order.index(stronger) > order.index(weaker):
        assert decision.put == (
            Suppression(ACME, NEWSLETTER, stronger, Source.PAGE, EARLIER, 8),
        ), "suppressed since the first act, for the stronger reason"
    else:
        assert decision == Decision()


# Written out by hand from the published contract: if the ladder changes, this must be argued with.
MAY_LIFT = {
    Reason.OPTED_OUT: "recipient_page recipient_phone agent integration admin platform",
    Reason.COMPLAINT: "recipient_page admin platform",
    Reason.BOUNCED: "recipient_phone agent integration admin platform",
    Reason.BLOCKED: "recipient_phone agent integration admin platform",
    Reason.REASSIGNED: "recipient_phone agent integration admin platform",
    Reason.LEGAL: "platform",
}


@pytest.mark.parametrize("authority", Authority)
@pytest.mark.parametrize("reason", Reason)
def test_only_who_the_ladder_names_lifts(reason: Reason, authority: Authority) -> None:
    standing = row(reason=reason)
    decision = decided(act(Action.OPT_IN, authority=authority), standing)
    if authority in MAY_LIFT[reason].split():
        assert decision == Decision(drop=(NEWSLETTER,))
    else:
        assert not decision.changed
        assert decision.refused[0].suppression == standing
        assert decision.refused[0].liftable_by == set(MAY_LIFT[reason].split())


def test_one_row_that_may_not_be_lifted_keeps_them_all() -> None:
    decision = decided(
        act(Action.OPT_IN, MARKETING, authority=Authority.AGENT),
        row(OFFERS),
        row(NEWSLETTER, Reason.COMPLAINT),
    )
    assert not decision.changed
    assert [refusal.suppression.scope for refusal in decision.refused] == [NEWSLETTER]


@pytest.mark.parametrize("authority", Authority)
def test_within_a_tenant_nobody_lifts_what_the_platform_suppressed(
    authority: Authority,
) -> None:
    standing = row(EVERYTHING, tenant=PLATFORM)
    decision = decided(act(Action.OPT_IN, authority=authority), standing)
    assert not decision.changed


def test_a_platform_key_lifts_what_the_platform_suppressed() -> None:
    standing = row(EVERYTHING, tenant=PLATFORM)
    evidence = act(Action.OPT_IN, EVERYTHING, authority=Authority.PLATFORM, tenant=PLATFORM)
    assert decide(evidence, [standing], number=8, at=NOW, topics=(), earlier=()).drop == (
        EVERYTHING,
    )


def test_coming_back_for_one_topic_pins_the_others() -> None:
    decision = decided(act(Action.OPT_IN), row(MARKETING))
    assert decision.drop == (MARKETING,)
    assert {pin.scope.topic for pin in decision.put} == {"events", "offers", "-"}
    assert {(pin.since, pin.event, pin.reason) for pin in decision.put} == {
        (EARLIER, 7, Reason.OPTED_OUT)
    }, "a pin is the old suppression, not a new act"


def test_coming_back_for_one_topic_is_no_leave_to_send_without_a_topic() -> None:
    decision = decided(act(Action.OPT_IN), row(MARKETING))
    assert verdict(after(decision, [row(MARKETING)]), MARKETING, 8).suppressed


def test_coming_back_by_text_messages_leaves_calls_stopped() -> None:
    texts = Scope("sms", ANY, "marketing")
    decision = decided(act(Action.OPT_IN, texts, address=PHONE), row(EVERYTHING))
    left = after(decision, [row(EVERYTHING)])
    assert not verdict(left, Scope("sms", "offers", "marketing"), 8).suppressed
    for stopped in ("voice * marketing", "whatsapp * marketing", "sms * transactional"):
        assert verdict(left, Scope(*stopped.split()), 8).suppressed


def test_a_pin_never_weakens_what_stands_at_its_place() -> None:
    complaint = row(OFFERS, Reason.COMPLAINT)
    decision = decided(act(Action.OPT_IN), row(MARKETING), complaint)
    assert OFFERS not in {pin.scope for pin in decision.put}


def test_start_gives_back_what_the_same_senders_stop_took() -> None:
    evidence = act(Action.OPT_IN, EVERYTHING, authority=Authority.RECIPIENT_PHONE, address=PHONE)
    decision = decided(evidence, row(EVERYTHING), row(Scope("sms", "offers", "marketing")))
    assert decision == Decision(drop=(EVERYTHING,)), "what was left elsewhere stays left"


def test_start_gives_back_the_scopes_that_are_named_and_no_others() -> None:
    narrow, other = Scope(ANY, "offers", ANY), Scope(ANY, "news", ANY)
    start = act(Action.OPT_IN, EVERYTHING, authority=Authority.RECIPIENT_PHONE, address=PHONE)
    evidence = replace(start, gives_back=frozenset({EVERYTHING, narrow}))
    standing = (row(EVERYTHING), row(narrow), row(other), row(narrow, tenant=PLATFORM))
    assert set(decided(evidence, *standing).drop) == {EVERYTHING, narrow}


def test_start_that_may_give_back_nothing_changes_nothing() -> None:
    start = act(Action.OPT_IN, EVERYTHING, authority=Authority.RECIPIENT_PHONE, address=PHONE)
    assert decided(replace(start, gives_back=frozenset()), row(EVERYTHING)) == Decision()


def test_start_lifts_no_complaint() -> None:
    evidence = act(Action.OPT_IN, EVERYTHING, authority=Authority.RECIPIENT_PHONE, address=PHONE)
    decision = decided(evidence, row(EVERYTHING, Reason.COMPLAINT))
    assert not decision.changed
    assert decision.refused


any_scope = st.builds(
    Scope,
    st.sampled_from([ANY, *Channel]),
    st.sampled_from([ANY, *TOPICS]),
    st.sampled_from([ANY, *Purpose]),
)
asked_scope = st.builds(
    Scope,
    st.sampled_from(list(Channel)),
    st.sampled_from([ANY, *TOPICS]),
    st.sampled_from(list(Purpose)),
)
any_row = st.builds(row, any_scope, st.sampled_from(list(Reason)), st.sampled_from([ACME, 0]))
any_standing = st.lists(any_row, max_size=4, unique_by=lambda r: (r.tenant, r.scope))


@given(any_scope, st.sampled_from(list(Reason)), any_standing, asked_scope)
def test_an_opt_out_never_lifts_anything(
    scope: Scope, reason: Reason, standing: list[Suppression], asked: Scope
) -> None:
    decision = decided(act(scope=scope, reason=reason, address=PHONE), *standing)
    before = verdict(standing, asked, 7).suppressed
    now = verdict(after(decision, standing), asked, 8).suppressed
    assert now >= before
    assert now or not scope.covers(asked)


@given(any_scope, st.sampled_from(list(Authority)), any_standing, asked_scope)
def test_an_opt_in_opens_nothing_outside_its_scope(
    scope: Scope, authority: Authority, standing: list[Suppression], asked: Scope
) -> None:
    decision = decided(act(Action.OPT_IN, scope, authority=authority, address=PHONE), *standing)
    # Addresses of the kind phone are never asked about by e-mail: pins are made for their channels.
    if not scope.covers(asked) and asked.channel != Channel.EMAIL:
        before = verdict(standing, asked, 7).suppressed
        assert verdict(after(decision, standing), asked, 8).suppressed == before


@given(any_scope, any_standing, asked_scope)
def test_who_may_lift_all_opens_the_whole_scope(
    scope: Scope, standing: list[Suppression], asked: Scope
) -> None:
    own = [r for r in standing if r.tenant == ACME]
    decision = decided(act(Action.OPT_IN, scope, authority=Authority.PLATFORM, address=PHONE), *own)
    assert not decision.refused
    if scope.covers(asked):
        assert not verdict(after(decision, own), asked, 8).suppressed


@given(any_standing, asked_scope)
def test_a_verdict_is_the_rows_that_cover_the_question(
    standing: list[Suppression], asked: Scope
) -> None:
    answer = verdict(standing, asked, as_of=12)
    assert answer.as_of == 12
    assert set(answer.matches) == {
        r
        for r in standing
        if r.scope.channel in ("*", asked.channel)
        and r.scope.topic in ("*", "-" if asked.topic == "*" else asked.topic)
        and r.scope.purpose in ("*", asked.purpose)
    }
