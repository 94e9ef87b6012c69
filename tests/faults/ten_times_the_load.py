"""R10: senders ask for ten times what there is, while people opt out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from optout_service.store import keys
from optout_service.store.keys import Role
from tests.faults import people
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.people import Seen
from tests.faults.senders import TURNED_AWAY
from tests.server import Server
from tests.stage import Cast
from tests.store.acts import act

_ROOT: Final = Path(__file__).parents[2]
_WELL: Final = ("200", "201")
_BEFORE: Final = 2000
"""Who opted out before it began: what an export has to say."""


def over_what_it_can(ground: Ground, size: Size) -> Figure:
    """No key has a limit, and all of them together ask for far more than the machine does."""
    return _try(ground, size, {})


def over_what_they_may(ground: Ground, size: Size) -> Figure:
    """Each key asks for far more than ten times what it may."""
    limits = {"OPTOUT_RATE_PER_SECOND": "2", "OPTOUT_HEAVY_RATE_PER_MINUTE": "6"}
    return _try(ground, size, limits)


def _try(ground: Ground, size: Size, limits: dict[str, str]) -> Figure:
    database = ground.database() if ground.dialect == "postgresql" else ""
    # In a few seconds nobody would have waited long enough to be turned away.
    limits |= {"OPTOUT_ACCESS_LOG": "false", "OPTOUT_API_PATIENCE_MS": str(size.pick(200, 1000))}
    server = ground.server(database, **limits)
    cast = server.set_up()
    with server.looking_in() as rt:
        secrets = _keys(rt, cast)
        _fill(rt, cast)
        server.start()
        seen, told = _together(server, rt, cast, secrets, size)
        lost = people.lost(rt, cast, seen)
    return _figure(seen, told, lost)


def _together(
    server: Server, rt: Runtime, cast: Cast, secrets: list[str], size: Size
) -> tuple[Seen, dict[str, int]]:
    """People opt out for as long as the senders ask."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.senders", str(server.port), str(size.pick(2, 60))],
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
        seen = people.leave(server, rt, cast, lambda: senders.poll() is not None)
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


def _figure(seen: Seen, told: dict[str, int], lost: list[str]) -> Figure:
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
