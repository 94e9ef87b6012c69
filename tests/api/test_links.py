"""Links for messages."""

from collections.abc import Callable
from typing import Any

import pytest

from optout_service.client import LinkMinter
from optout_service.core.errors import BadToken
from optout_service.runtime import Runtime
from optout_service.store import feed
from tests.api.asking import MAIL, PHONE, Asker, sha256_of
from tests.stage import PUBLIC_URL, Cast


def token_of(url: str) -> str:
    assert url.startswith(f"{PUBLIC_URL}/u/")
    return url.removeprefix(f"{PUBLIC_URL}/u/")


def test_a_link_names_the_tenant_the_address_and_what_to_leave(
    rt: Runtime, ask: Asker, cast: Cast
) -> None:
    answer = ask.post(
        "/v1/links",
        {"address": MAIL.upper(), "topic": "offers", "message": "m-1"},
        by="sender",
    )
    assert answer.status_code == 201
    claim = rt.links.read(token_of(answer.json["url"]))
    assert (claim.tenant, claim.channel, claim.topic, claim.message) == (
        cast.acme,
        "email",
        "offers",
        "m-1",
    )
    assert claim.address.value == MAIL


def test_a_link_comes_with_the_headers_of_one_click(ask: Asker) -> None:
    made = ask.post("/v1/links", {"address": MAIL}, by="sender").json
    assert made["headers"] == {
        "List-Unsubscribe": f"<{made['url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_a_mailbox_of_the_settings_stands_behind_the_link_in_the_header(
    ask_with: Callable[..., Asker],
) -> None:
    ask = ask_with(mailto="unsubscribe@acme.example")
    one = ask.post("/v1/links", {"address": MAIL}, by="sender").json
    (same,) = ask.post("/v1/links/batch", {"links": [{"address": MAIL}]}, by="sender").json["links"]
    assert one == same
    assert one["headers"]["List-Unsubscribe"] == (
        f"<{one['url']}>, <mailto:unsubscribe@acme.example?subject={token_of(one['url'])}>"
    )


def test_a_link_that_no_header_has_room_for_is_refused(ask: Asker) -> None:
    long = {"address": MAIL, "message": "é" * 200, "language": "x" * 35}
    assert ask.post("/v1/links", {**long, "message": "m" * 200}, by="sender").status_code == 201
    answer = ask.post("/v1/links", {**long, "message": "\U0001f4e7" * 200}, by="sender")
    assert (answer.status_code, answer.json["field"]) == (422, "message")


def test_a_link_shows_no_address(ask: Asker) -> None:
    url = ask.post("/v1/links", {"address": MAIL}, by="sender").json["url"]
    assert MAIL.partition("@")[0] not in url.lower()
    assert "example.com" not in url.removeprefix(PUBLIC_URL)


def test_a_link_for_a_text_message_is_for_its_phone(rt: Runtime, ask: Asker) -> None:
    made = ask.post("/v1/links", {"address": PHONE, "channel": "sms"}, by="sender").json
    claim = rt.links.read(token_of(made["url"]))
    assert (claim.channel, claim.address.value) == ("sms", PHONE)


def test_a_hashed_address_gets_no_link_since_its_page_could_show_nothing(
    ask: Asker,
) -> None:
    answer = ask.post("/v1/links", {"address": sha256_of(MAIL)}, by="sender")
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-address")


def test_a_link_speaks_the_recipients_language(rt: Runtime, ask: Asker) -> None:
    made = ask.post("/v1/links", {"address": MAIL, "language": "de"}, by="sender").json
    assert rt.links.read(token_of(made["url"])).language == "de"


def test_links_come_in_the_order_in_which_they_were_asked_for(rt: Runtime, ask: Asker) -> None:
    addresses = [f"r{n}@example.com" for n in range(30)]
    answer = ask.post(
        "/v1/links/batch", {"links": [{"address": a} for a in addresses]}, by="sender"
    )
    assert answer.status_code == 201
    claims = [rt.links.read(token_of(link["url"])) for link in answer.json["links"]]
    assert [claim.address.value for claim in claims] == addresses


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"address": "nobody"}, "invalid-address"),
        ({"address": sha256_of(MAIL)}, "invalid-address"),
        ({"address": MAIL, "channel": "fax"}, "unknown-channel"),
        ({"address": MAIL, "channel": "*"}, "unknown-channel"),
        ({"address": MAIL, "language": "x" * 36}, "invalid-request"),
        ({"address": MAIL, "topic": "Not A Slug"}, "unknown-topic"),
    ],
)
def test_the_first_bad_link_refuses_them_all_and_is_named_by_index(
    ask: Asker, bad: dict[str, str], kind: str
) -> None:
    body = {"links": [{"address": MAIL}, bad, {"address": "also nobody"}]}
    answer = ask.post("/v1/links/batch", body, by="sender")
    assert (answer.status_code, answer.json["kind"], answer.json["index"]) == (
        422,
        kind,
        1,
    )
    assert "links" not in answer.json


@pytest.mark.parametrize("topic", ["no-such", "news"])
def test_a_link_is_for_a_topic_the_tenant_has(ask: Asker, topic: str) -> None:
    one = {"address": MAIL, "topic": topic}
    single = ask.post("/v1/links", one, by="sender")
    batch = ask.post("/v1/links/batch", {"links": [{"address": MAIL}, one]}, by="sender")
    assert (single.status_code, single.json["kind"]) == (422, "unknown-topic")
    assert (batch.status_code, batch.json["kind"], batch.json["index"]) == (
        422,
        "unknown-topic",
        1,
    )


def test_a_batch_of_links_over_the_limit_is_refused(
    ask_with: Callable[..., Asker],
) -> None:
    ask = ask_with(batch_limit=2)
    links = [{"address": MAIL}] * 3
    assert ask.post("/v1/links/batch", {"links": links[:2]}, by="sender").status_code == 201
    over = ask.post("/v1/links/batch", {"links": links}, by="sender")
    assert (over.status_code, over.json["limit"]) == (413, 2)


def test_an_empty_batch_of_links_is_an_empty_list(ask: Asker) -> None:
    assert ask.post("/v1/links/batch", {"links": []}, by="sender").json == {"links": []}


@pytest.mark.parametrize("wrong", [{"language": "x" * 100}, {"message": "m" * 1000}], ids=str)
def test_what_does_not_fit_into_a_link_is_refused(ask: Asker, wrong: dict[str, Any]) -> None:
    answer = ask.post("/v1/links", {"address": MAIL, **wrong}, by="sender")
    assert (answer.status_code, answer.json["field"]) == (422, next(iter(wrong)))


@pytest.mark.parametrize("by", ["admin", "platform"])
def test_the_link_key_mints_what_the_service_would(ask: Asker, by: str) -> None:
    given = ask.get("/v1/link-key", by=by, Optout_Tenant="acme")
    one = {"address": MAIL, "topic": "offers", "message": "m-1", "language": "de"}
    url = ask.post("/v1/links", one, by="sender").json["url"]
    minter = LinkMinter(given.json)
    assert minter.mint(MAIL, topic="offers", message="m-1", language="de") == url


def test_the_link_key_of_one_tenant_mints_for_no_other(rt: Runtime, ask: Asker, cast: Cast) -> None:
    key = ask.get("/v1/link-key", by="bolt-admin").json
    forged = LinkMinter({**key, "tenant": cast.acme, "topics": ["offers"]})
    with pytest.raises(BadToken):
        rt.links.read(token_of(forged.mint(MAIL, topic="offers")))


def test_the_platform_has_no_link_key(ask: Asker) -> None:
    answer = ask.get("/v1/link-key", by="platform")
    assert (answer.status_code, answer.json["field"]) == (422, "Optout-Tenant")


def test_nobody_keeps_a_copy_of_the_link_key_on_the_way(ask: Asker) -> None:
    assert ask.get("/v1/link-key", by="admin").headers["Cache-Control"] == "no-store"


def test_who_took_the_link_key_is_in_the_log_and_the_key_is_not(
    ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="optout.audit"):
        key = ask.get("/v1/link-key", by="admin").json["keys"][0]
    (line,) = [record for record in caplog.records if record.name == "optout.audit"]
    assert (line.getMessage(), line.__dict__["tenant"]) == ("link key taken", "acme")
    assert key not in str(line.__dict__)


def test_minting_writes_nothing(rt: Runtime, ask: Asker, cast: Cast) -> None:
    ask.post("/v1/links", {"address": MAIL}, by="sender")
    with rt.reading() as connection:
        assert feed.page(connection, cast.acme, after=0, limit=1, keys=rt.keys) == []
    assert not ask.suppressed()
