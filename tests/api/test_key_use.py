"""When a key was used last is known afterwards, to the hour, and costs a check nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from optout_service.api.use import KeyUse
from optout_service.core.errors import StoreUnavailable
from optout_service.runtime import Runtime
from optout_service.store import keys
from optout_service.store.db import Database
from tests.api.asking import MAIL, Asker
from tests.stage import Cast


@pytest.fixture
def use(app: Flask) -> KeyUse:
    """What the application remembers of the use of keys."""
    found: KeyUse = app.extensions["optout_key_use"]
    return found


def last_used(rt: Runtime, cast: Cast) -> dict[str, datetime | None]:
    with rt.reading() as connection:
        return {k.name: k.last_used_at for k in keys.list_all(connection, cast.acme)}


def test_a_key_that_was_used_is_known_once_that_is_written(
    rt: Runtime, cast: Cast, ask: Asker, use: KeyUse
) -> None:
    for _ in range(3):
        ask.check(by="sender")
    assert last_used(rt, cast)["sender"] is None
    before = datetime.now(UTC)
    use.write(rt)
    used = last_used(rt, cast)
    assert used["sender"] is not None
    assert before <= used["sender"] <= datetime.now(UTC)
    assert used["integration"] is None


def test_a_check_writes_nothing(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a check has written")

    monkeypatch.setattr(Database, "writing", refused)
    for _ in range(3):  # by Flask, which sees the key first, and then ahead of it
        assert not ask.suppressed()
    body = {"channel": "email", "addresses": [MAIL]}
    assert ask.post("/v1/check/batch", body, by="sender").status_code == 200


def test_within_the_hour_it_is_not_written_again(
    rt: Runtime, cast: Cast, ask: Asker, use: KeyUse
) -> None:
    ask.check()
    use.write(rt)
    first = last_used(rt, cast)["sender"]
    ask.check()
    use.write(rt)
    KeyUse().write(rt)
    assert last_used(rt, cast)["sender"] == first
    with rt.writing() as connection:
        found = keys.find(connection, cast.keys["sender"], rt.keys)
        assert found is not None
        keys.note_use(connection, [found.id], at=rt.now() + timedelta(minutes=59))
    assert last_used(rt, cast)["sender"] == first


def test_a_key_that_was_refused_was_not_used(
    rt: Runtime, cast: Cast, ask: Asker, use: KeyUse
) -> None:
    ask.check(by="sender")
    with rt.writing() as connection:
        found = keys.find(connection, cast.keys["sender"], rt.keys)
        assert found is not None
        keys.revoke(connection, cast.acme, found.id, at=rt.now())
    assert ask.get("/v1/events", by="agent").status_code == 403
    use.write(rt)
    assert set(last_used(rt, cast).values()) == {None}


def test_what_could_not_be_written_is_written_at_the_next_turn(
    rt: Runtime, cast: Cast, ask: Asker, use: KeyUse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask.check()

    def gone(*_: object) -> None:
        raise StoreUnavailable("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", gone)
        with pytest.raises(StoreUnavailable):
            use.write(rt)
    use.write(rt)
    assert last_used(rt, cast)["sender"] is not None
