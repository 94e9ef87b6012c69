"""One recipient looked up, and the evidence about them."""

import json
from typing import Any

import pytest

from optout_service.core import bundle
from tests.api.asking import MAIL, PHONE, WORDS, Asker, sha256_of

LOOKUP = "/v1/recipients/lookup"
EVIDENCE = "/v1/recipients/evidence"
WHO = {"channel": "email", "address": MAIL}


def looked_up(ask: Asker, *, by: str = "agent", **more: Any) -> Any:
    answer = ask.post(LOOKUP, {**WHO, **more}, by=by)
    assert answer.status_code == 200, answer.text
    return answer.json


def evidence(ask: Asker, *, by: str = "agent", **more: Any) -> Any:
    answer = ask.post(EVIDENCE, {**WHO, **more}, by=by)
    assert answer.status_code == 200, answer.text
    return answer


def test_what_stands_comes_with_who_may_lift_it(ask: Asker) -> None:
    ask.opt_out(topic="newsletter", reason="complaint")
    ask.opt_out(by="platform")
    stands = {row["scope"]["tenant"]: row for row in looked_up(ask)["stands"]}
    assert stands["acme"]["liftable_by"] == ["admin", "platform", "recipient_page"]
    assert stands["platform"]["liftable_by"] == ["platform"]
    assert stands["acme"]["reason"] == "complaint"


def test_the_whole_history_comes_with_its_evidence(ask: Asker) -> None:
    ask.opt_out(reference="T-7", statement="No more, please.")
    ask.opt_out()
    ask.opt_in()
    told = looked_up(ask)
    assert told["stands"] == []
    assert [(e["event"], e["action"], e["changed"]) for e in told["events"]] == [
        (1, "opt_out", True),
        (2, "opt_out", False),
        (3, "opt_in", True),
    ]
    assert [e["evidence"] for e in told["events"]] == [
        {"reference": "T-7", "statement": "No more, please."},
        {},
        WORDS,
    ]
    assert told["next"] is None


def test_a_long_history_is_read_in_pages(ask: Asker) -> None:
    for _ in range(5):
        ask.opt_out()
    seen, after = [], 0
    while after is not None:
        page = looked_up(ask, after=after, limit=2)
        seen += [event["event"] for event in page["events"]]
        after = page["next"]
    assert seen == [1, 2, 3, 4, 5]


def test_every_channel_of_a_phone_is_told(ask: Asker) -> None:
    ask.opt_out(PHONE)
    ask.opt_out(PHONE, channel="voice")
    told = looked_up(ask, channel="whatsapp", address=PHONE)
    assert [row["scope"]["channel"] for row in told["stands"]] == ["sms", "voice"]


def test_a_hashed_address_is_looked_up_and_stays_hashed(ask: Asker) -> None:
    ask.opt_out()
    told = looked_up(ask, address=sha256_of(MAIL))
    assert told["address"] == sha256_of(MAIL)
    assert MAIL not in json.dumps(told)
    assert len(told["events"]) == 1


def test_another_tenants_recipient_is_nobody(ask: Asker) -> None:
    ask.opt_out(by="bolt-admin")
    told = looked_up(ask)
    assert (told["stands"], told["events"]) == ([], [])
    bundle_ = evidence(ask).json
    assert (bundle_["stands"], bundle_["events"]) == ([], [])


def test_a_bundle_is_signed_and_verifies(ask: Asker) -> None:
    ask.opt_out(reference="T-7")
    ask.opt_out("elsewhere@example.com")
    ask.opt_in()
    made = evidence(ask).json
    keys = ask.get("/v1/checkpoints", by="auditor").json["public_keys"]
    assert bundle.faults(made, keys) == []
    assert [event["event"] for event in made["events"]] == [1, 3]
    assert [event["evidence"] for event in made["events"]] == [{"reference": "T-7"}, WORDS]
    assert made["address"] == MAIL
    assert (made["complete"], made["held"], made["masked"]) == (True, True, False)


def test_for_an_auditor_it_is_masked_and_still_verifies(ask: Asker) -> None:
    ask.opt_out(reference="T-7", statement="a very private word")
    answer = evidence(ask, by="auditor")
    for private in (MAIL, "T-7", "a very private word"):
        assert private not in answer.text
    made = answer.json
    assert bundle.faults(made) == []
    assert (made["masked"], made["events"][0]["evidence"], made["events"][0]["salt"]) == (
        True,
        None,
        None,
    )


def test_the_page_shows_the_same_and_loads_nothing(ask: Asker) -> None:
    ask.opt_out(reference="<script>alert(1)</script>")
    answer = evidence(ask, format="html")
    assert answer.content_type == "text/html; charset=utf-8"
    assert MAIL in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    for loads in ("<script", "src=", "href=", "url(", "@import"):
        assert loads not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy


def test_the_page_of_an_auditor_names_nobody(ask: Asker) -> None:
    ask.opt_out(reference="T-7")
    text = evidence(ask, by="auditor", format="html").text
    assert MAIL not in text
    assert "T-7" not in text


@pytest.mark.parametrize("path", [LOOKUP, EVIDENCE])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"address": "nobody"}, "invalid-address"),
        ({"channel": "fax"}, "unknown-channel"),
        ({"format": "pdf", "limit": 0}, "invalid-request"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(
    ask: Asker, path: str, body: dict[str, Any], kind: str
) -> None:
    answer = ask.post(path, WHO | body, by="admin")
    assert (answer.status_code, answer.json["kind"]) == (422, kind)
