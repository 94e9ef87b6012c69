"""R18: from the release before to this one, while people opt out and senders ask."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any, Final

import httpx

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.store import chain, revisions, tenants
from tests import releases
from tests.faults.figures import Figure, Size
from tests.faults.former import MAILS, PHONES, Former, empty_tables
from tests.faults.ground import Ground
from tests.server import Server

_CALLERS: Final = 4
_PATIENCE: Final = 120
_PAIR: Final = {"List-Unsubscribe": "One-Click"}


@dataclass
class Callers:
    """People with a link of the old release each, and senders who ask about them elsewhere."""

    links: Iterator[tuple[str, str]]
    key: str
    live: tuple[Server, ...]
    """The instances that are asked in turn, as a balancer does. Another tuple: another turn."""
    statuses: Counter[int] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    _turns: "count[int]" = field(default_factory=count)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """They do so for as long as the block lasts."""
        with ThreadPoolExecutor(_CALLERS) as pool:
            callers = [pool.submit(self._keep_calling) for _ in range(_CALLERS)]
            try:
                yield
            finally:
                self._over.set()
        for caller in callers:
            caller.result()

    def further(self, number: int) -> None:
        """Come back when so many more have been acknowledged."""
        wanted, deadline = len(self.acknowledged) + number, time.monotonic() + _PATIENCE
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, "nobody gets an answer any more"
            time.sleep(0.02)

    def broken(self) -> list[str]:
        """What did not go as it must."""
        odd = [f"{told}: {times} times" for told, times in self.statuses.items() if told != 200]
        stale = [f"{address} was called allowed after it left" for address in self.stale]
        return odd + stale + [f"nobody answered {path}" for path in self.unanswered]

    def _keep_calling(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._over.is_set():
                address, link = next(self.links)
                clicked = self._ask(client, link, data=_PAIR)
                if clicked is None or clicked.status_code != 200:
                    continue
                self.acknowledged.append(address)
                question = {"channel": "email", "address": address, "topic": "newsletter"}
                asked = self._ask(client, "/v1/check", json=question)
                if asked is not None and asked.status_code == 200:
                    self.stale += [] if asked.json()["suppressed"] else [address]

    def _ask(self, client: httpx.Client, path: str, **given: Any) -> httpx.Response | None:
        """Of one, and of the next where that one ends: both acts may be done twice."""
        for _ in range(3):
            live = self.live
            base = live[next(self._turns) % len(live)].base_url
            headers = {"Authorization": f"Bearer {self.key}"} if "json" in given else {}
            try:
                answer = client.post(f"{base}{path}", headers=headers, **given)
            except httpx.TransportError:
                continue
            self.statuses[answer.status_code] += 1
            self.answered[base] += 1
            return answer
        self.unanswered.append(path[:9])
        return None


def upgrade(ground: Ground, size: Size) -> Figure:
    """The old release serves; the schema moves under it; the new one joins; the old one goes."""
    some, home = size.pick(40, 2000), ground.folder
    database = ground.database() if ground.dialect == "postgresql" else ""
    code = releases.unpack(home)
    demo = ground.server(database, home=home, code=code, command="demo")
    one_url = {"OPTOUT_PUBLIC_URL": demo.base_url}
    old = ground.server(database, home=home, code=code, **one_url)
    new = ground.server(database, home=home, **one_url)
    demo.start()
    former = Former(demo)
    former.fill()
    addresses = [f"leaving{number}@example.com" for number in range(size.pick(500, 10_000))]
    links = cycle(zip(addresses, former.links(addresses), strict=True))
    demo.stop()
    url = new.settings.effective_database_url.reveal()
    empty, before = empty_tables(url), revisions.status(url).current
    callers = Callers(links, former.told["keys"]["sender"], (old,))
    old.start()
    with callers.calling():
        callers.further(some)
        new.run("db", "upgrade")
        callers.further(some)
        new.start()
        callers.live = (old, new)
        callers.further(4 * some)
        callers.live = (new,)
        status = old.stop()
        callers.further(some)
    after = revisions.status(url)
    broken = [f"the old release had nothing in {name}" for name in empty]
    broken += [] if after.up_to_date else ["the schema is not up to date"]
    broken += [] if status == 0 else [f"the old release ended with status {status}"]
    broken += _unlike_before(new, former)
    broken += [*callers.broken(), *_lost(new, former, callers.acknowledged)]
    by_old, by_new = (callers.answered[server.base_url] for server in (old, new))
    return Figure(
        f"schema {before[:4] if before else before} to {after.newest[:4]}: "
        f"{len(callers.acknowledged)} opt-outs acknowledged, none lost, none unseen by a check at "
        f"the other; {by_old} requests answered by the old, {by_new} by the new, none failed",
        tuple(broken),
    )


def _unlike_before(new: Server, former: Former) -> Iterator[str]:
    """What was recorded before and the new release does not know, or cannot open."""
    key = {"Authorization": f"Bearer {former.told['keys']['sender']}"}
    for channel, addresses in (("email", MAILS), ("sms", PHONES)):
        for address in addresses:
            asked = {"channel": channel, "address": address, "topic": "newsletter"}
            told = httpx.post(f"{new.base_url}/v1/check", json=asked, headers=key, timeout=30)
            if not told.json().get("suppressed"):
                yield f"{address} had left before, and is not known any more"
    link = httpx.URL(former.told["link"]).path
    if httpx.get(f"{new.base_url}{link}").status_code != 200:
        yield "an old link does not open"


def _lost(new: Server, former: Former, acknowledged: list[str]) -> Iterator[str]:
    with new.looking_in() as rt, rt.reading() as connection:
        tenant = tenants.get(connection, former.told["tenant"]).id
        if not chain.verify(connection, tenant, rt.keys).whole:
            yield "the ledger's chain does not verify"
        digests = {rt.keys.digest(Address.parse(Kind.EMAIL, a)): a for a in acknowledged}
        asked = Scope("email", "newsletter", "marketing")
        found, _ = rt.check_many(tenant, list(digests), asked)
        yield from (f"{a} is lost" for digest, a in digests.items() if digest not in found)
