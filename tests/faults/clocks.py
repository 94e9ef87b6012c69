"""R8: our clock is a day ahead, a day behind, and steps back between two requests."""

import itertools
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from optout_service.app import create_app
from optout_service.doctor import database as doctor
from optout_service.doctor.finding import Level
from optout_service.evidence import checkpoints
from optout_service.runtime import Runtime
from optout_service.store import keys as api_keys
from optout_service.store import tenants
from optout_service.store.keys import Role
from tests import stage
from tests.faults.aftermath import read
from tests.faults.checker import violations
from tests.faults.crowd import every_door
from tests.faults.doors import Premises, caller, mail
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.faults.history import History, Told
from tests.server import free_port

OUT: Final = "/v1/opt-outs"
IN: Final = "/v1/opt-ins"
WORDS: Final = {"reference": "T-1", "statement": "She wrote: please send it again."}
DAY: Final = timedelta(days=1)


@dataclass
class Clock:
    """How far ours is from the true one."""

    shift: timedelta = timedelta()


@dataclass(frozen=True)
class Unsteady(Runtime):
    """A process whose clock can be set. All that the service knows of time comes from here."""

    clock: Clock = field(default_factory=Clock)

    def now(self) -> datetime:
        """The time, as this clock has it."""
        return super().now() + self.clock.shift


def nobody_is_refused(ground: Ground, size: Size) -> Figure:
    """Leave, ask and come back while the clock jumps about; then see what the doctor says."""
    with _serving(ground) as (rt, premises, bolt):
        history, chance, broken = History(), random.Random(8058), []
        for case in (_there_and_back, _dated, _sent_again, _expiring):
            broken += case(rt, bolt)
            rt.clock.shift = timedelta()
        with caller(premises, history) as one:
            for number in range(size.pick(30, 3000)):
                # A day ahead, a day behind, or anywhere between: other than a moment ago.
                rt.clock.shift = DAY * chance.choice((1, -1, chance.uniform(-1, 1)))
                if not every_door(one, number):
                    broken.append(f"with the clock at {rt.clock.shift} not every door served")
        broken += _diagnosed(rt)
        broken += violations(history, read(rt, premises.cast.acme, history))
    asked = history.count(Told.SUPPRESSED, Told.ALLOWED)
    return Figure(
        f"{history.count(Told.STORED)} opt-outs and {asked} answers to checks, the clock within a "
        "day of the true one and stepping before each: none refused, the ledger in its order; the "
        "doctor names the clock",
        tuple(broken),
    )


@dataclass(frozen=True)
class Bolt:
    """Another tenant's systems, whose acts go either way."""

    client: FlaskClient
    keys: Mapping[str, str]

    def post(self, path: str, body: Mapping[str, str], **headers: str) -> TestResponse:
        """POST JSON by the tenant's admin, unless ``key`` names another."""
        key = headers.pop("key", self.keys["bolt-admin"])
        shown = {"Authorization": f"Bearer {key}"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, json=body, headers=shown | given)

    def act(self, path: str, address: str, **more: str) -> int:
        """The status of an opt-out or an opt-in."""
        body = {"channel": "email", "address": address, **WORDS, **more}
        return self.post(path, body).status_code

    def suppressed(self, address: str) -> bool:
        """What a check says."""
        answer = self.post("/v1/check", {"channel": "email", "address": address})
        found: bool = answer.json["suppressed"]  # type: ignore[index]
        return found


def _there_and_back(rt: Unsteady, bolt: Bolt) -> Iterator[str]:
    """The last act counts, whatever the clock said at it."""
    for turn, days in enumerate(itertools.product((1, 0, -1), repeat=3)):
        told = []
        for shift, path in zip(days, (OUT, IN, OUT), strict=True):
            rt.clock.shift = shift * DAY
            bolt.act(path, mail(turn))
            told.append(bolt.suppressed(mail(turn)))
        if told != [True, False, True]:
            yield f"with the clock at {days} days: out, in, out was told {told}"


def _dated(rt: Unsteady, bolt: Bolt) -> Iterator[str]:
    """Who says truly when it was is not refused because our clock is wrong."""
    for days in (1, -1):
        true = rt.now().isoformat()
        rt.clock.shift = days * DAY
        status = bolt.act(OUT, f"dated{days}@example.com", occurred_at=true)
        if status != 201:
            yield f"with the clock at {days} days an opt-out that was dated truly got {status}"
        rt.clock.shift = timedelta()


def _sent_again(rt: Unsteady, bolt: Bolt) -> Iterator[str]:
    """An Idempotency-Key repeats its answer, and what is new under another is taken."""
    body = {"channel": "email", "address": "again@example.com"}
    first = bolt.post(OUT, body, Idempotency_Key="one")
    for days in (1, -1):
        rt.clock.shift = days * DAY
        if bolt.post(OUT, body, Idempotency_Key="one").data != first.data:
            yield f"with the clock at {days} days the answer is not repeated"
        if bolt.post(OUT, body, Idempotency_Key=f"at{days}").status_code != 200:
            yield f"with the clock at {days} days another key is not taken"


def _expiring(rt: Unsteady, bolt: Bolt) -> Iterator[str]:
    """A key that has expired by a wrong clock is good again when the clock is right."""
    with rt.writing() as connection:
        tenant = tenants.get(connection, "bolt").id
        _, key = api_keys.create(
            connection,
            tenant,
            Role.SENDER,
            name="expires",
            at=rt.now(),
            keys=rt.keys,
            expires_at=rt.now() + DAY / 2,
        )
    asked = {"channel": "email", "address": mail(0)}
    for days, status in ((0, 200), (-1, 200), (1, 401), (0, 200)):
        rt.clock.shift = days * DAY
        if (told := bolt.post("/v1/check", asked, key=key).status_code) != status:
            yield f"with the clock at {days} days a key of half a day got {told}"


def _diagnosed(rt: Unsteady) -> Iterator[str]:
    """A checkpoint that was dated ahead shows it, as does the database's own clock."""
    rt.clock.shift = DAY
    checkpoints.write(rt)
    rt.clock.shift = timedelta()
    if not any(one.level is Level.MEND for one in doctor.clock(rt)):
        yield "the doctor does not see that a checkpoint is dated ahead"
    rt.clock.shift = -DAY
    if not any(one.level is Level.MEND for one in doctor.clock(rt)):
        yield "the doctor does not see that the clock is behind"


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Writes no line for each request."""


@contextmanager
def _serving(ground: Ground) -> Iterator[tuple[Unsteady, Premises, Bolt]]:
    """The whole application in this process, over a socket, as its clock must be at hand."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    settings = stage.settings_for(
        ground.database(),
        public_url=base_url,
        checkpoint_dir=str(ground.folder / "checkpoints"),
        rate_per_second=1000,
        access_log=False,
    )
    rt = Unsteady.set_up(settings, stage.KEYS)
    cast = stage.set_up(rt)
    app = create_app(rt)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield rt, Premises(base_url, port, rt.links, cast), Bolt(app.test_client(), cast.keys)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        rt.close()
