"""R15: everybody tries to lift what stands, by every door, also those who may."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from click.testing import CliRunner
from sqlalchemy import select

from optout_service.cli import main
from optout_service.core.address import Address
from optout_service.core.evidence import Action
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store.chain import private_context
from optout_service.store.tables import event, suppression
from tests import stage
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.street import GROUNDS, Knock, Street
from tests.stage import Cast
from tests.store.acts import MARKETING, act

_FIRST: Final = 2000
_THREADS: Final = 4
Rows = defaultdict[bytes, set[tuple[Any, ...]]]
_KEYS: Final = ("integration", "agent", "admin", "platform", "sender", "auditor", "bolt-admin")


@dataclass
class _Crowd:
    """Everybody who tries, and whom they try it with."""

    street: Street
    people: int
    reviews: list[int]
    database: str
    cap: int

    def anybody(self, chance: random.Random) -> dict[str, Any]:
        """Somebody who left Acme."""
        number = _FIRST + chance.randrange(self.people)
        return {"channel": "email", "address": self.street.email(number)}

    def key(self, chance: random.Random) -> Knock:
        """Any API key, with grounds or without, sometimes the same request again."""
        by = chance.choice(_KEYS)
        grounds = chance.choice([GROUNDS, GROUNDS, GROUNDS, {"reference": "T-1"}, {}])
        headers = {}
        if by == "platform" and chance.random() < 0.8:
            headers["Optout-Tenant"] = "acme"
        if chance.random() < 0.3:
            headers["Idempotency-Key"] = f"again-{chance.randrange(40)}"
        body = self.anybody(chance) | grounds | chance.choice([{}, {"topic": "newsletter"}])
        return self.street.asks("/v1/opt-ins", body, by, headers=headers)

    def listed(self, chance: random.Random) -> Knock:
        """A list that says of many that they came back."""
        rows = "".join(f"{self.anybody(chance)['address']},subscribed,opt_in\n" for _ in range(20))
        data = f"address,status,action\n{rows}".encode()
        knock = self.street.asks("/v1/imports?channel=email", by=chance.choice(_KEYS))
        return replace(knock, body=data, content_type="text/csv")

    def decided(self, chance: random.Random) -> Knock:
        """A decision that a doubtful text was no opt-out."""
        path = f"/v1/reviews/{chance.choice(self.reviews)}/decision"
        body = {"decision": "not_opt_out", "reason": "a joke, she says"}
        return self.street.asks(path, body, chance.choice(_KEYS))

    def page(self, chance: random.Random) -> Knock:
        """The page, posted to without its offer, or with somebody else's."""
        number = _FIRST + chance.randrange(self.people)
        action = chance.choice(["return", "undo"])
        offer = chance.choice(["", "nonsense", self._offer_of_another(number)])
        return self.street.page(number, action=action, offer=offer)

    def text(self, chance: random.Random) -> Knock:
        """START from a telephone, for a mailbox."""
        number = _FIRST + chance.randrange(self.people)
        return self.street.text(number, "START", str(chance.randrange(10)))

    def mail(self, chance: random.Random) -> Knock:
        """A letter that asks to be sent everything again."""
        return self.street.mail("words_proven", _FIRST + chance.randrange(self.people))

    def switched(self, chance: random.Random) -> Knock:
        """A request for an opt-out that says it is an opt-in."""
        body = self.anybody(chance) | GROUNDS | {"action": "opt_in", "lift": True}
        return self.street.asks("/v1/opt-outs", body, chance.choice(_KEYS))

    def forged(self, chance: random.Random) -> Knock:
        """No key of ours."""
        headers = {"Authorization": f"Bearer oo_{chance.randbytes(16).hex()}"}
        return self.street.asks("/v1/opt-ins", self.anybody(chance) | GROUNDS, headers=headers)

    def at_the_console(self, chance: random.Random) -> None:
        """``optout review decide``, by an operator."""
        keys = stage.KEYS
        environ = {
            "OPTOUT_DATABASE_URL": self.database,
            "OPTOUT_PEPPER": keys.pepper.hex(),
            "OPTOUT_ENCRYPTION_KEYS": keys.encryption[0].hex(),
            "OPTOUT_SIGNING_KEYS": keys.signing[0].hex(),
            "OPTOUT_LIFT_CAP": str(self.cap),
        }
        which = str(chance.choice(self.reviews))
        asked = ["review", "decide", "--tenant", "acme", which, "not_opt_out", "--reason", "a joke"]
        CliRunner().invoke(main, asked, env=environ)

    def _offer_of_another(self, number: int) -> str:
        other = _FIRST + (number + 1 - _FIRST) % self.people
        answer = self.street.page(other, action="return").at(self.street.app.test_client())
        mark = 'name="offer" value="'
        return answer.text.partition(mark)[2].partition('"')[0]


def run(ground: Ground, size: Size) -> Figure:
    """So many attempts, several at a time, by all doors; then the ledger is read."""
    cap, attempts = size.pick(9, 100), size.pick(240, 10_000)
    url = ground.database()
    rt = Runtime.set_up(stage.settings_for(url, lift_cap=cap), stage.KEYS)
    try:
        cast = stage.set_up(rt)
        crowd = _assembled(Street(rt, cast), url, people=cap * 3, reviews=cap, cap=cap)
        before = _standing(rt)
        said = _all_try(crowd, attempts, size.pick(2, 50))
        return _judged(rt, cast, crowd, before, said)
    finally:
        rt.close()


def _assembled(street: Street, url: str, *, people: int, reviews: int, cap: int) -> _Crowd:
    left = [
        act(street.cast.acme, address=Address.parse(Kind.EMAIL, street.email(n)), scope=MARKETING)
        for n in range(_FIRST, _FIRST + people)
    ]
    with street.rt.writing() as connection:
        street.rt.record_many(connection, left)
    numbers = [street.review(_FIRST + people + n) for n in range(reviews)]
    return _Crowd(street, people, numbers, url, cap)


def _all_try(crowd: _Crowd, attempts: int, at_the_console: int) -> Counter[int]:
    kinds: tuple[Callable[[random.Random], Knock], ...] = (
        *(crowd.key,) * 6,
        crowd.listed,
        *(crowd.decided,) * 2,
        crowd.page,
        crowd.text,
        crowd.mail,
        crowd.switched,
        crowd.forged,
    )

    def some(seed: int) -> Counter[int]:
        chance, client = random.Random(seed), crowd.street.app.test_client()
        said = Counter[int]()
        for _ in range(attempts // _THREADS):
            said[chance.choice(kinds)(chance).at(client).status_code] += 1
        return said

    with ThreadPoolExecutor(_THREADS) as pool:
        said = sum(pool.map(some, range(_THREADS)), Counter[int]())
    for seed in range(at_the_console):
        crowd.at_the_console(random.Random(seed))
    return said


def _judged(rt: Runtime, cast: Cast, crowd: _Crowd, before: Rows, said: Counter[int]) -> Figure:
    broken: list[str] = []
    with rt.reading() as connection:
        query = select(event).where(event.c.action == Action.OPT_IN, event.c.changed.is_(True))
        lifts = connection.execute(query).all()
    days = Counter((row.tenant, row.recorded_at.date()) for row in lifts)
    for (tenant, day), number in days.items():
        if number > crowd.cap:
            broken.append(f"tenant {tenant}: {number} lifts on {day}, over the cap of {crowd.cap}")
    if days.total() < crowd.cap:
        broken.append(f"{days.total()} lifts in all: not even the cap was tried")
    broken += [
        f"event {row.number} of {row.tenant}: {why}" for row in lifts if (why := _lacks(rt, row))
    ]
    after, lifted = _standing(rt), {row.digest for row in lifts}
    gone = [digest for digest in before if before[digest] - after[digest] and digest not in lifted]
    broken += [f"{digest.hex()}: less stands, and no event says why" for digest in gone]
    most = max((number for number in days.values()), default=0)
    refused = sum(number for status, number in said.items() if status >= 400)
    return Figure(
        f"{said.total():,} attempts by keys, lists, reviews, pages, texts, mail and the command "
        f"line, four at a time: {refused:,} refused, {most} lifted for one tenant under a cap of "
        f"{crowd.cap}",
        tuple(broken),
    )


def _lacks(rt: Runtime, row: Any) -> str:
    """What a lift must have with it and has not: who, and on which grounds."""
    if not row.actor.startswith(("key:", "operator:")):
        return f"lifted by {row.actor}"
    told = json.loads(rt.keys.open(row.private, private_context(row.tenant, row.number)))
    if told.get("reason") or (told.get("reference") and told.get("statement")):
        return ""
    return "no grounds"


def _standing(rt: Runtime) -> Rows:
    rows: Rows = defaultdict(set)
    with rt.reading() as connection:
        for row in connection.execute(select(suppression)):
            rows[row.digest].add((row.tenant, row.channel, row.topic, row.purpose))
    return rows
