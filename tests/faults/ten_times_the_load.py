"""R10: senders ask for ten times what there is, while people opt out."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import httpx

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from optout_service.store import keys
from optout_service.store.keys import Role
from tests import stage
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.senders import TURNED_AWAY
from tests.server import Server
from tests.stage import Cast
from tests.store.acts import act

Door = Callable[[httpx.Client, Runtime, Cast, int], tuple[Address, httpx.Response]]

_PEOPLE: Final = 6
"""Who opt out at the same time: two at each door."""

_PATIENCE: Final = 15.0
"""Seconds: Twilio waits no longer for an answer to a hook."""

_HOOK: Final = "/hooks/twilio/messages"
_ROOT: Final = Path(__file__).parents[2]
_WELL: Final = ("200", "201")
_BEFORE: Final = 2000
"""Who opted out before it began: what an export has to say."""


@dataclass
class _Seen:
    """What the people saw."""

    latencies: list[float] = field(default_factory=list)
    acknowledged: list[Address] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def percentile(self, part: float) -> float:
        ordered = sorted(self.latencies) or [0.0]
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


def over_what_it_can(ground: Ground, size: Size) -> Figure:
    """No key has a limit, and all of them together ask for far more than the machine does."""
    return _try(ground, size, {})


def over_what_they_may(ground: Ground, size: Size) -> Figure:
    """Each key asks for far more than ten times what it may."""
    limits = {"OPTOUT_RATE_PER_SECOND": "2", "OPTOUT_HEAVY_RATE_PER_MINUTE": "6"}
    return _try(ground, size, limits)


def _try(ground: Ground, size: Size, limits: dict[str, str]) -> Figure:
    database = ground.database() if ground.dialect == "postgresql" else ""
    server = ground.server(database, OPTOUT_ACCESS_LOG="false", **limits)
    cast = server.set_up()
    with server.looking_in() as rt:
        secrets = _keys(rt, cast)
        _fill(rt, cast)
        server.start()
        seen, told = _together(server, rt, cast, secrets, size)
        lost = _lost(rt, cast, seen)
    return _figure(seen, told, lost)


def _together(
    server: Server, rt: Runtime, cast: Cast, secrets: list[str], size: Size
) -> tuple[_Seen, dict[str, int]]:
    """People opt out for as long as the senders ask."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.senders", str(server.port), str(size.pick(3, 60))],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as senders:
        assert senders.stdin is not None
        assert senders.stdout is not None
        senders.stdin.write(json.dumps(secrets))
        senders.stdin.close()
        senders.stdout.readline()
        seen = _opt_out(server, rt, cast, lambda: senders.poll() is not None)
        told: dict[str, int] = json.loads(senders.stdout.read())
    return seen, told


def _keys(rt: Runtime, cast: Cast) -> list[str]:
    with rt.writing() as connection:
        made = [
            keys.create(
                connection, cast.acme, Role.INTEGRATION, name=f"s{n}", at=rt.now(), keys=rt.keys
            )
            for n in range(20)
        ]
    return [secret for _, secret in made]


def _fill(rt: Runtime, cast: Cast) -> None:
    scope = Scope("email", "*", "marketing")
    addresses = [Address.parse(Kind.EMAIL, f"b{n}@example.com") for n in range(_BEFORE)]
    with rt.writing() as connection:
        rt.record_many(
            connection, [act(cast.acme, address=address, scope=scope) for address in addresses]
        )


def _opt_out(server: Server, rt: Runtime, cast: Cast, is_over: Callable[[], bool]) -> _Seen:
    seen, numbers = _Seen(), count()
    doors = (_click, _page, _text)

    def keep_leaving(door: Door) -> None:
        while not is_over():
            number = next(numbers)
            began = time.perf_counter()
            try:
                # A connection of his own, as everybody's mail client has.
                with httpx.Client(base_url=server.base_url, timeout=_PATIENCE) as client:
                    address, answer = door(client, rt, cast, number)
                    told = str(answer.status_code)
            except httpx.TransportError as fault:
                told = type(fault).__name__
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


def _lost(rt: Runtime, cast: Cast, seen: _Seen) -> list[str]:
    lost = []
    for channel, kind in (("email", Kind.EMAIL), ("sms", Kind.PHONE)):
        digests = {rt.keys.digest(a): a.value for a in seen.acknowledged if a.kind is kind}
        asked = Scope(channel, "newsletter", "marketing")
        found, _ = rt.check_many(cast.acme, list(digests), asked)
        lost += [f"{value} is lost" for digest, value in digests.items() if digest not in found]
    return lost


def _figure(seen: _Seen, told: dict[str, int], lost: list[str]) -> Figure:
    answered = sum(times for what, times in told.items() if what.split(" ", 1)[1] in _WELL)
    away = sum(times for what, times in told.items() if what.split(" ", 1)[1] in TURNED_AWAY)
    broken = seen.failed if len(seen.failed) > len(seen.latencies) // 1000 else []
    broken += lost
    broken += [
        f"{what}: {times} times"
        for what, times in told.items()
        if what.split(" ", 1)[1] not in (*_WELL, *TURNED_AWAY)
    ]
    if not away:
        broken.append("nobody was turned away: there was too little to do")
    return Figure(
        f"{len(seen.acknowledged)} of {len(seen.latencies)} opt-outs acknowledged, none lost, "
        f"p50 {seen.percentile(0.5):.0f}, p99 {seen.percentile(0.99):.0f} ms; "
        f"of the senders' requests {answered} were answered and {away} told 429 or 503",
        tuple(broken),
    )
