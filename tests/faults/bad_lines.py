"""R7: providers tell a thing ten times, in any order, or not at all; it ends as if told once.

Twilio's hooks do not say when anything happened; the others do. What Twilio never told is read from
its log afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Final

from optout_service.core.address import Address
from optout_service.core.scope import CHANNELS_OF, Kind, Purpose, Scope
from optout_service.providers import messaging, reports
from optout_service.providers.inbound import Inbound, Meaning, Status
from optout_service.providers.recovery import recover
from optout_service.runtime import Runtime
from optout_service.store import senders, tenants
from optout_service.store.senders import Sender, SenderKind
from tests import stage
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.street import Street
from tests.providers.playing import events, suppressed
from tests.providers.security import PLAYERS
from tests.providers.test_recovery import DAY, Then, failed, hook, read_log
from tests.stage import Cast
from tests.twilio_api import Message, Standin, message, serving

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
MAILS: Final = ("gmail_mailto", "arf_yahoo", "dsn_gmail")

Told = tuple[float, Inbound | Status]


@dataclass(frozen=True)
class Day:
    """How much goes on: messages, the phones they come from, and how often each is delivered."""

    messages: int
    phones: int
    copies: int


@contextmanager
def _house(ground: Ground) -> Iterator[tuple[Runtime, Cast]]:
    rt = Runtime.set_up(stage.settings_for(ground.database()), stage.KEYS)
    try:
        yield rt, stage.set_up(rt)
    finally:
        rt.close()


def tenfold(ground: Ground, size: Size) -> Figure:
    """Twilio tells a day tenfold and out of step."""
    day = Day(size.pick(120, 2000), size.pick(12, 60), size.pick(4, 10))
    with _house(ground) as (rt, cast):
        clean, bad = _lines(rt, cast)
        chance = Random(SEED)
        told = as_twilio_tells(a_day(rt, day, chance))
        first = deliver(rt, clean, [one for _, one in told])
        again = deliver(rt, bad, on_a_bad_line(told, day.copies, chance))
        ends, found = state(rt, clean, told), state(rt, bad, told)
    broken = [f"{phone} ends otherwise" for phone in ends if ends[phone] != found[phone]]
    broken += [f"{one} is answered in two ways" for one in first if first[one] != again[one]]
    if (row := confirmations_in_a_row(told, again)) != 1:
        broken.append(f"{row} confirmations in a row")
    if {stopped for stopped, _ in ends.values()} != {True, False}:
        broken.append("no day worth the name: all end alike")
    return Figure(
        f"{day.messages:,} texts and reports of {day.phones} phones, each {day.copies} times and "
        "past its neighbours",
        tuple(broken),
    )


def in_any_order(ground: Ground, size: Size) -> Figure:
    """Telnyx, Amazon, a mail server and Twilio's log, which say the time, in any order at all."""
    day = Day(size.pick(60, 400), size.pick(8, 30), size.pick(3, 10))
    broken: list[str] = []
    with _house(ground) as (rt, cast):
        clean, bad = _lines(rt, cast)
        chance = Random(SEED)
        told = a_day(rt, day, chance)
        shuffled = [one for _, one in told] * day.copies
        chance.shuffle(shuffled)
        deliver(rt, clean, [one for _, one in told])
        deliver(rt, bad, shuffled)
        broken += _less_stopped(state(rt, clean, told), state(rt, bad, told))
        street = Street(rt, cast)
        for name in ("telnyx", "aws"):
            broken += _played(street, name, day, chance)
        broken += _mailed(street, day, chance)
    return Figure(
        f"{day.messages} messages to each of four hooks, each {day.copies} times, shuffled",
        tuple(broken),
    )


def reconciled(ground: Ground, size: Size) -> Figure:
    """A fifth of a day never arrives, and its log is read in the evening."""
    log = _log_of_a_day(1, size.pick(80, 600))
    chance = Random(SEED)
    url, other = ground.database(), ground.database()
    rt, clean = (Then.set_up(stage.settings_for(one), stage.KEYS) for one in (url, other))
    try:
        cast, there = stage.set_up(rt), stage.set_up(clean)
        lost = {sent["sid"] for sent in log if chance.random() < 0.2}
        for sent in log:
            if sent["sid"] not in lost:
                hook(rt, cast, sent)
            hook(clean, there, sent)
        Then.moment = DAY + timedelta(days=1)
        with serving(Standin(log)) as api:
            first = recover(rt, read_log(api), [cast.acme])
            written = events(rt)
            again = recover(rt, read_log(api), [cast.acme])
        mine = _stopped_on(rt, cast.acme, log)
        truth = _stopped_on(clean, there.acme, log)
        broken = [f"{one} ends otherwise" for one in truth if truth[one] != mine[one]]
        if again.missed.total() or events(rt) != written:
            broken.append("reading the log again records something again")
        if not first.missed.total():
            broken.append("nothing was missed: no trial")
    finally:
        Then.moment = DAY
        rt.close()
        clean.close()
    return Figure(
        f"{len(lost)} of {len(log)} hooks dropped, {first.missed.total()} of them recorded from "
        "the provider's log, which was then read again",
        tuple(broken),
    )


_SAID: Final = (
    "STOP",
    "stop please",
    "START",
    "HELP",
    "thank you!",
    "wrong number",
    "unsubscribe",
    "Yes",
)


def _log_of_a_day(seed: int, count: int) -> list[Message]:
    """Texts and failures of some people, a minute or so apart, in order."""
    chance = Random(seed)
    people = [f"+1415555{n:04d}" for n in range(2000, 2000 + count // 10)]
    day = []
    for number in range(count):
        when = DAY + timedelta(seconds=number * 86_000 // count)
        person = chance.choice(people)
        sid = f"SM{seed:02d}{number:06d}"
        if chance.random() < 0.1:
            code = chance.choice(("21610", "30004", "30003"))
            day.append(message(sid, when, **failed(code, to=person)))
        else:
            to = chance.choice((stage.LONG_CODE, stage.SHORT_CODE))
            body = chance.choice(_SAID)
            day.append(message(sid, when, **{"from": person, "to": to, "body": body}))
    return day


def _stopped_on(rt: Runtime, tenant: int, day: list[Message]) -> dict[str, frozenset[Scope]]:
    """Who may not be sent what, at the end."""
    people = {sent["from"] if sent["direction"] == "inbound" else sent["to"] for sent in day}
    questions = [Scope(c, "*", p) for c in CHANNELS_OF[Kind.PHONE] for p in Purpose]
    return {
        person: frozenset(
            asked
            for asked in questions
            if rt.check(tenant, Address.parse(Kind.PHONE, person), asked).suppressed
        )
        for person in sorted(people)
    }


def _less_stopped(
    truth: dict[str, tuple[bool, ...]], heard: dict[str, tuple[bool, ...]]
) -> Iterator[str]:
    for phone, stopped in truth.items():
        if any(now < then for now, then in zip(heard[phone], stopped, strict=True)):
            yield f"{phone} is less stopped"


def _played(street: Street, name: str, day: Day, chance: Random) -> list[str]:
    """One provider's day: Acme hears it in order, and Bolt shuffled and several times."""
    rt, cast, player = street.rt, street.cast, PLAYERS[name]()
    ours, other = player.accounts
    with rt.writing() as connection:
        token = player.token("ours")
        senders.put_account(connection, cast.bolt, name, other, token, keys=rt.keys)
        made = Sender(cast.bolt, name, other, player.sender, SenderKind.LONG_CODE, "*", False)
        senders.create(connection, made)
    began = rt.now() - timedelta(seconds=100)
    said = [
        (
            chance.choice(("STOP", "START", "START", "wrong number")),
            f"{name}-{number}",
            began + timedelta(seconds=90 * number / day.messages),
            f"+1415555{3000 + chance.randrange(day.phones):04d}",
        )
        for number in range(day.messages)
    ]
    copies = said * day.copies
    chance.shuffle(copies)
    broken = []
    for account, heard in ((ours, said), (other, copies)):
        for text, name_, at, person in heard:
            body = player.body(text, name_, account, at, person=person)
            answer = player.sign(body, "ours", at).post(street.client)
            if answer.status_code >= 300:
                broken.append(f"{name}: {answer.status_code}")
    people = {person for *_, person in said}
    truth, found = (_stopped(rt, tenant, people) for tenant in (cast.acme, cast.bolt))
    return broken + [f"{name}: {fault}" for fault in _less_stopped(truth, found)]


def _mailed(street: Street, day: Day, chance: Random) -> list[str]:
    """One-clicks by mail, complaints and bounces."""
    rt, cast, ends = street.rt, street.cast, []
    for tenant, copies in ((cast.acme, 1), (cast.bolt, day.copies)):
        posts = [street.mail(MAILS[n % len(MAILS)], n, tenant) for n in range(day.phones)] * copies
        before = events(rt)
        if copies > 1:
            chance.shuffle(posts)
        refused = [
            answer for post in posts if (answer := post.at(street.client).status_code) != 200
        ]
        mailboxes = [Address.parse(Kind.EMAIL, street.email(n)) for n in range(day.phones)]
        stopped = [
            rt.check(tenant, one, Scope("email", "*", "marketing")).suppressed for one in mailboxes
        ]
        ends.append((events(rt) - before, refused, stopped))
    if ends[0] != ends[1] or not all(ends[0][2]):
        return [f"mail ends otherwise: {ends}"]
    return []


def _stopped(rt: Runtime, tenant: int, people: Iterable[str]) -> dict[str, tuple[bool, ...]]:
    """Of each phone: whether marketing is stopped, and whether everything else is."""
    return {
        person: tuple(
            suppressed(rt, tenant, purpose=purpose, phone=Address.parse(Kind.PHONE, person))
            for purpose in Purpose
        )
        for person in people
    }


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
    """How each phone of a day ends."""
    return _stopped(rt, tenant, {one.person for _, one in told})


def _lines(rt: Runtime, cast: Cast) -> tuple[int, int]:
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
