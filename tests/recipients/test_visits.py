"""That a link was opened is counted, and by whom is not; afterwards, beside the requests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.errors import StoreUnavailable
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.recipients import visits as module
from optout_service.recipients.visits import Visits
from optout_service.runtime import Runtime
from optout_service.store import visits as store
from optout_service.store.db import Database
from optout_service.store.visits import Visited
from tests.cast import ANA, BO
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
Counted = dict[tuple[str, str], int]


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> Callable[..., str]:
    """Makes links, to Ana unless it is told otherwise."""

    def made(message: str = "m-1", *, to: str = ANA.email, tenant: int = cast.acme) -> str:
        claim = Claim(tenant, "email", Address.parse(Kind.EMAIL, to), "newsletter", message)
        return f"/u/{rt.links.mint(claim)}"

    return made


@pytest.fixture
def counted(rt: Runtime, cast: Cast, app: Flask) -> Callable[..., Counted]:
    """Writes down what was counted, and reads what a tenant has had today."""
    visits: Visits = app.extensions["optout_visits"]

    def read(tenant: int = cast.acme) -> Counted:
        visits.write(rt)
        with rt.reading() as connection:
            return {
                (message, method): hits
                for _, rows in store.by_day(
                    connection, tenant, rt.now().date() - timedelta(1), rt.now().date()
                )
                for message, method, hits in rows
            }

    return read


Link = Callable[..., str]
Read = Callable[..., Counted]


def test_hits_are_counted_by_message_and_method(
    client: FlaskClient, link: Link, counted: Read
) -> None:
    for _ in range(3):
        client.get(link())
    client.get(link(to=BO.email))
    client.head(link())
    client.get(link("m-2"))
    assert counted() == {("m-1", "GET"): 4, ("m-1", "HEAD"): 1, ("m-2", "GET"): 1}
    client.head(link())
    assert counted()["m-1", "HEAD"] == 2


def test_what_changes_something_and_what_is_no_link_is_not_counted(
    client: FlaskClient, link: Link, counted: Read
) -> None:
    client.post(link(), data={"action": "topic"})
    client.post(link(), data={"action": "nonsense"})
    client.options(link())
    client.get(link()[:-1])
    client.get(link(tenant=4711))
    assert counted() == {}


def test_each_tenant_has_its_own(
    client: FlaskClient, cast: Cast, link: Link, counted: Read
) -> None:
    client.get(link("m-1", tenant=cast.bolt))
    assert counted() == {}
    assert counted(cast.bolt) == {("m-1", "GET"): 1}


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_asks_not_to_be_tracked_counts_for_no_message(
    client: FlaskClient, link: Link, counted: Read, header: str
) -> None:
    client.get(link(), headers={header: "1"})
    assert counted() == {("", "GET"): 1}


@pytest.mark.parametrize(
    "message",
    [
        "a\x00b",
        "\n",
        "\u202e",
        ANA.email,
        f"c42/{ANA.phone}",
        f"<1.{ANA.email}>",
        f"sha256:{'0' * 64}",
    ],
)
def test_what_is_no_text_or_names_somebody_counts_for_no_message(
    client: FlaskClient, link: Link, counted: Read, message: str
) -> None:
    client.get(link(message))
    assert counted() == {("", "GET"): 1}


def test_the_table_knows_no_address_and_no_digest(
    rt: Runtime, client: FlaskClient, link: Link, counted: Read
) -> None:
    client.get(link())
    counted()
    with rt.reading() as connection:
        row = connection.execute(text("SELECT * FROM visit")).mappings().one()
    assert dict(row).keys() == {"tenant", "day", "message", "method", "hits"}


def test_the_page_opens_while_nothing_can_be_written_and_the_hit_is_counted_later(
    rt: Runtime,
    app: Flask,
    client: FlaskClient,
    link: Link,
    counted: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*_: Any) -> None:
        raise StoreUnavailable("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", gone)
        assert client.get(link()).status_code == 200
        with pytest.raises(StoreUnavailable):
            app.extensions["optout_visits"].write(rt)
        assert client.get(link()).status_code == 200
    assert counted() == {("m-1", "GET"): 2}


def test_a_process_keeps_only_so_many_messages_apart(
    client: FlaskClient, link: Link, counted: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    for message in ("m-1", "m-2", "m-3", "m-1", "m-4"):
        client.get(link(message))
    assert counted() == {("m-1", "GET"): 2, ("m-2", "GET"): 1, ("", "GET"): 2}


def test_a_day_keeps_only_so_many_messages_apart(
    rt: Runtime, cast: Cast, counted: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_MESSAGES", 2)
    today = rt.now().date()
    for messages in (("a", "b"), ("b", "c"), ("a", "d")):
        hits = {Visited(cast.acme, today, message, "GET"): 1 for message in messages}
        with rt.writing() as connection:
            store.add(connection, hits)
    assert counted() == {("a", "GET"): 2, ("b", "GET"): 2, ("", "GET"): 2}
