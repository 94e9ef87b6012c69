"""What one process counts at its doors, as Prometheus reads it."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from optout_service import background
from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.errors import StoreUnavailable
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.evidence.keeping import Keeper
from optout_service.metrics.counted import Counted
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from optout_service.store import reviews
from tests import stage
from tests.api.asking import MAIL, Asker
from tests.cast import ANA, CANARIES
from tests.stage import Cast
from tests.store.acts import doubt

PORT = 9464
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture
def counting(rt: Runtime, cast: Cast) -> Runtime:
    """The runtime with metrics on."""
    settings = replace(rt.settings, metrics_port=PORT)
    return replace(rt, settings=settings, metrics=Counted())


@pytest.fixture
def ask(counting: Runtime, api_keys: dict[str, str]) -> Asker:
    """The API with all keys at hand."""
    return Asker(create_app(counting).test_client(), api_keys)


def exposition(client: FlaskClient) -> str:
    answer = client.get("/metrics", environ_overrides={"SERVER_PORT": str(PORT)})
    assert answer.status_code == 200
    return answer.text


def figures(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Name and values of labels, in the order of the labels' names -> value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition(client))
        for sample in family.samples
    }


def text_stop(client: FlaskClient, message: str, sid: str) -> None:
    fields = {
        "AccountSid": stage.ACCOUNT,
        "MessageSid": sid,
        "From": ANA.phone,
        "To": stage.LONG_CODE,
        "Body": message,
    }
    url = f"{stage.PUBLIC_URL}/hooks/twilio/messages"
    signed = {"X-Twilio-Signature": twilio.sign(stage.TOKEN, url, fields)}
    assert client.post("/hooks/twilio/messages", data=fields, headers=signed).status_code == 200


def test_what_happens_at_the_doors_is_counted(counting: Runtime, cast: Cast, ask: Asker) -> None:
    ask.opt_out()
    ask.opt_out()
    for _ in range(3):  # by Flask, and then ahead of it
        ask.check()
    body = {"channel": "email", "addresses": [MAIL, "a@example.com", "b@example.com"]}
    ask.post("/v1/check/batch", body, by="sender")
    address = Address.parse(Kind.EMAIL, "c@example.com")
    token = counting.links.mint(Claim(cast.acme, "email", address, "newsletter"))
    ask.client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    text_stop(ask.client, "STOP", "SM1")
    text_stop(ask.client, "STOP", "SM1")
    ask.opt_in()
    ask.post("/v1/check", {"channel": "email"}, by="sender")
    ask.client.post("/hooks/twilio/messages", data={"Body": "STOP"})

    found = figures(ask.client)
    assert found["optout_verdicts_total", "suppressed"] == 4
    assert found["optout_verdicts_total", "allowed"] == 2
    assert found["optout_opt_outs_total", "yes", "api"] == 1
    assert found["optout_opt_outs_total", "no", "api"] == 1
    assert found["optout_opt_outs_total", "yes", "one_click"] == 1
    assert found["optout_opt_outs_total", "yes", "text"] == 1
    assert found["optout_replayed_messages_total",] == 1
    assert found["optout_opt_ins_total", "yes", "api"] == 1
    assert found["optout_lifts_total", "integration"] == 1
    assert found["optout_refusals_total", "invalid-request"] == 1
    assert found["optout_refusals_total", "bad-signature"] == 1
    assert found["optout_hooks_refused_total", "twilio", "account"] == 1
    timed = "optout_http_request_duration_seconds_count"
    assert found[timed, "POST", "/v1/check", "2xx"] == 3
    assert found[timed, "POST", "/v1/check", "4xx"] == 1
    assert found[timed, "POST", "/u/<rest:token>", "2xx"] == 1
    assert found["optout_ledger_events",] == 5
    assert found["optout_tenants",] == 2
    assert found["optout_store_up",] == 1


def test_what_was_not_stored_is_not_counted_as_an_opt_out(counting: Runtime, ask: Asker) -> None:
    with counting.writing() as connection:
        connection.execute(text("ALTER TABLE suppression RENAME TO away"))
    assert ask.post("/v1/opt-outs", {"channel": "email", "address": MAIL}).status_code == 503
    found = figures(ask.client)
    assert not [name for name in found if name[0] == "optout_opt_outs_total"]
    assert found["optout_refusals_total", "store-unavailable"] == 1


def test_a_store_that_is_gone_is_a_figure_and_no_fault(counting: Runtime, ask: Asker) -> None:
    with counting.writing() as connection:
        connection.execute(text("ALTER TABLE tenant RENAME TO away"))
    found = figures(ask.client)
    assert found["optout_store_up",] == 0
    assert ("optout_ledger_events",) not in found


def test_how_far_a_reader_of_the_feed_is_behind_is_seen(ask: Asker) -> None:
    for name in "abc":
        ask.opt_out(f"{name}@example.com")
    ask.get("/v1/events", by="integration", query={"limit": 1})
    ask.get("/v1/events", by="auditor", query={"limit": 100})
    found = figures(ask.client)
    behind = {k[1]: v for k, v in found.items() if k[0] == "optout_feed_behind_events"}
    assert sorted(behind.values()) == [0, 2]
    assert all(found["optout_feed_read_timestamp_seconds", key] > 1.7e9 for key in behind)


def test_no_label_carries_what_a_caller_wrote(counting: Runtime, cast: Cast, ask: Asker) -> None:
    address = Address.parse(Kind.EMAIL, ANA.email)
    token = counting.links.mint(Claim(cast.acme, "email", address, "newsletter"))
    client = ask.client
    ask.opt_out(ANA.email)
    ask.opt_out(ANA.phone)
    client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    client.get(f"/u/{token}x")
    client.get(f"/u/{quote(ANA.email)}")
    client.get(f"/{ANA.email}?phone={quote(ANA.phone)}")
    client.open("/v1/check", method="JO@EXAMPLE.COM")
    ask.post("/v1/check", {"channel": ANA.email}, by="sender")
    text_stop(client, f"STOP {ANA.email}", "SM1")
    shown = exposition(client)
    for canary in (*CANARIES, token[:40], "JO@EXAMPLE", *cast.keys.values()):
        assert canary not in shown
    assert 'method="other"' in shown


def test_the_port_shows_the_metrics_and_nothing_else(ask: Asker) -> None:
    there = {"SERVER_PORT": str(PORT)}
    for path in ("/healthz", "/v1/check", "/", "/metrics/"):
        assert ask.client.get(path, environ_overrides=there).status_code == 404
    assert ask.client.post("/metrics", environ_overrides=there).status_code == 404
    headers = {"Host": f"localhost:{PORT}", "X-Forwarded-Port": str(PORT)}
    assert ask.client.get("/metrics", headers=headers).status_code == 404


def test_without_the_setting_nothing_is_shown(client: FlaskClient) -> None:
    there = {"SERVER_PORT": "0"}
    assert client.get("/metrics", environ_overrides=there).status_code == 404


def test_a_keeper_that_cannot_write_its_checkpoints_is_seen(
    counting: Runtime, cast: Cast, ask: Asker, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no directory")
    broken = replace(counting.settings, checkpoint_dir=str(tmp_path / "file" / "x"))
    ask.opt_out()
    for _ in range(2):
        Keeper(replace(counting, settings=broken)).round()
    found = figures(ask.client)
    assert found["optout_background_failures_total", "checkpoints"] == 2
    assert found["optout_checkpoint_timestamp_seconds",] == 0
    Keeper(counting).round()
    found = figures(ask.client)
    assert found["optout_background_failures_total", "checkpoints"] == 2
    assert found["optout_checkpoint_timestamp_seconds",] > 1.7e9


def test_a_turn_beside_the_requests_that_fails_is_counted_and_breaks_nothing(
    counting: Runtime, ask: Asker
) -> None:
    def work() -> None:
        raise StoreUnavailable("away")

    background.attempt(work, partial(counting.metrics.task_failed, "key use"))
    assert figures(ask.client)["optout_background_failures_total", "key use"] == 1


def test_the_page_tells_of_every_metric_and_of_no_other(ask: Asker) -> None:
    ask.opt_out()
    ask.opt_in()
    ask.get("/v1/events")
    shown = set(re.findall(r"^# TYPE (\S+) ", exposition(ask.client), re.MULTILINE))
    told = set(re.findall(r"^\| `(optout_[a-z_]+)`", PAGE.read_text(), re.MULTILINE))
    assert told == shown


def test_a_review_that_nobody_decided_in_time_is_seen(
    counting: Runtime, cast: Cast, ask: Asker
) -> None:
    with counting.writing() as connection:
        for days in (1, 30):
            received = counting.now() - timedelta(days=days)
            reviews.open_review(connection, doubt(cast.acme), at=received, keys=counting.keys)
    found = figures(ask.client)
    assert (found["optout_reviews_open",], found["optout_reviews_overdue",]) == (2, 1)
