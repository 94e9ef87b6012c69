"""People who leave by every door, each on a connection of his own, and what they are told."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Final

import httpx

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from tests import stage
from tests.deploy.proxy import Proxy
from tests.server import Server
from tests.stage import Cast

Door = Callable[[httpx.Client, Runtime, Cast, int], tuple[Address, httpx.Response]]

_PEOPLE: Final = 6
"""Who leave at the same time: two at each door."""

_PATIENCE: Final = 15.0
"""Seconds: Twilio waits no longer for an answer to a hook."""

_HOOK: Final = "/hooks/twilio/messages"


@dataclass
class Seen:
    """What the people saw."""

    latencies: list[float] = field(default_factory=list)
    acknowledged: list[Address] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def percentile(self, part: float) -> float:
        """The milliseconds that this part of them stayed under."""
        ordered = sorted(self.latencies) or [0.0]
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


def leave(server: Server | Proxy, rt: Runtime, cast: Cast, is_over: Callable[[], bool]) -> Seen:
    """Have them leave until it is over, at the service itself or at the proxy before it."""
    arrive = server.client if isinstance(server, Proxy) else partial(_client, server)
    seen, numbers = Seen(), count()
    doors = (_click, _page, _text)

    def keep_leaving(door: Door) -> None:
        while not is_over():
            number = next(numbers)
            began = time.perf_counter()
            try:
                # A connection of his own, as everybody's mail client has.
                with arrive(timeout=_PATIENCE) as client:
                    address, answer = door(client, rt, cast, number)
                    told = str(answer.status_code)
            except httpx.TransportError as fault:
                told = repr(fault)
            took = time.perf_counter() - began
            seen.latencies.append(took)
            if told == "200":
                seen.acknowledged.append(address)
            else:
                seen.failed.append(f"{door.__name__} {number}: {told} after {took:.1f} s")

    with ThreadPoolExecutor(_PEOPLE) as people:
        leaving = [people.submit(keep_leaving, doors[n % len(doors)]) for n in range(_PEOPLE)]
    for one in leaving:
        one.result()
    return seen


def _client(server: Server, timeout: float) -> httpx.Client:
    return httpx.Client(base_url=server.base_url, timeout=timeout)


def _link(rt: Runtime, cast: Cast, address: Address) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', address, 'newsletter'))}"


def _click(
    client: httpx.Client, rt: Runtime, cast: Cast, number: int
) -> tuple[Address, httpx.Response]:
    address = Address.parse(Kind.EMAIL, f"click{number}@example.com")
    form = {"List-Unsubscribe": "One-Click"}
    return address, client.post(_link(rt, cast, address), data=form)


def _page(
    client: httpx.Client, rt: Runtime, cast: Cast, number: int
) -> tuple[Address, httpx.Response]:
    address = Address.parse(Kind.EMAIL, f"page{number}@example.com")
    link = _link(rt, cast, address)
    opened = client.get(link)
    done = client.post(link, data={"action": "topic"})
    return address, done if opened.status_code == 200 else opened


def _text(
    client: httpx.Client, rt: Runtime, cast: Cast, number: int
) -> tuple[Address, httpx.Response]:
    address = Address.parse(Kind.PHONE, f"+1415555{number % 10_000:04d}")
    fields = {
        "AccountSid": stage.ACCOUNT,
        "MessageSid": f"SM{number}",
        "From": address.value,
        "To": stage.LONG_CODE,
        "Body": "STOP",
    }
    signature = twilio.sign(stage.TOKEN, f"{rt.settings.public_url}{_HOOK}", fields)
    return address, client.post(_HOOK, data=fields, headers={"X-Twilio-Signature": signature})


def lost(rt: Runtime, cast: Cast, seen: Seen) -> list[str]:
    """Who was told that he left, and a check does not know it."""
    missed = []
    for channel, kind in (("email", Kind.EMAIL), ("sms", Kind.PHONE)):
        digests = {rt.keys.digest(a): a.value for a in seen.acknowledged if a.kind is kind}
        asked = Scope(channel, "newsletter", "marketing")
        found, _ = rt.check_many(cast.acme, list(digests), asked)
        missed += [f"{value} is lost" for digest, value in digests.items() if digest not in found]
    return missed
