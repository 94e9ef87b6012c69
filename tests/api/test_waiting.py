"""Waiting at the end of the feed: told as it comes, and in nobody's way."""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from flask import Flask

from optout_service.api.waiting import Watch
from optout_service.app import create_app
from optout_service.core.errors import StoreUnavailable
from optout_service.runtime import Runtime
from optout_service.store import keys
from tests import stage
from tests.api.asking import MAIL, Asker

PATIENCE = 30
"""Seconds after which a thread that should have come back has not."""


class Positions:
    """What a watch reads: positions that a test sets, and what it was asked for."""

    def __init__(self) -> None:
        self.now: dict[int, int] = {}
        self.asked: list[set[int]] = []
        self.looked = threading.Event()
        self.fault: Exception | None = None

    def __call__(self, tenants: Collection[int]) -> Mapping[int, int]:
        self.asked.append(set(tenants))
        self.looked.set()
        if self.fault is not None:
            raise self.fault
        return {tenant: self.now.get(tenant, 0) for tenant in tenants}


def until(there: Callable[[], object]) -> None:
    """Come back when it is so."""
    deadline = monotonic() + PATIENCE
    while not there():
        assert monotonic() < deadline
        threading.Event().wait(0.01)


def returns(wait: Callable[[], object]) -> bool:
    """Whether a wait of an hour comes back at once."""
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_one_look_serves_all_who_wait() -> None:
    positions = Positions()
    watch = Watch(positions, most=8)
    with ThreadPoolExecutor(8) as waiters:
        waits = [waiters.submit(watch.wait, tenant, after=5, seconds=3600) for tenant in (1, 2) * 4]
        until(lambda: {1, 2} in positions.asked)
        positions.now = {1: 6, 2: 6}
        assert all(wait.result(PATIENCE) is None for wait in waits)
    assert all(len(asked) <= 2 for asked in positions.asked)
    assert threading.active_count() < 20


def test_whoever_finds_no_place_is_not_made_to_wait() -> None:
    watch = Watch(Positions(), most=0)
    assert returns(lambda: watch.wait(1, after=0, seconds=3600))


def test_an_event_of_another_tenant_wakes_nobody() -> None:
    positions = Positions()
    positions.now = {2: 9}
    watch = Watch(positions, most=2)
    thread = threading.Thread(target=watch.wait, args=(1,), kwargs={"after": 0, "seconds": 1})
    thread.start()
    assert positions.looked.wait(PATIENCE)
    thread.join(0.05)
    assert thread.is_alive()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("fault", [StoreUnavailable("gone"), ZeroDivisionError("ours")])
def test_when_the_store_cannot_be_read_all_go_and_see_for_themselves(fault: Exception) -> None:
    positions = Positions()
    positions.fault = fault
    watch = Watch(positions, most=1)
    assert returns(lambda: watch.wait(1, after=2**63 - 1, seconds=3600))
    positions.fault, positions.now = None, {1: 1}
    assert returns(lambda: watch.wait(1, after=0, seconds=3600)), "and it goes on working"


def test_a_process_that_is_to_end_keeps_nobody() -> None:
    watch = Watch(Positions(), most=1)
    watch.ending = lambda: True
    assert returns(lambda: watch.wait(1, after=0, seconds=3600))


class Waiter:
    """Somebody who waits at the end of the feed, in a thread of their own."""

    def __init__(self, app: Flask, headers: Mapping[str, str], query: str) -> None:
        self.answer: Any = None
        watch: Watch = app.extensions["optout_watch"]
        before = len(watch._waiting)

        def follow() -> None:
            self.answer = app.test_client().get(f"/v1/events?{query}", headers=dict(headers))

        self._thread = threading.Thread(target=follow, daemon=True)
        self._thread.start()
        until(lambda: len(watch._waiting) > before or self.answer)

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.answer


def test_an_event_is_told_to_who_waits_for_it(app: Flask, ask: Asker) -> None:
    ask.opt_out("before@example.com")
    waiter = Waiter(app, ask.headers("integration", {}), "after=1&wait=30")
    ask.opt_out("elsewhere@example.com", by="bolt-admin")
    ask.opt_out()
    told = waiter.result().json
    assert [event["address"] for event in told["events"]] == [MAIL]
    assert told["next"] == 2


def test_what_is_there_is_told_at_once(ask: Asker) -> None:
    ask.opt_out()
    asked = {"after": 0, "wait": 30}
    assert returns(lambda: ask.get("/v1/events", query=asked))


def test_when_the_time_is_up_there_is_nothing_to_tell(ask: Asker) -> None:
    answer = ask.get("/v1/events", query={"after": 7, "wait": 1})
    assert (answer.status_code, answer.json) == (200, {"events": [], "next": 7})


def test_a_key_revoked_meanwhile_is_told_nothing(app: Flask, rt: Runtime, ask: Asker) -> None:
    waiter = Waiter(app, ask.headers("integration", {}), "wait=30")
    with rt.writing() as connection:
        found = keys.find(connection, ask.keys["integration"], rt.keys)
        assert found is not None
        keys.revoke(connection, found.tenant, found.id, at=rt.now())
    ask.opt_out(by="admin")
    assert waiter.result().status_code == 401


@pytest.mark.parametrize("wait", ["-1", "31", "x", "1.5"])
def test_nobody_waits_longer_than_half_a_minute(ask: Asker, wait: str) -> None:
    answer = ask.get("/v1/events", query={"wait": wait})
    assert (answer.status_code, answer.json["field"]) == (422, "wait")


def test_those_who_wait_hold_no_connection_and_leave_half_the_threads(
    database_url: str, ask: Asker
) -> None:
    rt = Runtime.build(stage.settings_for(database_url, pool_size=1), stage.KEYS)
    app = create_app(rt)
    headers = ask.headers("integration", {})
    waiters = [Waiter(app, headers, "wait=30") for _ in range(3)]
    watch = app.extensions["optout_watch"]
    # More than the pool has connections wait, and others are served.
    assert app.test_client().get("/v1/suppressions", headers=headers).status_code == 200
    assert watch._most == 4, "of eight threads"
    ask.opt_out()
    assert [waiter.result().json["next"] for waiter in waiters] == [1, 1, 1]
    rt.close()
