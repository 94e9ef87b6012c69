"""A tenant is set up over the API by its admin, and nobody sees or touches another's."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from optout_service.runtime import Runtime
from optout_service.store import keys
from tests import stage
from tests.api.asking import MAIL, Asker
from tests.stage import Cast

ACCOUNT = {"provider": "twilio", "account": stage.ACCOUNT}
SENDER = ACCOUNT | {"address": "+15005550007", "kind": "toll_free"}
LONG_CODE = f"/v1/senders/twilio/{stage.ACCOUNT}/{stage.LONG_CODE}"


def change(ask: Asker, path: str, body: Any, by: str = "admin", method: str = "PATCH") -> Any:
    return ask.client.open(path, method=method, json=body, headers=ask.headers(by, {}))


def items(ask: Asker, path: str, by: str = "admin", **query: Any) -> list[dict[str, Any]]:
    answer = ask.get(path, by=by, query=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def refusal(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None
    return answer.status_code, answer.json["kind"]


def test_a_tenant_is_made_by_the_platform_and_shown_to_its_own_admin(ask: Asker) -> None:
    body = {"slug": "cargo", "name": " Cargo ", "contact": "us@cargo.example"}
    made = ask.post("/v1/tenants", body, by="platform")
    assert made.status_code == 201
    assert made.json == body | {"name": "Cargo", "address_book": True}
    assert [t["slug"] for t in items(ask, "/v1/tenants", "platform")] == ["acme", "bolt", "cargo"]
    assert refusal(ask.post("/v1/tenants", body, by="platform")) == (409, "conflict")
    assert ask.get("/v1/tenants/acme", by="admin").json["name"] == "Acme Shop"


def test_what_is_left_out_of_a_change_stays(ask: Asker) -> None:
    before = ask.get("/v1/tenants/acme", by="admin").json
    after = change(ask, "/v1/tenants/acme", {"name": "Acme & Co"}).json
    assert after == before | {"name": "Acme & Co"}
    assert change(ask, "/v1/tenants/acme", {}).json == after


def test_an_address_book_that_is_switched_off_takes_no_more_in(ask: Asker) -> None:
    ask.opt_out()
    change(ask, "/v1/tenants/acme", {"address_book": False})
    ask.opt_out("another@example.com")
    listed = items(ask, "/v1/suppressions")
    assert [row["address"] for row in listed] == [MAIL, None]
    assert ask.suppressed("another@example.com")


def test_a_topic_can_be_renamed_and_what_was_left_stays_left(ask: Asker) -> None:
    assert ask.post("/v1/topics", {"slug": "recipes"}, by="admin").json["name"] == "Recipes"
    ask.opt_out(topic="recipes")
    renamed = change(ask, "/v1/topics/recipes", {"name": "Cooking"})
    assert renamed.json == {"slug": "recipes", "name": "Cooking"}
    assert ask.suppressed(topic="recipes")
    assert change(ask, "/v1/topics/recipes", None, method="DELETE").status_code == 405


@pytest.mark.parametrize(
    "name", ["क्\u200dष कपड़े", "می\u200cخواهم", "\U0001f468\u200d\U0001f33e Farm"]
)
def test_a_name_may_be_spelt_with_joiners(ask: Asker, name: str) -> None:
    assert change(ask, "/v1/topics/newsletter", {"name": name}).json["name"] == name


def test_a_sender_is_registered_changed_and_removed(ask: Asker) -> None:
    made = ask.post("/v1/senders", SENDER, by="admin")
    whole = SENDER | {"topic": "*", "channel": "*", "language": "", "advanced_opt_out": False}
    assert (made.status_code, made.json) == (201, whole)
    path = f"/v1/senders/twilio/{stage.ACCOUNT}/%2B15005550007"
    to = {"topic": "offers", "kind": "voice", "channel": "voice", "language": "pt-br"}
    changed = change(ask, path, to)
    assert changed.json == whole | to
    assert ask.get(path, by="admin").json == changed.json
    assert change(ask, path, None, method="DELETE").json == changed.json
    assert ask.get(path, by="admin").status_code == 404
    assert refusal(change(ask, path, None, method="DELETE")) == (404, "not-found")


def test_a_sender_is_narrow_and_speaks_a_language_from_the_first(ask: Asker) -> None:
    given = {"topic": "offers", "channel": "sms", "language": "fr"}
    made = ask.post("/v1/senders", SENDER | given, by="admin").json
    assert made == SENDER | given | {"advanced_opt_out": False}
    assert made in items(ask, "/v1/senders")
    path = f"/v1/senders/twilio/{stage.ACCOUNT}/%2B15005550007"
    wide = change(ask, path, {"channel": "*", "topic": "*", "language": ""}).json
    assert wide == made | {"channel": "*", "topic": "*", "language": ""}


@pytest.mark.parametrize(
    ("to", "field"),
    [
        ({"channel": "email"}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"language": "a tongue"}, "language"),
        ({"language": "fr\r\nX"}, "language"),
        ({"kind": "short_code"}, "address"),
        ({"kind": "pigeon"}, "kind"),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_leaves_a_sender_as_it_was(
    ask: Asker, to: dict[str, str], field: str
) -> None:
    before = ask.get(LONG_CODE, by="admin").json
    answer = change(ask, LONG_CODE, {"topic": "offers"} | to)
    assert refusal(answer) == (422, "invalid-request")
    assert answer.json["field"] == field
    assert ask.get(LONG_CODE, by="admin").json == before


def test_a_token_in_front_proves_hooks_beside_the_older_until_that_is_retired(
    ask: Asker, rt: Runtime
) -> None:
    from optout_service.store import senders

    put = ask.post("/v1/provider-accounts", ACCOUNT | {"token": "n3w"}, by="admin")
    assert (put.status_code, put.json) == (200, ACCOUNT | {"tokens": 2})
    assert items(ask, "/v1/provider-accounts") == [ACCOUNT | {"tokens": 2}]
    for _ in range(2):
        path = f"/v1/provider-accounts/twilio/{stage.ACCOUNT}/retire-tokens"
        assert ask.post(path, None, by="admin").json["tokens"] == 1
    with rt.reading() as connection:
        (kept,) = senders.accounts(connection, "twilio", stage.ACCOUNT, keys=rt.keys)
    assert kept.tokens == ("n3w",)


@pytest.mark.parametrize(
    ("provider", "account", "token"),
    [
        ("telnyx", "0f512bda-ae1e-4597-8e11-e5f5686b97d3", f"{'A' * 43}="),
        ("aws", "arn:aws:sns:us-west-2:123456789012:two-way", "0123456789abcdef-_ABCDEF"),
    ],
)
def test_an_account_of_each_provider_can_be_added_and_named_in_a_path(
    ask: Asker, provider: str, account: str, token: str
) -> None:
    body = {"provider": provider, "account": account}
    assert ask.post("/v1/provider-accounts", body | {"token": token}, by="admin").status_code == 201
    sender = body | {"address": "+15005550008", "kind": "long_code"}
    assert ask.post("/v1/senders", sender, by="admin").status_code == 201
    assert ask.get(f"/v1/senders/{provider}/{account}/+15005550008", by="admin").status_code == 200
    path = f"/v1/provider-accounts/{provider}/{account}/retire-tokens"
    assert ask.post(path, None, by="admin").json == body | {"tokens": 1}
    refused = ask.post("/v1/provider-accounts", body | {"token": "s3cret"}, by="admin")
    assert refused.status_code == 422
    assert "s3cret" not in refused.text


def test_a_keys_secret_is_shown_once_and_opens_what_its_role_may(ask: Asker) -> None:
    made = ask.post("/v1/keys", {"role": "sender", "name": "campaigns"}, by="admin").json
    assert made["key"]["role"] == "sender"
    again = Asker(ask.client, {"new": made["secret"]})
    assert not again.suppressed(by="new")
    listed = ask.get("/v1/keys", by="admin")
    assert made["key"] in listed.json["items"]
    assert "oo_" not in listed.text


def test_a_rotated_key_and_its_successor_are_both_good_for_the_overlap(
    ask: Asker, rt: Runtime, cast: Cast
) -> None:
    with rt.reading() as connection:
        old = keys.find(connection, cast.keys["sender"], rt.keys)
    assert old is not None
    turned = ask.post(f"/v1/keys/{old.id}/rotate", {"overlap_hours": 2}, by="admin")
    assert turned.status_code == 201
    ends = datetime.fromisoformat(turned.json["replaces"]["expires_at"])
    assert timedelta(hours=1.9) < ends - datetime.now(UTC) <= timedelta(hours=2)
    both = Asker(ask.client, {"old": cast.keys["sender"], "new": turned.json["secret"]})
    assert not both.suppressed(by="old")
    assert not both.suppressed(by="new")
    # Without an overlap the old one opens nothing from now on, and cannot be rotated again.
    assert (
        ask.post(f"/v1/keys/{old.id}/rotate", {"overlap_hours": 0}, by="admin").status_code == 201
    )
    assert (
        both.post("/v1/check", {"channel": "email", "address": MAIL}, by="old").status_code == 401
    )
    assert refusal(ask.post(f"/v1/keys/{old.id}/rotate", {}, by="admin")) == (409, "conflict")


def test_a_successor_is_good_for_as_long_as_the_key_before_it_was_made_for(ask: Asker) -> None:
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    made = ask.post("/v1/keys", {"role": "agent", "expires_at": end}, by="admin").json["key"]
    turned = ask.post(f"/v1/keys/{made['id']}/rotate", {}, by="admin").json
    life = [
        datetime.fromisoformat(key["expires_at"]) - datetime.fromisoformat(key["created_at"])
        for key in (made, turned["key"])
    ]
    assert life[0] == life[1]


def test_an_overlap_never_makes_the_old_key_last_longer(ask: Asker) -> None:
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = ask.post("/v1/keys", {"role": "agent", "expires_at": end}, by="admin").json["key"]
    path = f"/v1/keys/{made['id']}/rotate"
    turned = ask.post(path, {"overlap_hours": 24}, by="admin").json
    assert turned["replaces"]["expires_at"] == made["expires_at"]


def test_revoking_again_changes_nothing(ask: Asker) -> None:
    made = ask.post("/v1/keys", {"role": "agent"}, by="admin").json["key"]
    first = ask.post(f"/v1/keys/{made['id']}/revoke", None, by="admin").json
    assert first["revoked_at"] is not None
    assert ask.post(f"/v1/keys/{made['id']}/revoke", None, by="admin").json == first


def test_nobody_makes_a_key_that_may_more_than_the_tenants(ask: Asker) -> None:
    refused = ask.post("/v1/keys", {"role": "platform"}, by="admin")
    assert refusal(refused) == (422, "invalid-request")
    made = ask.post("/v1/keys", {"role": "platform"}, by="platform")
    assert made.status_code == 201
    refused = ask.post("/v1/keys", {"role": "admin"}, by="platform")
    assert refusal(refused) == (422, "invalid-request")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/tenants/acme", None),
        ("PATCH", "/v1/tenants/acme", {"name": "Mine"}),
        ("GET", "/v1/tenants/platform", None),
        ("GET", "/v1/tenants/x%00y", None),
        ("PATCH", "/v1/topics/newsletter", {"name": "Mine"}),
        ("PATCH", "/v1/topics/x%00y", {"name": "Mine"}),
        ("POST", "/v1/senders", SENDER),
        ("GET", LONG_CODE, None),
        ("PATCH", LONG_CODE, {"topic": "*"}),
        ("DELETE", LONG_CODE, None),
        ("GET", "/v1/senders/twilio/x%00y/z", None),
        ("POST", f"/v1/provider-accounts/twilio/{stage.ACCOUNT}/retire-tokens", None),
        ("POST", "/v1/provider-accounts/twilio/x%00y/retire-tokens", None),
        ("POST", "/v1/keys/1/rotate", {}),
        ("POST", "/v1/keys/1/revoke", None),
        ("POST", "/v1/keys/99999999999999999999/revoke", None),
    ],
)
def test_what_is_anothers_or_nobodys_is_not_found(
    ask: Asker, method: str, path: str, body: Any
) -> None:
    answer = change(ask, path, body, by="bolt-admin", method=method)
    assert refusal(answer) == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/senders", SENDER | {"account": "AC1"}, "account"),
        ("/v1/senders", SENDER | {"provider": "pigeon"}, "provider"),
        ("/v1/senders", SENDER | {"kind": "pigeon"}, "kind"),
        ("/v1/senders", SENDER | {"channel": "email"}, "channel"),
        ("/v1/senders", SENDER | {"language": "french"}, "language"),
        ("/v1/senders", SENDER | {"address": "15005550007"}, "address"),
        ("/v1/senders", SENDER | {"kind": "short_code"}, "address"),
        ("/v1/senders", SENDER | {"kind": "messaging_service", "address": "MG1"}, "address"),
        ("/v1/provider-accounts", ACCOUNT | {"token": ""}, "token"),
        ("/v1/provider-accounts", ACCOUNT | {"token": "a b"}, "token"),
        ("/v1/topics", {"slug": "recipes", "name": "a\x00b"}, "name"),
        ("/v1/topics", {"slug": "recipes", "name": "x" * 201}, "name"),
        ("/v1/keys", {"role": "king"}, "role"),
        ("/v1/keys", {"role": "sender", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_what_cannot_be_is_refused_and_its_field_named(
    ask: Asker, path: str, body: Any, field: str
) -> None:
    answer = ask.post(path, body, by="admin")
    assert refusal(answer) == (422, "invalid-request")
    assert answer.json["field"] == field


def test_a_platform_key_names_the_tenant_that_it_sets_up(ask: Asker) -> None:
    refused = ask.post("/v1/topics", {"slug": "recipes"}, by="platform")
    assert (refused.status_code, refused.json["field"]) == (422, "Optout-Tenant")
    made = ask.post("/v1/topics", {"slug": "recipes"}, by="platform", Optout_Tenant="bolt")
    assert made.status_code == 201
    assert "recipes" in [topic["slug"] for topic in items(ask, "/v1/topics", "bolt-admin")]


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/v1/tenants", "platform"),
        ("/v1/topics", "admin"),
        ("/v1/senders", "admin"),
        ("/v1/keys", "admin"),
        ("/v1/provider-accounts", "admin"),
    ],
)
def test_pages_of_one_give_each_row_once_in_the_same_order(ask: Asker, path: str, by: str) -> None:
    ask.post(
        "/v1/provider-accounts", ACCOUNT | {"account": f"AC{'a' * 32}", "token": "t"}, by="admin"
    )
    whole = items(ask, path, by)
    assert len(whole) > 1
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = ask.get(path, by=by, query={"limit": 1, **cursor}).json
        paged += answer["items"]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert paged == whole
    for forged in ("x", "W10", "WyJhXHUwMDAwIl0", "Wy0xXQ", "WzFdWzFd", "ü"):
        assert refusal(ask.get(path, by=by, query={"cursor": forged})) == (400, "malformed")


def test_each_act_is_a_line_in_the_log_without_secrets(
    ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="optout.audit")
    made = ask.post("/v1/keys", {"role": "sender"}, by="admin").json
    ask.post("/v1/provider-accounts", ACCOUNT | {"token": "s3cret-token"}, by="admin")
    change(ask, LONG_CODE, None, method="DELETE")
    acts = [record for record in caplog.records if record.name == "optout.audit"]
    assert [record.message for record in acts] == [
        "key created",
        "provider account put",
        "sender removed",
    ]
    told = json.dumps([record.__dict__ for record in acts], default=str)
    assert f'"key": {made["key"]["id"]}' in told
    assert all(record.__dict__["by"].startswith("key:") for record in acts)
    for secret in (made["secret"], "s3cret-token", stage.LONG_CODE):
        assert secret not in told
