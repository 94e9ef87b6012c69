"""What is another tenant's does not exist: nobody can tell it from what never was."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from optout_service.core import offer
from optout_service.core.offer import Offer
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import keys, reviews, senders
from optout_service.store.keys import Role
from optout_service.store.metadata import metadata
from optout_service.store.tables import suppression
from tests import stage
from tests.api.asking import MAIL, WORDS, Asker
from tests.security import reaching
from tests.security.matrix import changed, rows
from tests.security.reaching import BY_TABLE, CURSORS, ONLY_ACMES, Reach
from tests.stage import Cast
from tests.store.acts import MAIL as ADDRESS
from tests.store.acts import doubt

BOLT = "bolt-admin"
_VARIES = re.compile(
    r"""
      "event":\s*\d+ | "request_id":\s*"\w+"        # the next number
    | \d{4}-\d\d-\d\dT[\d:.]+Z                      # a time
    | (?<=/u/) [\w~-]+                              # a link
    | "digest":"\w+" | "signature":"[\w-]+"         # of the address that was asked about
    """,
    re.VERBOSE,
)


@pytest.fixture
def world(rt: Runtime, cast: Cast, ask: Asker) -> Asker:
    """Acme has one of everything. Bolt has the stage's account too, and a few things of its own."""
    with rt.writing() as connection:
        senders.put_account(connection, cast.acme, "twilio", ONLY_ACMES, "x", keys=rt.keys)
        senders.put_account(connection, cast.bolt, "twilio", stage.ACCOUNT, "b", keys=rt.keys)
        reviews.open_review(connection, doubt(cast.acme), at=rt.now(), keys=rt.keys)
    for body in (_own_sender("+15005550011"), _own_sender("+15005550013")):
        assert ask.post("/v1/senders", body, by=BOLT).status_code == 201
    for number in range(3):
        ask.opt_out(by="admin", topic=stage.TOPICS[number])
        ask.opt_out(f"recipient-{number}@example.com", by=BOLT)
    for address in ("held@example.com", "also.held@example.com"):
        held = {"channel": "email", "address": address, "reason": "case 7"}
        assert ask.post("/v1/holds", held, by="admin").status_code == 201
    ask.send("PUT", "/v1/texts", {"said": "stop", "text": "{brand}: no more."}, by="admin")
    used = {"Idempotency_Key": "acmes"}
    for path in ("/v1/opt-outs", "/v1/opt-ins"):
        ask.post(path, {"channel": "email", "address": MAIL} | WORDS, by="admin", **used)
    return ask


def _own_sender(address: str) -> dict[str, Any]:
    account = {"provider": "twilio", "account": stage.ACCOUNT}
    return account | {"address": address, "kind": "long_code"}


def test_every_kind_of_thing_and_every_field_that_can_name_one_has_a_row() -> None:
    owned = {name for name, table in metadata.tables.items() if "tenant" in table.c}
    assert owned | {"tenant"} == set(BY_TABLE)
    rows_ = {(one.method, one.rule, one.field) for one in reaching.reaches()}
    cursors = {("GET", rule, "query cursor") for rule in (*CURSORS, "/v1/tenants")}
    assert reaching.naming() - rows_ - cursors == set()


def test_nobody_can_tell_a_thing_of_another_tenant_from_one_that_never_was(
    rt: Runtime, cast: Cast, world: Asker
) -> None:
    known = things(rt, cast, world)
    before = rows(rt, cast.acme)
    told = {}
    for reach in reaching.reaches():
        acmes = known.get(f"{reach.rule} {reach.field}", reach.acmes)
        nobodys = known.get(f"{reach.rule} {reach.field} of nobody", reach.nobodys)
        assert None not in (acmes, nobodys), reach
        pair = [asked(world, reach, thing, known) for thing in (acmes, nobodys)]
        if pair[0] != pair[1]:
            told[str(reach)] = [one for one in zip(*pair, strict=True) if one[0] != one[1]]
    assert not told
    assert changed(before, rt, cast.acme) == []


def things(rt: Runtime, cast: Cast, ask: Asker) -> dict[str, Any]:
    """What is only known once the world is made."""
    with rt.reading() as connection:
        acmes = keys.list_all(connection, cast.acme)[0].id
    # Of an address that neither has: a check of it may be sent on.
    body = {"channel": "email", "address": "else.canary@example.com", "clearance": True}
    cleared = {by: ask.post("/v1/check", body, by=by).json["clearance"] for by in ("sender", BOLT)}
    verify = "/v1/clearances/verify body clearance"
    return {
        "/v1/keys/<int:number>/rotate path number": acmes,
        "/v1/keys/<int:number>/revoke path number": acmes,
        "/v1/holds/<int:number>/end path number": 1,
        "/v1/reviews/<int:number> path number": 1,
        "/v1/reviews/<int:number>/decision path number": 1,
        "/v1/opt-outs header Idempotency-Key": "acmes",
        "/v1/opt-ins header Idempotency-Key": "acmes",
        verify: cleared["sender"],
        f"{verify} of nobody": cleared["sender"].swapcase(),
        "bolt's": cleared[BOLT],
    }


def asked(ask: Asker, reach: Reach, thing: Any, known: dict[str, Any]) -> tuple[object, ...]:
    """All that Bolt can see of the answer, and the statements that it took."""
    body = reaching.filled(reach.body, thing)
    if isinstance(body, dict) and body.get("clearance") == "bolt's":
        body["clearance"] = known["bolt's"]
    how: dict[str, Any] = {"json": body}
    if isinstance(body, str):
        how = {"data": body, "content_type": "text/plain"}
    with statements() as made:
        answer = ask.client.open(
            reaching.path(reach, thing),
            method=reach.method,
            query_string=reaching.filled(reach.query, thing),
            headers=ask.headers(BOLT, reaching.filled(reach.headers, thing)),
            **how,
        )
    return answer.status_code, *plain(answer, thing), made


def plain(answer: TestResponse, thing: Any) -> tuple[str, dict[str, str]]:
    """Body and headers, without what differs from one request to the next."""
    varies = ("X-Request-Id", "Content-Length")
    headers = {name: value for name, value in answer.headers if name not in varies}
    text = answer.text.replace(str(thing), "THING") if isinstance(thing, str) else answer.text
    return re.sub(r"\b(90001|9000|[1-4])\b", "N", _VARIES.sub("", text)), headers


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are run meanwhile, in order: what takes longer has more of them."""
    made: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_cursor_of_another_tenant_gives_ones_own_things_or_is_refused(world: Asker) -> None:
    second = {"provider": "twilio", "account": ONLY_ACMES, "token": "b2"}
    world.post("/v1/provider-accounts", second, by=BOLT)
    for rule in sorted(CURSORS):
        acmes = world.get(rule, by="admin", query={"limit": 1}).json["next"]
        assert acmes, rule
        own = world.get(rule, by=BOLT).json["items"]
        given = world.get(rule, by=BOLT, query={"cursor": acmes})
        assert given.status_code in (200, 400), rule
        assert all(item in own for item in given.json.get("items", ())), rule


def test_a_link_of_one_tenant_is_none_of_another(
    rt: Runtime, cast: Cast, client: FlaskClient
) -> None:
    token = rt.links.mint(Claim(cast.acme, "email", ADDRESS, "newsletter"))
    other = rt.links.mint(Claim(cast.bolt, "email", ADDRESS, "news"))
    for mixed in (token.partition("~")[0] + "~" + other.partition("~")[2], other[:8] + token[8:]):
        assert client.post(f"/u/{mixed}").status_code == 404
    with rt.reading() as connection:
        assert connection.execute(suppression.select()).all() == []


@pytest.mark.parametrize("action", ["undo", "return"])
@pytest.mark.parametrize("whose", ["another tenant's", "another recipient's"])
def test_an_offer_to_come_back_is_good_with_its_own_link_alone(
    rt: Runtime, cast: Cast, client: FlaskClient, action: str, whose: str
) -> None:
    link = rt.links.mint(Claim(cast.acme, "email", ADDRESS, "newsletter"))
    assert client.post(f"/u/{link}", data={"action": "topic"}).status_code == 200
    tenant = cast.bolt if whose == "another tenant's" else cast.acme
    digest = rt.keys.digest(ADDRESS) if tenant == cast.bolt else b"another's digest"
    made = Offer(tenant, digest, (1,) if action == "undo" else ())
    form = {"action": action, "offer": offer.sign(made, rt.keys, at=rt.now())}
    client.post(f"/u/{link}", data=form)
    assert standing(rt) == [cast.acme]
    # The same of its own does it: or this test could not fail.
    good = Offer(cast.acme, rt.keys.digest(ADDRESS), made.events)
    client.post(f"/u/{link}", data=form | {"offer": offer.sign(good, rt.keys, at=rt.now())})
    assert standing(rt) == []


def standing(rt: Runtime) -> list[int]:
    with rt.reading() as connection:
        return [row.tenant for row in connection.execute(suppression.select())]


def test_an_idempotency_key_is_each_keys_own(rt: Runtime, cast: Cast, ask: Asker) -> None:
    body, key = {"channel": "email", "address": MAIL}, {"Idempotency_Key": "one-and-the-same"}
    with rt.writing() as connection:
        _, second = keys.create(
            connection, cast.acme, Role.ADMIN, name="", at=rt.now(), keys=rt.keys
        )
    ask = Asker(ask.client, {**ask.keys, "second": second})
    assert ask.post("/v1/opt-outs", body, by="admin", **key).status_code == 201
    for by, status in ((BOLT, 201), ("second", 200), ("integration", 200)):
        answer = ask.post("/v1/opt-outs", body, by=by, **key)
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (status, False)
    assert "Idempotent-Replayed" in ask.post("/v1/opt-outs", body, by="admin", **key).headers


def test_two_tenants_with_one_account_keep_their_own_tokens_and_senders(
    rt: Runtime, cast: Cast, world: Asker
) -> None:
    path = f"/v1/provider-accounts/twilio/{stage.ACCOUNT}/retire-tokens"
    world.post(
        "/v1/provider-accounts",
        {"provider": "twilio", "account": stage.ACCOUNT, "token": "newer"},
        by="admin",
    )
    assert world.send("POST", path, by=BOLT).json["tokens"] == 1
    listed = world.get("/v1/provider-accounts", by="admin").json["items"]
    assert {one["account"]: one["tokens"] for one in listed}[stage.ACCOUNT] == 2
    ours = {one["address"] for one in world.get("/v1/senders", by="admin").json["items"]}
    assert ours == {stage.LONG_CODE, stage.SHORT_CODE}
    assert json.loads(world.get("/v1/senders", by=BOLT).text)["items"] != []
