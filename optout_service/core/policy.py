"""The rules: what an act does to what stands, and what a check is told.

Everything here is a table or a small function over values; the ledger loads, asks ``decide`` and
applies. An opt-out never lifts anything. An opt-in lifts only what the ladder allows, and an
opt-in to one topic never opens another.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.scope import ANY, CHANNELS_OF, OTHER, Kind, Purpose, Scope

PLATFORM: Final = 0
"""The tenant whose suppressions bind every tenant."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """The standing state "do not send" for one digest: where, why, by which door, since when.

    ``event`` is the number, in the ledger of ``tenant``, of the act that gave it its reason.
    """

    tenant: int
    scope: Scope
    reason: Reason
    source: Source
    since: datetime
    event: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """An opt-out of the same address in the tenant's ledger, as an opt-in must know of it.

    ``number``, ``occurred_at``, ``recorded_at``: of its event. ``taken_back``: an opt-in undid it.
    """

    number: int
    scope: Scope
    occurred_at: datetime
    recorded_at: datetime
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """Who may lift a suppression of one reason, and why it is so."""

    liftable_by: frozenset[Authority]
    because: str


_RECIPIENT: Final = frozenset({Authority.RECIPIENT_PAGE, Authority.RECIPIENT_PHONE})
_STAFF: Final = frozenset(
    {Authority.AGENT, Authority.INTEGRATION, Authority.ADMIN, Authority.PLATFORM}
)
_ADMINS: Final = frozenset({Authority.ADMIN, Authority.PLATFORM})

_UNREACHABLE: Final = _STAFF | {Authority.RECIPIENT_PHONE}

LADDER: Final[dict[Reason, Rung]] = {
    Reason.REASSIGNED: Rung(_UNREACHABLE, "a text from the phone proves its new owner's will"),
    Reason.BOUNCED: Rung(_UNREACHABLE, "a fact about delivery, which can turn out to have passed"),
    Reason.BLOCKED: Rung(_UNREACHABLE, "the provider lifts its block when the phone sends START"),
    Reason.OPTED_OUT: Rung(_RECIPIENT | _STAFF, "the person's own word, and theirs to take back"),
    Reason.COMPLAINT: Rung(
        _ADMINS | {Authority.RECIPIENT_PAGE},
        "who called it spam comes back by a deliberate act, not by a keyword or a form",
    ),
    Reason.LEGAL: Rung(frozenset({Authority.PLATFORM}), "an order binds until it is withdrawn"),
}
"""From the weakest reason to the strongest. A weaker one never takes a stronger one's place."""

_STRENGTH: Final = {reason: strength for strength, reason in enumerate(LADDER)}
_ONLY_PLATFORM: Final = frozenset({Authority.PLATFORM})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A suppression that stays although an opt-in asked for its scope, and who could lift it."""

    suppression: Suppression
    liftable_by: frozenset[Authority]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the ledger is to write: rows to put (new, or in place of the same scope), rows to drop.

    ``refused`` is what an opt-in asked for and may not have; then nothing is put or dropped. Nor is
    it where an opt-in is ``overtaken`` by a newer opt-out.
    """

    put: tuple[Suppression, ...] = ()
    drop: tuple[Scope, ...] = ()
    refused: tuple[Refusal, ...] = ()
    overtaken: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything in the state is different afterwards."""
        return bool(self.put or self.drop)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a check. ``matches`` says why; ``as_of`` is the tenant's ledger position."""

    matches: tuple[Suppression, ...]
    as_of: int

    @property
    def suppressed(self) -> bool:
        """Whether nobody may send."""
        return bool(self.matches)


def verdict(standing: Iterable[Suppression], asked: Scope, as_of: int) -> Verdict:
    """The answer for one address, from all that stands for its digest."""
    question = asked.as_question()
    return Verdict(tuple(row for row in standing if row.scope.covers(question)), as_of)


def may_come_back(standing: Iterable[Suppression], tenant: int, scope: Scope) -> bool:
    """Whether the recipient may lift, on the page, all that keeps ``scope`` from being sent."""
    rows = [row for row in standing if row.scope.overlaps(scope)]
    return not _refusals(rows, tenant, Authority.RECIPIENT_PAGE)


def decide(
    evidence: Evidence,
    standing: Sequence[Suppression],
    *,
    number: int,
    at: datetime,
    topics: Collection[str],
    earlier: Sequence[Earlier],
) -> Decision:
    """What an act does to what stands.

    ``standing``: all suppressions of the digest, the tenant's own and the platform's. ``number``:
    the event's number. ``at``: when it was received. ``topics``: the tenant's topics, to pin when
    an opt-in takes one topic out of "everything". ``earlier``: the digest's opt-outs at the tenant,
    for an opt-in that says when it happened or what it takes back: those that are not older than
    it, and those since the first that stands.
    """
    match evidence.action:
        case Action.OPT_OUT:
            return _opt_out(evidence, standing, number, at)
        case Action.OPT_IN:
            return _opt_in(evidence, standing, topics, earlier)


def strength(row: Suppression) -> tuple[int, bool]:
    """Sorts suppressions from the weakest to the strongest, as the ladder has it."""
    return _STRENGTH[row.reason], row.tenant == PLATFORM


def liftable_by(row: Suppression) -> frozenset[Authority]:
    """Who may lift a suppression. What the platform suppressed, nobody within a tenant may."""
    return _ONLY_PLATFORM if row.tenant == PLATFORM else LADDER[row.reason].liftable_by


def _opt_out(
    evidence: Evidence, standing: Sequence[Suppression], number: int, at: datetime
) -> Decision:
    new = Suppression(evidence.tenant, evidence.scope, evidence.reason, evidence.source, at, number)
    for row in standing:
        if row.tenant == evidence.tenant and row.scope == evidence.scope:
            if _STRENGTH[row.reason] >= _STRENGTH[evidence.reason]:
                return Decision()
            # Suppressed since the first act, for the stronger reason of the last.
            return Decision(put=(replace(new, since=row.since),))
    return Decision(put=(new,))


def _opt_in(
    evidence: Evidence,
    standing: Sequence[Suppression],
    topics: Collection[str],
    earlier: Sequence[Earlier],
) -> Decision:
    if _overtaken(evidence, earlier):
        return Decision(overtaken=True)
    touched = _touched(evidence, standing, earlier)
    if refused := _refusals(touched, evidence.tenant, evidence.authority):
        return Decision(refused=refused)
    kept = {row.scope: row for row in standing if row.tenant == evidence.tenant}
    for row in touched:
        del kept[row.scope]
    pins: dict[Scope, Suppression] = {}
    for row in touched:
        lifted = evidence.scope if evidence.undoes is None else row.scope
        for scope in _remainder(row.scope, lifted, evidence.address.kind, topics):
            there = pins.get(scope) or kept.get(scope)
            if there is None or _STRENGTH[there.reason] < _STRENGTH[row.reason]:
                pins[scope] = replace(row, scope=scope)
    return Decision(put=tuple(pins.values()), drop=tuple(row.scope for row in touched))


def _overtaken(evidence: Evidence, earlier: Sequence[Earlier]) -> bool:
    """Whether a newer opt-out keeps an opt-in from changing anything.

    An opt-in that says when it happened is late if an opt-out of the same things happened no
    earlier: deliveries are reordered, and an old START can be posted again. Where it does not say,
    it happened as it came. One by text gives back whole scopes, each by itself: it is late where
    that very scope was taken again. One that takes an event back is about the state that this
    event left.
    """
    again = [one.scope for one in earlier if _is_newer(one, evidence)]
    if _gives_back_scopes(evidence):
        return bool(again) and all(scope in again for scope in _given_back(evidence))
    if any(scope.overlaps(evidence.scope) for scope in again):
        return True
    return (undone := evidence.undoes) is not None and any(
        one.number > undone and not one.taken_back for one in earlier
    )


def _touched(
    evidence: Evidence, standing: Sequence[Suppression], earlier: Sequence[Earlier]
) -> list[Suppression]:
    """What an opt-in is about: all of it is lifted, or none."""
    if evidence.undoes is not None:
        own = [row for row in standing if row.tenant == evidence.tenant]
        return [row for row in own if _rests_on_nothing_else(row, evidence.undoes, earlier)]
    if _gives_back_scopes(evidence):
        again = {one.scope for one in earlier if _is_newer(one, evidence)}
        own = [row for row in standing if _taken_by_the_same_door(row, evidence)]
        return [row for row in own if row.scope not in again]
    return [row for row in standing if row.scope.overlaps(evidence.scope)]


def _rests_on_nothing_else(row: Suppression, undone: int, earlier: Sequence[Earlier]) -> bool:
    """Whether a suppression goes when an event is undone: no opt-out is left that asked for it.

    That is what the event put, and what was put by one that had been taken back while others were
    still to be heard. A reason that an event raised was not put by it.
    """
    recorded_at = {one.number: one.recorded_at for one in earlier}
    if undone not in recorded_at or recorded_at.get(row.event) != row.since:
        return False
    return all(one.taken_back or one.number == undone for one in earlier if one.number >= row.event)


def _taken_by_the_same_door(row: Suppression, evidence: Evidence) -> bool:
    """START gives back what STOP to the same sender took, and no brand's, page's or court's."""
    return row.tenant == evidence.tenant and row.scope in _given_back(evidence)


def _gives_back_scopes(evidence: Evidence) -> bool:
    return evidence.authority is Authority.RECIPIENT_PHONE and evidence.undoes is None


def _given_back(evidence: Evidence) -> Collection[Scope]:
    return (evidence.scope,) if evidence.gives_back is None else evidence.gives_back


def _is_newer(one: Earlier, evidence: Evidence) -> bool:
    return evidence.occurred_at is not None and evidence.occurred_at <= one.occurred_at


def _refusals(
    rows: Iterable[Suppression], tenant: int, authority: Authority
) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(row, who)
        for row in rows
        if authority not in (who := liftable_by(row)) or row.tenant != tenant
    )


def _remainder(row: Scope, lifted: Scope, kind: Kind, topics: Collection[str]) -> list[Scope]:
    """What of ``row`` is left when ``lifted`` is cut out of it: the rest is pinned, part by part.

    Whoever left everything and comes back for one topic has not asked for the others.
    """
    rest: list[Scope] = []
    channel, topic = row.channel, row.topic
    if row.channel == ANY and lifted.channel != ANY:
        rest += (replace(row, channel=c) for c in CHANNELS_OF[kind] if c != lifted.channel)
        channel = lifted.channel
    if row.topic == ANY and lifted.topic != ANY:
        others = sorted({*topics, OTHER} - {lifted.topic})
        rest += (Scope(channel, topic, row.purpose) for topic in others)
        topic = lifted.topic
    if row.purpose == ANY and lifted.purpose != ANY:
        rest += (Scope(channel, topic, p) for p in Purpose if p != lifted.purpose)
    return rest
