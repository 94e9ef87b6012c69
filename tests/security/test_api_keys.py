"""How long an API key lives, and who is told before it ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from optout_service.doctor import database
from optout_service.doctor.finding import Level
from optout_service.runtime import Runtime
from optout_service.store import figures, keys
from optout_service.store.keys import Role
from optout_service.store.tables import api_key
from tests.api.asking import Asker
from tests.stage import Cast

DAY = timedelta(days=1)


def made(rt: Runtime, cast: Cast, *, ends_in: timedelta | None, name: str = "x") -> int:
    """A key of Acme's."""
    at = rt.now()
    ends = None if ends_in is None else at + ends_in
    with rt.writing() as connection:
        one, _ = keys.create(
            connection, cast.acme, Role.SENDER, name=name, at=at, keys=rt.keys, expires_at=ends
        )
    return one.id


def told(rt: Runtime) -> dict[str, str]:
    """What the doctor says of keys, by the first word of what to do."""
    found = [one for one in database.api_keys(rt) if one.level is Level.ADVICE]
    return {one.detail.split("optout key ")[-1]: one.detail for one in found}


def ending(rt: Runtime) -> set[int]:
    with rt.reading() as connection:
        return {one.id for one in keys.ending(connection, rt.now())}


def until(answer: Any, rt: Runtime) -> float:
    """In how many days the key of an answer ends."""
    ends = datetime.fromisoformat(answer.json["key"]["expires_at"])
    return (ends - rt.now()) / DAY


@pytest.fixture
def limited(ask_with: Callable[..., Asker]) -> Asker:
    """A service whose keys live for thirty days at most."""
    return ask_with(key_days=30)


def test_a_key_lives_for_ever_unless_the_service_limits_it(ask: Asker) -> None:
    answer = ask.post("/v1/keys", {"role": "sender"}, by="admin")
    assert answer.json["key"]["expires_at"] is None


def test_where_it_does_a_key_ends_by_itself(rt: Runtime, limited: Asker) -> None:
    answer = limited.post("/v1/keys", {"role": "sender"}, by="admin")
    assert 29.9 < until(answer, rt) <= 30


def test_less_may_be_asked_for_and_more_may_not(rt: Runtime, limited: Asker) -> None:
    for days, status in ((7, 201), (29, 201), (31, 422), (9000, 422)):
        body = {"role": "sender", "expires_at": (rt.now() + days * DAY).isoformat()}
        answer = limited.post("/v1/keys", body, by="admin")
        assert answer.status_code == status
    assert (answer.json["field"], "30 days" in answer.json["detail"]) == ("expires_at", True)


@pytest.mark.parametrize("lived", [None, 7 * DAY, 400 * DAY])
def test_a_rotated_key_lives_no_longer_than_a_new_one(
    rt: Runtime, cast: Cast, limited: Asker, lived: timedelta | None
) -> None:
    old = made(rt, cast, ends_in=lived)
    answer = limited.post(f"/v1/keys/{old}/rotate", {}, by="admin")
    assert answer.status_code == 201
    assert round(until(answer, rt)) == (7 if lived == 7 * DAY else 30)


def test_a_key_that_ends_soon_is_told_of_until_another_is_in_its_place(
    rt: Runtime, cast: Cast, ask: Asker
) -> None:
    soon, later = made(rt, cast, ends_in=13 * DAY), made(rt, cast, ends_in=15 * DAY, name="y")
    made(rt, cast, ends_in=-DAY, name="z")
    assert ending(rt) == {soon}
    assert f"{soon} of acme" in told(rt)["rotate"]
    assert str(later) not in told(rt)["rotate"].split()
    with rt.reading() as connection:
        assert figures.read(connection, rt.now())["optout_keys_ending"] == 1
    assert ask.post(f"/v1/keys/{soon}/rotate", {}, by="admin").status_code == 201
    # The new one is made for thirteen days too, and the old one has a day left.
    assert len(ending(rt)) == 2
    made(rt, cast, ends_in=None)
    assert ending(rt) == set()
    assert told(rt) == {}


def test_a_key_of_another_name_or_tenant_is_not_in_its_place(rt: Runtime, cast: Cast) -> None:
    soon = made(rt, cast, ends_in=DAY)
    made(rt, cast, ends_in=None, name="another")
    with rt.writing() as connection:
        keys.create(connection, cast.bolt, Role.SENDER, name="x", at=rt.now(), keys=rt.keys)
    assert ending(rt) == {soon}


def test_a_key_that_nobody_has_used_for_long_is_told_of(rt: Runtime, cast: Cast) -> None:
    long_ago = rt.now() - 91 * DAY
    with rt.writing() as connection:
        connection.execute(api_key.update().values(created_at=long_ago))
    assert "revoke" in told(rt)
    with rt.writing() as connection:
        everyone = [
            one.id for t in (0, cast.acme, cast.bolt) for one in keys.list_all(connection, t)
        ]
        keys.note_use(connection, everyone, at=rt.now())
    assert told(rt) == {}


def test_keys_from_before_the_limit_are_told_of(rt: Runtime, cast: Cast) -> None:
    within = replace(rt, settings=replace(rt.settings, key_days=30))
    assert "1 of acme" in told(within)["rotate"]
    with rt.writing() as connection:
        connection.execute(api_key.update().values(expires_at=rt.now() + 20 * DAY))
    assert told(within) == {}


def test_an_advice_names_a_few_and_counts_the_rest(rt: Runtime, cast: Cast) -> None:
    for number in range(12):
        made(rt, cast, ends_in=DAY, name=f"number {number}")
    assert "and 2 more end" in told(rt)["rotate"]
