"""Acts that come late, twice or out of order, and acts that are taken back."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.policy import Decision, Earlier, Suppression, decide, verdict
from optout_service.core.scope import ANY, OTHER, Channel, Kind, Purpose, Scope

ACME = 1
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PHONE = Address.parse(Kind.PHONE, "+14155552671")
EVERYTHING = Scope(ANY, ANY, ANY)
MARKETING = Scope(ANY, ANY, "marketing")
TEXTS = Scope("sms", ANY, "marketing")
CALLS = Scope("voice", ANY, "marketing")
TOPICS = ("newsletter", "offers")
PHONES = tuple(channel for channel in Channel if channel is not Channel.EMAIL)
QUESTIONS = [Scope(*parts) for parts in product(PHONES, (*TOPICS, OTHER), Purpose)]


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def stop(scope: Scope = EVERYTHING, at: datetime | None = None, **more: Reason) -> Evidence:
    authority = Authority.RECIPIENT_PHONE
    return Evidence(
        ACME,
        Action.OPT_OUT,
        PHONE,
        scope,
        Source.TEXT,
        authority,
        "recipient",
        occurred_at=at,
        **more,
    )


def start(scope: Scope = EVERYTHING, at: datetime | None = None) -> Evidence:
    return replace(stop(scope, at), action=Action.OPT_IN)


def undo(number: int, authority: Authority = Authority.AGENT) -> Evidence:
    return replace(start(MARKETING), authority=authority, undoes=number)


@dataclass
class Ledger:
    """What the store does around the rules: numbers, times of receipt, the past."""

    standing: list[Suppression] = field(default_factory=list)
    past: list[Earlier] = field(default_factory=list)
    number: int = 0

    def deliver(self, *acts: Evidence) -> Decision:
        """Record acts in this order, and give the last decision."""
        decision = Decision()
        for evidence in acts:
            self.number += 1
            at = minute(1000 + self.number)
            decision = decide(
                evidence,
                self.standing,
                number=self.number,
                at=at,
                topics=TOPICS,
                earlier=tuple(self.past),
            )
            rows = {row.scope: row for row in self.standing if row.scope not in decision.drop}
            self.standing = list((rows | {row.scope: row for row in decision.put}).values())
            self._remember(evidence, at)
        return decision

    def _remember(self, evidence: Evidence, at: datetime) -> None:
        if evidence.action is Action.OPT_OUT:
            occurred = evidence.occurred_at or at
            self.past.append(Earlier(self.number, evidence.scope, occurred, at))
        self.past = [
            replace(one, taken_back=one.taken_back or one.number == evidence.undoes)
            for one in self.past
        ]

    @property
    def stopped(self) -> set[Scope]:
        """Every question that is answered with "suppressed"."""
        return {asked for asked in QUESTIONS if verdict(self.standing, asked, 0).suppressed}


def after(*acts: Evidence) -> Ledger:
    ledger = Ledger()
    ledger.deliver(*acts)
    return ledger


def test_an_old_start_delivered_after_a_newer_stop_changes_nothing() -> None:
    ledger = after(stop(at=minute(1)), stop(at=minute(3)))
    assert ledger.deliver(start(at=minute(2))) == Decision(overtaken=True)
    assert ledger.deliver(start(at=minute(3))).overtaken, "in a tie the STOP wins"
    assert ledger.deliver(start(at=minute(4))).drop == (EVERYTHING,)


def test_a_start_that_does_not_say_when_happened_as_it_came() -> None:
    assert after(stop(at=minute(9000))).deliver(start()).changed


def test_a_newer_stop_of_something_else_keeps_no_start_from_its_own() -> None:
    ledger = after(stop(TEXTS, minute(1)), stop(CALLS, minute(9)))
    assert ledger.deliver(start(TEXTS, minute(5))).drop == (TEXTS,)


def test_a_start_between_two_opt_outs_gives_back_the_first_and_leaves_the_second() -> None:
    ledger = after(stop(at=minute(1)), stop(MARKETING, minute(9)))
    both = replace(start(at=minute(5)), gives_back=frozenset({EVERYTHING, MARKETING}))
    assert ledger.deliver(both).drop == (EVERYTHING,)
    assert [row.scope for row in ledger.standing] == [MARKETING]


def test_an_opt_in_with_its_time_needs_evidence_like_any_other() -> None:
    ledger = after(stop(at=minute(1), reason=Reason.COMPLAINT))
    decision = ledger.deliver(start(at=minute(2)))
    assert not decision.changed
    assert decision.refused


scopes = st.builds(
    Scope,
    st.sampled_from([ANY, *PHONES]),
    st.sampled_from([ANY, *TOPICS]),
    st.sampled_from([ANY, *Purpose]),
)
times = st.integers(1, 6).map(minute)
acts = st.lists(
    st.builds(stop, scopes, times) | st.builds(start, scopes, times), min_size=1, max_size=6
)


def in_true_order(given_: Iterable[Evidence]) -> list[Evidence]:
    """By the time each act happened; in a tie the opt-out is the later one."""
    return sorted(given_, key=lambda act: (act.occurred_at, act.action is Action.OPT_OUT))


@pytest.mark.parametrize("authority", [Authority.RECIPIENT_PHONE, Authority.RECIPIENT_PAGE])
@given(given_=acts, data=st.data())
def test_no_order_of_delivery_leaves_anybody_less_suppressed(
    authority: Authority, given_: list[Evidence], data: st.DataObject
) -> None:
    said = [replace(act, authority=authority) for act in given_]
    twice = data.draw(st.lists(st.sampled_from(said), max_size=3))
    delivered = data.draw(st.permutations(said + twice))
    assert after(*delivered).stopped >= after(*in_true_order(said)).stopped


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_stop_that_is_the_newest_word_wins_in_whatever_order_it_comes(
    order: tuple[int, ...],
) -> None:
    said = [stop(at=minute(1)), start(at=minute(2)), stop(at=minute(3))]
    assert after(*(said[n] for n in order)).stopped == set(QUESTIONS)


def test_what_an_event_put_is_taken_back_and_nothing_else() -> None:
    ledger = after(stop(TEXTS), stop(MARKETING))
    assert ledger.deliver(undo(2)) == Decision(drop=(MARKETING,))
    assert [row.scope for row in ledger.standing] == [TEXTS]


def test_what_is_left_of_an_event_after_an_opt_in_to_a_part_is_taken_back_too() -> None:
    page = replace(start(Scope(ANY, "offers", "marketing")), authority=Authority.RECIPIENT_PAGE)
    ledger = after(stop(MARKETING), page)
    assert {row.scope.topic for row in ledger.standing} == {"newsletter", "-"}
    ledger.deliver(undo(1))
    assert ledger.standing == []


@pytest.mark.parametrize("later", [MARKETING, TEXTS, EVERYTHING, CALLS])
def test_nothing_is_taken_back_once_another_opt_out_came(later: Scope) -> None:
    ledger = after(stop(MARKETING), stop(later))
    assert ledger.deliver(undo(1)) == Decision(overtaken=True)


def test_an_event_that_changed_nothing_has_nothing_to_take_back() -> None:
    assert after(stop(MARKETING), stop(MARKETING)).deliver(undo(2)) == Decision()


def test_an_event_that_raised_a_reason_did_not_put_what_stands() -> None:
    ledger = after(stop(MARKETING, reason=Reason.BOUNCED), stop(MARKETING))
    assert ledger.standing[0].event == 2
    assert ledger.deliver(undo(2)) == Decision()


def test_taking_back_goes_by_the_ladder() -> None:
    ledger = after(stop(MARKETING, reason=Reason.COMPLAINT))
    assert ledger.deliver(undo(1, Authority.AGENT)).refused
    assert ledger.deliver(undo(1, Authority.ADMIN)).drop == (MARKETING,)


@pytest.mark.parametrize("number", [0, 2, 3, 99])
def test_what_is_no_opt_out_of_the_address_cannot_be_taken_back(number: int) -> None:
    ledger = after(stop(MARKETING), start(TEXTS))
    assert not ledger.deliver(undo(number)).changed


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_holds_are_gone_when_all_are_taken_back_in_whatever_order(
    order: tuple[int, ...],
) -> None:
    ledger = after(stop(MARKETING), stop(MARKETING), stop(MARKETING))
    *first, last = order
    for number in first:
        ledger.deliver(undo(number))
        assert [row.scope for row in ledger.standing] == [MARKETING], "one is still undecided"
    ledger.deliver(undo(last))
    assert ledger.standing == []


def test_a_real_opt_out_among_holds_keeps_what_they_held() -> None:
    ledger = after(stop(MARKETING), stop(TEXTS), stop(MARKETING))
    ledger.deliver(undo(1), undo(3))
    assert {row.scope for row in ledger.standing} == {MARKETING, TEXTS}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_so_are_holds_of_different_things(order: tuple[int, int]) -> None:
    ledger = after(stop(TEXTS), stop(CALLS))
    ledger.deliver(*map(undo, order))
    assert ledger.standing == []


stops_and_undos = st.lists(
    st.builds(stop, scopes, reason=st.sampled_from([Reason.BOUNCED, Reason.OPTED_OUT]))
    | st.builds(undo, st.integers(1, 8)),
    max_size=8,
)


@given(stops_and_undos)
def test_whatever_is_taken_back_the_other_opt_outs_hold(said: list[Evidence]) -> None:
    stopped = after(*said).stopped
    for number, act in enumerate(said, start=1):
        taken_back = any(later.undoes == number for later in said[number:])
        if act.action is Action.OPT_OUT and not taken_back:
            assert stopped >= {asked for asked in QUESTIONS if act.scope.covers(asked)}


@given(st.lists(st.builds(stop, scopes), min_size=1, max_size=5), st.data())
def test_when_all_is_taken_back_nothing_is_left(said: list[Evidence], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(1, len(said) + 1)))
    assert after(*said, *map(undo, order)).standing == []
