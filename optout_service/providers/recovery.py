"""After an outage: what a provider's own log knows of and we do not is recorded, once.

Each entry goes the way a hook would have gone, with the time at which it was sent. So the guard
against replays counts it once, and the rule about late words holds: an old START changes nothing
after a newer STOP.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress
from optout_service.core.evidence import ProviderMessage
from optout_service.core.keyword import Intent
from optout_service.core.scope import Kind
from optout_service.providers import messaging, reports
from optout_service.providers.inbound import Inbound, Status
from optout_service.runtime import Runtime
from optout_service.store import received


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which we did not hear: from the last entry that we had heard to the next.

    ``after`` is None where nothing was heard before, ``until`` where nothing was heard since.
    """

    after: datetime | None
    first: datetime
    last: datetime
    until: datetime | None
    missed: int


@dataclass(slots=True)
class Report:
    """What a log held: entries read, those that ask for something and were known, those missed."""

    read: int = 0
    known: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    silences: list[Silence] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Act:
    """An entry that asks for something: what, and when it was sent."""

    at: datetime
    kind: str
    told: Inbound | Status


def recover(
    rt: Runtime, log: Iterable[Inbound | Status], tenants: Sequence[int], *, dry_run: bool = False
) -> Report:
    """Record what was missed, oldest first. ``tenants``: those for whom the log was read.

    Nothing is written before the log has been read to its end, and nothing at all in a dry run. To
    run it again is harmless. Raises what reading the log raises, and StoreUnavailable.
    """
    report = Report()
    acts = []
    for told in log:
        report.read += 1
        if (act := _act(rt, told, tenants)) is not None:
            acts.append(act)
    heard: list[tuple[datetime, bool]] = []
    late: set[str] = set()
    for act in sorted(acts, key=lambda act: act.at):
        missed = not _is_known(rt, act.told.key, tenants)
        heard.append((act.at, not missed))
        if missed:
            report.missed[act.kind] += 1
        else:
            report.known += 1
        if not dry_run:
            _record(rt, act, tenants, late, missed=missed)
    report.silences = silences(heard)
    return report


def silences(heard: Iterable[tuple[datetime, bool]]) -> list[Silence]:
    """The times of deafness, from entries in order, each with whether it was heard."""
    found: list[Silence] = []
    last_heard: datetime | None = None
    missed: list[datetime] = []
    for at, was_heard in heard:
        if not was_heard:
            missed.append(at)
            continue
        if missed:
            found.append(Silence(last_heard, missed[0], missed[-1], at, len(missed)))
        last_heard, missed = at, []
    if missed:
        found.append(Silence(last_heard, missed[0], missed[-1], None, len(missed)))
    return found


def _act(rt: Runtime, told: Inbound | Status, tenants: Sequence[int]) -> _Act | None:
    """What an entry asks for. None where a hook would have stored nothing either."""
    if told.occurred_at is None or not _is_phone(told.person):
        return None
    if isinstance(told, Status):
        reason = reports.REASONS.get(told.meaning)
        return _Act(told.occurred_at, reason, told) if reason else None
    with rt.reading() as connection:
        found = messaging.reached(connection, told, tenants)
        intent = messaging.read(rt, connection, told, found).intent
    if intent in (Intent.NONE, Intent.HELP) or (intent is Intent.OPT_IN and len(found) != 1):
        return None
    return _Act(told.occurred_at, intent, told)


def _record(
    rt: Runtime,
    act: _Act,
    tenants: Sequence[int],
    late: set[str],
    *,
    missed: bool,
) -> None:
    """Record an act, and again a START that was heard before the STOP it answers.

    Heard alone, such a START had nothing to give back. Once its STOP is there it is applied again,
    in its own name and at its own time, so that whoever came back is not kept out by our outage.
    """
    # What is known counts once whatever we do; asked again, it is known for all of the tenants.
    match act.told:
        case Status() as status:
            reports.receive(rt, status, tenants)
        case Inbound() as inbound:
            messaging.receive(rt, inbound, tenants)
            if act.kind == Intent.OPT_IN and not missed and inbound.person in late:
                again = replace(inbound, message_id=f"{inbound.message_id}/again")
                messaging.receive(rt, again, tenants)
    if act.kind != Intent.OPT_IN and missed:
        late.add(act.told.person)


def _is_known(rt: Runtime, key: ProviderMessage, tenants: Sequence[int]) -> bool:
    with rt.reading() as connection:
        return received.knows(connection, tenants, key)


def _is_phone(person: str) -> bool:
    try:
        Address.parse(Kind.PHONE, person)
    except InvalidAddress:
        return False
    return True
