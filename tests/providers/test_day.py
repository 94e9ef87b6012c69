"""A day of a busy sender, made up: delivered clean, and as a bad line delivers it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Purpose
from optout_service.providers import messaging, reports
from optout_service.providers.inbound import Inbound, Meaning, Status
from optout_service.runtime import Runtime
from optout_service.store import senders, tenants
from tests import stage
from tests.providers.playing import suppressed
from tests.stage import Cast

WORDS = {
    "STOP": 20,
    "Stop!": 5,
    "désabonnement": 5,
    "START": 25,
    "HELP": 10,
    "wrong number": 5,
    "What time do you open?": 30,
}
SENDERS = (stage.LONG_CODE, stage.SHORT_CODE, stage.SHORT_CODE)
SEED = 20261124


@dataclass(frozen=True)
class Day:
    """How much goes on: messages, the phones they come from, and how often each is delivered."""

    messages: int
    phones: int
    copies: int


DAYS = {"sqlite": Day(2000, 60, 10), "postgresql": Day(150, 12, 4)}

Told = tuple[float, Inbound | Status]


def a_day(rt: Runtime, day: Day, chance: Random) -> list[Told]:
    """What happens, in order, with its second of the day. Nobody changes his mind within a minute:
    by then the first message has been delivered."""
    began = rt.now() - timedelta(days=1)
    phones = [f"+1415555{number:04d}" for number in range(2000, 2000 + day.phones)]
    last: Counter[str] = Counter()
    told: list[Told] = []
    for number in range(day.messages):
        at = number * 86_400 / day.messages
        phone = chance.choice([p for p in phones if at - last[p] > 60 or p not in last] or phones)
        last[phone] = int(at) + 1
        happened = began + timedelta(seconds=at)
        if chance.random() < 0.1:
            made: Inbound | Status = Status(
                "twilio", stage.ACCOUNT, f"SM{number:032d}", "sms", phone, stage.LONG_CODE, "",
                "undelivered", "21610", Meaning.BLOCKED, happened,
            )  # fmt: skip
        else:
            (text,) = chance.choices(list(WORDS), list(WORDS.values()))
            made = Inbound(
                "twilio", stage.ACCOUNT, f"SM{number:032d}", "sms", phone,
                chance.choice(SENDERS), "", text, occurred_at=happened,
            )  # fmt: skip
        told.append((at, made))
    return told


def on_a_bad_line(told: Sequence[Told], copies: int, chance: Random) -> list[Inbound | Status]:
    """Each is delivered within fifteen seconds, past its neighbours, and again hours later."""
    deliveries = [
        (at + (chance.uniform(0, 15) if copy == 0 else chance.uniform(15, 20_000)), number, copy)
        for number, (at, _) in enumerate(told)
        for copy in range(copies)
    ]
    return [told[number][1] for _, number, _ in sorted(deliveries)]


def deliver(rt: Runtime, tenant: int, told: Iterable[Inbound | Status]) -> dict[str, set[str]]:
    """Deliver all of it; what each message was answered, over all its deliveries."""
    answers: dict[str, set[str]] = {}
    for one in told:
        if isinstance(one, Status):
            reports.receive(rt, one, [tenant])
        else:
            answer = messaging.receive(rt, one, [tenant])
            answers.setdefault(one.message_id, set()).add(answer or "")
    return answers


def state(rt: Runtime, tenant: int, told: Iterable[Told]) -> dict[str, tuple[bool, ...]]:
    """Of each phone: whether marketing is stopped, and whether everything else is."""
    return {
        person: tuple(
            suppressed(rt, tenant, purpose=purpose, phone=Address.parse(Kind.PHONE, person))
            for purpose in Purpose
        )
        for person in {one.person for _, one in told}
    }


@pytest.fixture
def lines(rt: Runtime, cast: Cast) -> tuple[int, int]:
    """Two tenants with the same senders: one on a clean line, and one on a bad one."""
    with rt.writing() as connection:
        other = tenants.create(
            connection, "acme-2", name="Acme Shop", contact="help@acme.example", at=rt.now()
        ).id
        senders.put_account(connection, other, "twilio", stage.ACCOUNT, stage.TOKEN, keys=rt.keys)
        for sender in senders.list_all(connection, cast.acme):
            senders.create(connection, replace(sender, tenant=other))
    return cast.acme, other


def as_twilio_tells(told: Iterable[Told]) -> list[Told]:
    """Its hooks do not say when anything happened."""
    return [(at, replace(one, occurred_at=None)) for at, one in told]


def confirmations_in_a_row(told: Iterable[Told], answers: dict[str, set[str]]) -> int:
    """The most confirmations of an opt-out that anybody got without a START between them."""
    row: Counter[str] = Counter()
    most = 0
    for _, one in told:
        if isinstance(one, Inbound):
            if one.text == "START":
                row[one.person] = 0
            row[one.person] += any("START" in answer for answer in answers[one.message_id])
            most = max(most, row[one.person])
    return most


def test_a_day_that_comes_tenfold_and_out_of_step_ends_as_the_clean_one(
    rt: Runtime, lines: tuple[int, int], dialect: str
) -> None:
    clean, bad = lines
    chance, day = Random(SEED), DAYS[dialect]
    told = as_twilio_tells(a_day(rt, day, chance))
    first = deliver(rt, clean, [one for _, one in told])
    again = deliver(rt, bad, on_a_bad_line(told, day.copies, chance))
    ends = state(rt, clean, told)
    assert {stopped for stopped, _ in ends.values()} == {True, False}, "a day worth the name"
    assert state(rt, bad, told) == ends
    assert again == first, "each delivery of a message is answered alike"
    assert confirmations_in_a_row(told, again) == 1


def test_in_whatever_order_a_day_that_says_its_times_is_heard_nobody_is_less_stopped(
    rt: Runtime, lines: tuple[int, int]
) -> None:
    clean, bad = lines
    chance = Random(SEED)
    told = a_day(rt, Day(150, 15, 2), chance)
    shuffled = [one for _, one in told] * 2
    chance.shuffle(shuffled)
    deliver(rt, clean, [one for _, one in told])
    deliver(rt, bad, shuffled)
    truth, heard = state(rt, clean, told), state(rt, bad, told)
    for phone, stopped in truth.items():
        assert all(now >= then for now, then in zip(heard[phone], stopped, strict=True)), phone
