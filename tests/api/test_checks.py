"""May we send?"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update

from optout_service.runtime import Runtime
from optout_service.store import keys
from optout_service.store.db import Database
from optout_service.store.tables import api_key
from tests.api.asking import MAIL, PHONE, Asker, sha256_of
from tests.cast import BO, CY

BATCH = "/v1/check/batch"


def scope(channel: str, topic: str, purpose: str) -> dict[str, str]:
    return {"channel": channel, "topic": topic, "purpose": purpose}


def test_an_address_that_nobody_suppressed_may_be_sent_to(ask: Asker) -> None:
    answer = ask.post("/v1/check", {"channel": "email", "address": MAIL}, by="sender")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json == {
        "suppressed": False,
        "address": MAIL,
        "matches": [],
        "as_of": 0,
    }


def test_a_suppressed_address_comes_with_what_speaks_against_sending(
    ask: Asker,
) -> None:
    made = ask.opt_out(topic="newsletter", reason="complaint")
    answer = ask.check(topic="newsletter")
    match = answer["matches"][0]
    assert datetime.fromisoformat(match.pop("since")).tzinfo is not None
    assert answer == {
        "suppressed": True,
        "address": MAIL,
        "matches": [
            {
                "reason": "complaint",
                "source": "api",
                "event": made["event"],
                "scope": {
                    "tenant": "acme",
                    **scope("email", "newsletter", "marketing"),
                },
            }
        ],
        "as_of": made["event"],
    }


def test_times_are_utc_and_end_in_z(ask: Asker) -> None:
    ask.opt_out()
    assert ask.check()["matches"][0]["since"].endswith("Z")


@pytest.mark.parametrize(
    ("stands", "asked", "suppressed"),
    [
        (scope("email", "*", "marketing"), {}, True),
        (scope("email", "*", "marketing"), {"topic": "offers"}, True),
        (scope("email", "*", "marketing"), {"purpose": "transactional"}, False),
        (scope("email", "newsletter", "marketing"), {"topic": "newsletter"}, True),
        (scope("email", "newsletter", "marketing"), {"topic": "offers"}, False),
        (scope("email", "newsletter", "marketing"), {}, False),
        (
            scope("email", "*", "*"),
            {"purpose": "transactional", "topic": "events"},
            True,
        ),
        (scope("*", "*", "marketing"), {}, True),
        (scope("email", "offers", "transactional"), {"topic": "offers"}, False),
    ],
    ids=lambda value: ",".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_a_suppression_binds_where_each_part_is_equal_or_a_star(
    ask: Asker, stands: dict[str, str], asked: dict[str, str], suppressed: bool
) -> None:
    ask.opt_out(**stands)
    assert ask.suppressed(**asked) is suppressed


def test_a_phone_left_on_all_channels_is_left_on_each(ask: Asker) -> None:
    ask.opt_out(PHONE, channel="*")
    assert all(ask.suppressed(PHONE, channel=c) for c in ("sms", "whatsapp", "rcs", "voice"))


def test_a_phone_left_by_text_may_still_be_called(ask: Asker) -> None:
    ask.opt_out(PHONE, channel="sms")
    assert not ask.suppressed(PHONE, channel="voice")


def test_the_address_comes_back_in_canonical_form(ask: Asker) -> None:
    assert ask.check(f" {MAIL.upper()} ")["address"] == MAIL


def test_a_hashed_address_finds_what_was_recorded_in_clear_and_stays_hashed(
    ask: Asker,
) -> None:
    ask.opt_out(MAIL)
    answer = ask.check(sha256_of(MAIL), channel="email")
    assert (answer["suppressed"], answer["address"]) == (True, sha256_of(MAIL))


def test_an_address_in_clear_finds_what_was_recorded_hashed(ask: Asker) -> None:
    ask.opt_out(sha256_of(PHONE), channel="sms")
    assert ask.suppressed(PHONE)


def test_another_tenants_suppression_is_neither_felt_nor_shown(ask: Asker) -> None:
    ask.opt_out(by="bolt-admin")
    assert ask.check(by="sender") == {
        "suppressed": False,
        "address": MAIL,
        "matches": [],
        "as_of": 0,
    }


def test_what_the_platform_suppresses_binds_every_tenant(ask: Asker) -> None:
    ask.opt_out(by="platform", reason="legal", purpose="*")
    for sender in ("sender", "bolt-sender"):
        match = ask.check(by=sender, purpose="transactional")["matches"][0]
        assert match["scope"]["tenant"] == "platform"
        assert match["reason"] == "legal"


def test_the_strongest_ground_comes_first(ask: Asker) -> None:
    ask.opt_out(topic="newsletter")
    ask.opt_out(reason="complaint", channel="*")
    ask.opt_out(reason="bounced", purpose="*")
    ask.opt_out(by="platform")
    matches = ask.check(topic="newsletter")["matches"]
    assert [(m["reason"], m["scope"]["tenant"]) for m in matches] == [
        ("complaint", "acme"),
        ("opted_out", "platform"),
        ("opted_out", "acme"),
        ("bounced", "acme"),
    ]


def test_the_answer_says_up_to_which_event_it_is_true(ask: Asker) -> None:
    assert [ask.opt_out(f"a{n}@example.com") and ask.check()["as_of"] for n in (1, 2)] == [1, 2]


def test_a_batch_lists_the_suppressed_and_the_invalid_by_index(ask: Asker) -> None:
    ask.opt_out(MAIL)
    ask.opt_out(CY.email, reason="complaint")
    answer = ask.post(
        BATCH,
        {
            "channel": "email",
            "addresses": [
                BO.email,
                MAIL.upper(),
                "nobody",
                CY.email,
            ],
        },
        by="sender",
    )
    found = answer.json
    assert answer.status_code == 200
    assert found["invalid"][0].pop("detail")
    acme = {"tenant": "acme", **scope("email", "*", "marketing")}
    assert found == {
        "checked": 4,
        "suppressed": [
            {
                "index": 1,
                "address": MAIL.upper(),
                "reason": "opted_out",
                "scope": acme,
            },
            {
                "index": 3,
                "address": CY.email,
                "reason": "complaint",
                "scope": acme,
            },
        ],
        "invalid": [{"index": 2, "address": "nobody"}],
        "as_of": 2,
    }


def test_a_batch_names_an_address_as_often_as_it_was_given(ask: Asker) -> None:
    ask.opt_out(MAIL)
    body = {
        "channel": "email",
        "addresses": [MAIL, BO.email, MAIL, sha256_of(MAIL)],
    }
    found = ask.post(BATCH, body, by="sender").json["suppressed"]
    assert [(row["index"], row["address"]) for row in found] == [
        (0, MAIL),
        (2, MAIL),
        (3, sha256_of(MAIL)),
    ]


def test_a_batch_says_the_strongest_of_several_grounds(ask: Asker) -> None:
    ask.opt_out(MAIL)
    ask.opt_out(MAIL, topic="offers", reason="complaint")
    ask.opt_out(MAIL, purpose="*", reason="bounced")
    body = {"channel": "email", "topic": "offers", "addresses": [MAIL]}
    found = ask.post(BATCH, body, by="sender").json["suppressed"]
    assert [(row["reason"], row["scope"]["topic"]) for row in found] == [("complaint", "offers")]


def test_a_batch_and_single_checks_say_the_same(ask: Asker) -> None:
    addresses = [f"r{n}@example.com" for n in range(1201)]
    for n in range(0, 1201, 97):
        ask.opt_out(addresses[n], topic="offers" if n % 2 else "*")
    ask.opt_out(addresses[5], by="platform")
    ask.opt_out(addresses[6], by="bolt-admin")
    answer = ask.post(
        BATCH,
        {"channel": "email", "topic": "offers", "addresses": addresses},
        by="sender",
    )
    in_batch = {row["index"] for row in answer.json["suppressed"]}
    asked = {*range(0, 1201, 97), *range(12)}
    assert in_batch <= asked
    assert in_batch & asked == {n for n in asked if ask.suppressed(addresses[n], topic="offers")}


def test_an_empty_batch_is_answered(ask: Asker) -> None:
    answer = ask.post(BATCH, {"channel": "sms", "addresses": []}, by="sender")
    assert answer.json == {"checked": 0, "suppressed": [], "invalid": [], "as_of": 0}


def test_a_batch_over_the_limit_is_refused_whole(
    ask_with: Callable[..., Asker],
) -> None:
    ask = ask_with(batch_limit=2)
    addresses = [f"r{n}@example.com" for n in range(3)]
    full = ask.post(BATCH, {"channel": "email", "addresses": addresses[:2]}, by="sender")
    over = ask.post(BATCH, {"channel": "email", "addresses": addresses}, by="sender")
    assert (full.status_code, over.status_code) == (200, 413)
    assert (over.json["kind"], over.json["limit"]) == ("too-large", 2)


@pytest.mark.parametrize("path", ["/v1/check", BATCH])
def test_a_question_that_cannot_be_asked_is_not_answered(ask: Asker, path: str) -> None:
    addresses = {"address": MAIL} if path == "/v1/check" else {"addresses": [MAIL]}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"channel": "fax"}, "unknown-channel"),
        ({"channel": "*"}, "unknown-channel"),
        ({"topic": "no-such"}, "unknown-topic"),
        ({"topic": "Not A Slug"}, "unknown-topic"),
        ({"topic": "-"}, "unknown-topic"),
        ({"topic": "news"}, "unknown-topic"),
        ({"purpose": "*"}, "invalid-request"),
        ({"purpose": "fun"}, "invalid-request"),
        ({"clearance": "yes"}, "invalid-request"),
    ]
    for asked, kind in refused:
        answer = ask.post(path, {"channel": "email", **addresses, **asked}, by="sender")
        assert (answer.status_code, answer.json["kind"]) == (422, kind), asked
        assert "suppressed" not in answer.json


def test_an_address_of_the_wrong_kind_is_no_address(ask: Asker) -> None:
    for channel, address in (
        ("email", PHONE),
        ("sms", MAIL),
        ("email", "sha256:12"),
        ("sms", ""),
        ("email", "\x00"),
    ):
        answer = ask.post("/v1/check", {"channel": channel, "address": address}, by="sender")
        assert (answer.status_code, answer.json["kind"]) == (422, "invalid-address"), address


def revoke(rt: Runtime, secret: str) -> None:
    with rt.writing() as connection:
        found = keys.find(connection, secret, rt.keys)
        assert found is not None
        keys.revoke(connection, found.tenant, found.id, at=rt.now())


@pytest.mark.parametrize("path", ["/v1/check", BATCH])
def test_a_revoked_key_is_refused_by_the_very_next_check(
    rt: Runtime, ask: Asker, path: str
) -> None:
    addresses = {"address": MAIL} if path == "/v1/check" else {"addresses": []}
    body = {"channel": "email", **addresses}
    assert ask.post(path, body, by="sender").status_code == 200
    revoke(rt, ask.keys["sender"])
    refused = ask.post(path, body, by="sender")
    assert (refused.status_code, refused.json["kind"]) == (401, "unauthenticated")


def test_a_revoked_platform_key_is_refused_although_it_names_a_tenant(
    rt: Runtime, ask: Asker
) -> None:
    body = {"channel": "email", "address": MAIL}
    assert ask.post("/v1/check", body, by="platform", Optout_Tenant="acme").status_code == 200
    revoke(rt, ask.keys["platform"])
    refused = ask.post("/v1/check", body, by="platform", Optout_Tenant="acme")
    assert refused.status_code == 401


def test_a_key_that_has_expired_is_refused_although_remembered(rt: Runtime, ask: Asker) -> None:
    body = {"channel": "email", "address": MAIL}
    assert ask.post("/v1/check", body, by="sender").status_code == 200
    with rt.writing() as connection:
        found = keys.find(connection, ask.keys["sender"], rt.keys)
        assert found is not None
        connection.execute(
            update(api_key).where(api_key.c.id == found.id).values(expires_at=rt.now())
        )
    assert ask.post("/v1/check", body, by="sender").status_code == 401


def test_a_check_with_a_known_key_reads_the_store_once(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask.check()
    reads = []
    one_read = Database.ask

    def counted(database: Database, work: Callable[[Any], Any]) -> Any:
        reads.append("ask")
        return one_read(database, work)

    monkeypatch.setattr(Database, "ask", counted)
    monkeypatch.setattr(Database, "reading", lambda _: pytest.fail("a second read"))
    ask.check(BO.email)
    ask.post(BATCH, {"channel": "email", "addresses": [MAIL]}, by="sender")
    assert reads == ["ask", "ask"]


@pytest.mark.parametrize("path", ["/v1/check", BATCH])
def test_nothing_is_answered_when_the_store_cannot_be_read(
    rt: Runtime, ask: Asker, path: str
) -> None:
    ask.check()
    with rt.writing() as connection:
        connection.exec_driver_sql("DROP TABLE suppression")
    addresses = {"address": MAIL} if path == "/v1/check" else {"addresses": [MAIL]}
    answer = ask.post(path, {"channel": "email", **addresses}, by="sender")
    assert (answer.status_code, answer.json["kind"]) == (503, "store-unavailable")
    assert "suppressed" not in answer.json
    assert "Retry-After" in answer.headers
