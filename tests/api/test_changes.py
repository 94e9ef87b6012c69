"""Following what stands: the outcome of each act, recipient by recipient."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import tenants
from tests.api.asking import MAIL, Asker, sha256_of
from tests.cast import BO
from tests.stage import Cast

PATH = "/v1/suppressions/changes"


def page(ask: Asker, cursor: str | None = None, **more: Any) -> Any:
    query = {"cursor": cursor, **more} if cursor else more
    answer = ask.get(PATH, query=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def scopes(item: Any) -> set[tuple[str, str]]:
    return {(row["scope"]["tenant"], row["scope"]["topic"]) for row in item["stands"]}


def test_a_recipient_comes_with_the_hash_of_the_address_and_all_that_stands(ask: Asker) -> None:
    ask.opt_out(topic="offers")
    ask.opt_out(topic="newsletter")
    told = page(ask)
    (item,) = told["items"]
    assert (item["kind"], item["sha256"]) == ("email", sha256(MAIL.encode()).hexdigest())
    assert scopes(item) == {("acme", "offers"), ("acme", "newsletter")}
    assert (told["as_of"], told["more"], told["tenant"]) == (2, False, "acme")


def test_what_was_lifted_stands_no_more(ask: Asker) -> None:
    ask.opt_out(topic="offers")
    cursor = page(ask)["next"]
    ask.opt_in(topic="offers")
    (item,) = page(ask, cursor)["items"]
    assert item["stands"] == []


def test_there_is_nothing_after_the_last(ask: Asker) -> None:
    ask.opt_out()
    cursor = page(ask)["next"]
    again = page(ask, cursor)
    assert (again["items"], again["next"], again["more"]) == ([], cursor, False)


def test_a_page_says_whether_there_is_more(ask: Asker) -> None:
    ask.opt_out()
    ask.opt_out(BO.email)
    first = page(ask, limit=1)
    second = page(ask, first["next"], limit=1)
    assert [first["more"], second["more"]] == [True, False]
    assert first["items"][0]["recipient"] != second["items"][0]["recipient"]


def test_what_the_platform_suppresses_is_told_to_each_tenant(ask: Asker) -> None:
    ask.opt_out()
    cursor = page(ask)["next"]
    ask.opt_out(by="platform")
    (item,) = page(ask, cursor)["items"]
    assert scopes(item) == {("acme", "*"), ("platform", "*")}


def test_a_hashed_address_is_as_good(ask: Asker) -> None:
    ask.opt_out(sha256_of(MAIL), channel="email")
    (item,) = page(ask)["items"]
    assert f"sha256:{item['sha256']}" == sha256_of(MAIL)


def test_without_an_address_book_nobody_is_named(rt: Runtime, ask: Asker, cast: Cast) -> None:
    with rt.writing() as connection:
        tenants.change(connection, "acme", address_book=False)
    ask.opt_out()
    (item,) = page(ask)["items"]
    assert (item["sha256"], scopes(item)) == (None, {("acme", "*")})


def test_another_tenants_recipients_are_not_told(ask: Asker) -> None:
    ask.opt_out(by="platform", tenant="bolt")
    assert page(ask)["items"] == []


def test_from_a_database_of_other_keys_nothing_is_told(rt: Runtime, ask: Asker) -> None:
    with rt.writing() as connection:
        connection.exec_driver_sql("UPDATE seal SET pepper = 'another'")
    answer = ask.get(PATH)
    assert (answer.status_code, answer.json["kind"]) == (503, "wrong-keys")


def test_our_own_digest_is_not_told(rt: Runtime, ask: Asker) -> None:
    ask.opt_out()
    digest = rt.keys.digest(Address.parse(Kind.EMAIL, MAIL))
    assert digest.hex() not in ask.get(PATH).text


def test_the_topics_come_along(rt: Runtime, ask: Asker, cast: Cast) -> None:
    with rt.writing() as connection:
        tenants.create_topic(connection, cast.acme, "recipes")
    assert page(ask)["topics"] == ["events", "newsletter", "offers", "recipes"]


BAD = ["", "x", "WyIxIiwiIiwiMCIsIiJd", "WyIxIiwiYWIiLCIwIiwiIl0", "WyItMSIsIiIsIjAiLCIiXQ"]
BAD += ["WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkiLCJhYiIsIjAiLCIiXQ"]


@pytest.mark.parametrize("cursor", BAD)
def test_a_place_that_is_not_in_this_ledger_is_refused(ask: Asker, cursor: str) -> None:
    answer = ask.get(PATH, query={"cursor": cursor})
    assert (answer.status_code, answer.json["kind"]) == (400, "malformed")


def test_a_ledger_that_was_put_back_and_went_on_otherwise_is_told_apart(ask: Asker) -> None:
    ask.opt_out()
    cursor = page(ask)["next"]
    others = ask.get("/v1/events", query={"limit": 1}).json["events"][0]["hash"]
    parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert parts[1] == others
    parts[1] = others[::-1]
    forged = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    assert ask.get(PATH, query={"cursor": forged}).json["kind"] == "malformed"
