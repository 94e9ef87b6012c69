"""The database goes away and comes back: an error for everybody, "allowed" for nobody."""

import os
import sqlite3
from pathlib import Path

from flask.testing import FlaskClient

from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.errors import StoreUnavailable
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from optout_service.store import chain
from tests import stage
from tests.cast import ANA
from tests.stage import KEYS, Cast
from tests.store.acts import act

MAIL = Address.parse(Kind.EMAIL, ANA.email)
MARKETING = Scope("email", "*", "marketing")
PATH = "/hooks/twilio/messages"


class Doors:
    """One caller at each door, and what each is told."""

    def __init__(self, rt: Runtime, cast: Cast) -> None:
        self.client: FlaskClient = create_app(rt).test_client()
        self._link = f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL))}"
        self._key = {"Authorization": f"Bearer {cast.keys['integration']}"}

    def statuses(self, number: int = 1) -> dict[str, int]:
        asked = {"channel": "email", "address": f"r{number}@example.com"}
        fields = {
            "AccountSid": stage.ACCOUNT,
            "MessageSid": f"SM{number}",
            "From": f"+141555526{number:02d}",
            "To": stage.LONG_CODE,
            "Body": "STOP",
        }
        signature = twilio.sign(stage.TOKEN, f"{stage.PUBLIC_URL}{PATH}", fields)
        post = self.client.post
        answers = {
            "check": post("/v1/check", json=asked, headers=self._key),
            "batch": post(
                "/v1/check/batch",
                json={"channel": "email", "addresses": ["a@example.com"]},
                headers=self._key,
            ),
            "opt-out": post("/v1/opt-outs", json=asked, headers=self._key),
            "one click": post(self._link),
            "page": post(self._link, data={"action": "topic"}),
            "hook": post(PATH, data=fields, headers={"X-Twilio-Signature": signature}),
            "ready": self.client.get("/readyz"),
            "up": self.client.get("/healthz"),
        }
        for name, answer in answers.items():
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) > 0, name
                assert "Traceback" not in answer.text
        return {name: answer.status_code for name, answer in answers.items()}


WELL = {
    "check": 200,
    "batch": 200,
    "opt-out": 201,
    "one click": 200,
    "page": 200,
    "hook": 200,
    "ready": 200,
    "up": 200,
}


def test_a_copy_put_in_the_place_of_the_file_is_the_one_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "optout.db"
    rt = Runtime.set_up(stage.settings_for(f"sqlite:///{path}"), KEYS)
    cast = stage.set_up(rt)
    doors = Doors(rt, cast)
    doors.statuses(1)
    with sqlite3.connect(path) as source, sqlite3.connect(tmp_path / "copy.db") as copy:
        source.backup(copy)
    for suffix in ("-wal", "-shm"):
        path.with_name(f"optout.db{suffix}").unlink(missing_ok=True)
    os.replace(tmp_path / "copy.db", path)
    assert doors.statuses(2) == WELL
    other = Runtime.build(stage.settings_for(f"sqlite:///{path}"), KEYS)
    left = Address.parse(Kind.EMAIL, "r2@example.com")
    assert other.check(cast.acme, left, MARKETING).suppressed, "written to the file that is there"
    other.close()
    rt.close()


def test_a_full_disk_acknowledges_nothing_and_passes(tmp_path: Path) -> None:
    rt = Runtime.set_up(stage.settings_for(f"sqlite:///{tmp_path}/optout.db"), KEYS)
    cast = stage.set_up(rt)
    with rt.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    refused = 0
    for number in range(200):
        address = Address.parse(Kind.EMAIL, f"r{number}@example.com")
        stored = opt_out(rt, cast, address)
        refused += not stored
        assert rt.check(cast.acme, address, MARKETING).suppressed is stored
    assert refused > 0
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).events == 200 - refused
    with rt.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert opt_out(rt, cast, MAIL)
    rt.close()


def opt_out(rt: Runtime, cast: Cast, address: Address) -> bool:
    """Whether it was acknowledged."""
    try:
        with rt.writing() as connection:
            rt.record(connection, act(cast.acme, address=address, scope=MARKETING))
    except StoreUnavailable:
        return False
    return True
