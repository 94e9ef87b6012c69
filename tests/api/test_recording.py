"""Opt-outs and opt-ins through the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.runtime import Runtime
from optout_service.store import feed
from optout_service.store.tables import event
from tests.api.asking import MAIL, PHONE, WORDS, Asker, sha256_of
from tests.cast import BO
from tests.stage import Cast

OUT = "/v1/opt-outs"
IN = "/v1/opt-ins"


def mail(**more: Any) -> dict[str, Any]:
    return {"channel": "email", "address": MAIL, **more}


def events_in(rt: Runtime) -> int:
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(event)).scalar_one()


def last_event(rt: Runtime, tenant: int, address: str = MAIL) -> feed.Event:
    kind = Kind.EMAIL if "@" in address else Kind.PHONE
    with rt.reading() as connection:
        return feed.history(connection, tenant, Address.parse(kind, address), rt.keys)[-1]


def test_an_opt_out_is_recorded_and_suppresses_from_then_on(ask: Asker) -> None:
    answer = ask.post(OUT, mail(address=MAIL.upper()))
    assert answer.status_code == 201
    made = answer.json
    assert made["suppression"].pop("since").endswith("Z")
    assert made == {
        "event": 1,
        "changed": True,
        "suppression": {
            "address": MAIL,
            "reason": "opted_out",
            "source": "api",
            "event": 1,
            "scope": {
                "tenant": "acme",
                "channel": "email",
                "topic": "*",
                "purpose": "marketing",
            },
        },
    }
    assert ask.suppressed()


def test_the_same_opt_out_again_changes_nothing_and_is_written_down(ask: Asker) -> None:
    first = ask.post(OUT, mail()).json
    again = ask.post(OUT, mail())
    assert again.status_code == 200
    assert (again.json["event"], again.json["changed"]) == (2, False)
    assert again.json["suppression"] == first["suppression"]


def test_a_stronger_reason_takes_the_weaker_ones_place_and_keeps_its_since(
    ask: Asker,
) -> None:
    first = ask.opt_out()
    stronger = ask.opt_out(reason="complaint")
    weaker = ask.opt_out(reason="bounced")
    assert stronger["changed"]
    assert stronger["suppression"]["reason"] == "complaint"
    assert stronger["suppression"]["since"] == first["suppression"]["since"]
    assert not weaker["changed"]
    assert weaker["suppression"]["reason"] == "complaint"


def test_coming_back_and_leaving_again_works_each_time(ask: Asker) -> None:
    seen = []
    for _ in range(2):
        ask.opt_out()
        seen.append(ask.suppressed())
        back = ask.opt_in()
        assert (back.status_code, back.json["suppression"]) == (201, None)
        seen.append(ask.suppressed())
    assert seen == [True, False, True, False]


def test_an_opt_in_where_nothing_stands_changes_nothing(ask: Asker) -> None:
    answer = ask.opt_in()
    assert answer.status_code == 200
    assert answer.json == {"event": 1, "changed": False, "suppression": None}


def test_coming_back_for_one_topic_leaves_the_others_as_they_were(ask: Asker) -> None:
    ask.opt_out()
    assert ask.opt_in(topic="newsletter").status_code == 201
    assert {t: ask.suppressed(topic=t) for t in ("newsletter", "offers", "events")} == {
        "newsletter": False,
        "offers": True,
        "events": True,
    }
    assert ask.suppressed()


def test_coming_back_on_one_channel_leaves_the_others_as_they_were(ask: Asker) -> None:
    ask.opt_out(PHONE, channel="*")
    ask.opt_in(PHONE, channel="sms")
    assert [ask.suppressed(PHONE, channel=c) for c in ("sms", "whatsapp", "rcs", "voice")] == [
        False,
        True,
        True,
        True,
    ]


def test_a_hashed_address_can_leave_and_come_back(ask: Asker) -> None:
    hashed = sha256_of(MAIL)
    made = ask.opt_out(hashed, channel="email")
    assert made["suppression"]["address"] == hashed
    assert ask.suppressed(MAIL)
    assert ask.opt_in(hashed, channel="email").status_code == 201
    assert not ask.suppressed(MAIL)


def test_a_hashed_address_does_not_say_which_kind_it_is_so_it_needs_a_channel(
    ask: Asker,
) -> None:
    answer = ask.post(OUT, {"channel": "*", "address": sha256_of(MAIL)})
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-address")


@pytest.mark.parametrize("address", [MAIL, PHONE])
def test_on_all_channels_the_address_says_its_kind(ask: Asker, address: str) -> None:
    made = ask.opt_out(address, channel="*")
    assert made["suppression"]["scope"]["channel"] == "*"
    assert ask.suppressed(address)


def test_what_was_said_and_when_is_kept_as_evidence(rt: Runtime, ask: Asker, cast: Cast) -> None:
    ask.opt_out(occurred_at="2026-01-31T13:00:00+01:00", **WORDS)
    written = last_event(rt, cast.acme)
    assert written.evidence == WORDS
    assert written.occurred_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert written.recorded_at > written.occurred_at


@pytest.mark.parametrize(
    ("by", "source"), [("agent", "operator"), ("integration", "api"), ("admin", "api")]
)
def test_the_ledger_says_who_wrote_and_by_which_door(
    rt: Runtime, ask: Asker, cast: Cast, by: str, source: str
) -> None:
    ask.opt_out(by=by, **WORDS)
    written = last_event(rt, cast.acme)
    assert written.source == source
    assert written.actor.startswith("key:")
    assert ask.keys[by] not in written.actor


def test_an_agent_names_a_reference(ask: Asker) -> None:
    without = ask.post(OUT, mail(), by="agent")
    assert (without.status_code, without.json["field"]) == (422, "reference")
    assert ask.post(OUT, mail(reference="T-1"), by="agent").status_code == 201


def test_an_opt_in_older_than_an_opt_out_is_recorded_and_changes_nothing(ask: Asker) -> None:
    left = ask.opt_out(occurred_at="2026-01-31T12:00:00Z")
    late = ask.opt_in(occurred_at="2026-01-31T12:00:00Z")
    assert late.status_code == 200
    assert late.json == {"event": 2, "changed": False, "suppression": left["suppression"]}
    assert ask.opt_in(occurred_at="2026-01-31T12:00:01Z").status_code == 201


@pytest.mark.parametrize("missing", ["reference", "statement"])
def test_an_opt_in_without_evidence_lifts_nothing(ask: Asker, missing: str) -> None:
    ask.opt_out()
    whole = mail(**WORDS)
    without = {name: value for name, value in whole.items() if name != missing}
    for body in (without, whole | {missing: ""}, whole | {missing: " "}, whole | {missing: None}):
        answer = ask.post(IN, body)
        assert (answer.status_code, answer.json["field"]) == (422, missing)
    assert ask.suppressed()


def test_an_opt_in_has_no_reason(ask: Asker) -> None:
    assert ask.opt_in(reason="opted_out").status_code == 422


@pytest.mark.parametrize("by", ["integration", "agent", "admin"])
def test_only_the_platform_records_an_order_of_law(ask: Asker, by: str) -> None:
    answer = ask.post(OUT, mail(reason="legal", **WORDS), by=by)
    assert (answer.status_code, answer.json["kind"]) == (403, "not-permitted")
    assert not ask.suppressed()


def test_an_order_of_law_for_one_tenant_is_lifted_by_the_platform_alone(
    ask: Asker,
) -> None:
    ask.opt_out(by="platform", tenant="acme", reason="legal")
    assert (ask.suppressed(), ask.suppressed(by="bolt-sender")) == (True, False)
    refused = ask.opt_in(by="admin")
    assert (refused.status_code, refused.json["liftable_by"]) == (409, ["platform"])
    lifted = ask.post(IN, mail(**WORDS), by="platform", Optout_Tenant="acme")
    assert lifted.status_code == 201
    assert not ask.suppressed()


@pytest.mark.parametrize(
    ("reason", "by", "liftable_by"),
    [
        ("complaint", "agent", ["admin", "platform", "recipient_page"]),
        ("complaint", "integration", ["admin", "platform", "recipient_page"]),
        ("complaint", "admin", None),
        ("opted_out", "agent", None),
        ("bounced", "integration", None),
        ("blocked", "agent", None),
        ("reassigned", "admin", None),
    ],
)
def test_the_ladder_decides_who_lifts(
    ask: Asker, reason: str, by: str, liftable_by: list[str] | None
) -> None:
    ask.opt_out(reason=reason)
    answer = ask.opt_in(by=by)
    if liftable_by is None:
        assert answer.status_code == 201
    else:
        assert (answer.status_code, answer.json["kind"]) == (409, "not-liftable")
        assert answer.json["liftable_by"] == liftable_by
    assert ask.suppressed() is (liftable_by is not None)


def test_a_refused_opt_in_leaves_no_event(rt: Runtime, ask: Asker) -> None:
    ask.opt_out(reason="complaint")
    before = events_in(rt)
    ask.opt_in(by="agent")
    assert events_in(rt) == before


def test_no_tenants_key_lifts_what_the_platform_suppressed(ask: Asker) -> None:
    ask.opt_out(by="platform")
    refused = ask.opt_in(by="admin")
    assert (refused.status_code, refused.json["liftable_by"]) == (409, ["platform"])
    assert ask.opt_in(by="platform").status_code == 201
    assert not ask.suppressed()


def test_opt_ins_through_the_api_are_capped_per_day(
    ask_with: Callable[..., Asker],
) -> None:
    ask = ask_with(lift_cap=1)
    for address in (MAIL, BO.email):
        ask.opt_out(address)
    first, second = ask.opt_in(MAIL), ask.opt_in(BO.email)
    assert (first.status_code, second.status_code) == (201, 429)
    assert (second.json["kind"], second.json["cap"]) == ("lift-cap", 1)
    assert ask.suppressed(BO.email)


def test_one_tenants_cap_is_not_anothers(ask_with: Callable[..., Asker]) -> None:
    ask = ask_with(lift_cap=1)
    for by in ("integration", "bolt-admin"):
        ask.opt_out(by=by)
        assert ask.opt_in(by=by).status_code == 201


@pytest.mark.parametrize("path", [OUT, IN])
def test_a_topic_the_tenant_does_not_have_records_nothing(
    rt: Runtime, ask: Asker, path: str
) -> None:
    words = WORDS if path == IN else {}
    for topic in ("no-such", "news", "Not A Slug", "-"):
        answer = ask.post(path, mail(topic=topic, **words))
        assert (answer.status_code, answer.json["kind"]) == (422, "unknown-topic"), topic
    assert events_in(rt) == 0


def test_a_time_within_a_day_ahead_is_a_clock_that_differs(rt: Runtime, ask: Asker) -> None:
    ahead = (rt.now() + timedelta(hours=24)).isoformat()
    assert ask.post(OUT, mail(occurred_at=ahead)).status_code == 201


def test_a_time_that_cannot_be_is_refused(rt: Runtime, ask: Asker) -> None:
    for when in (
        "1989-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2999-01-01T00:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31",
        "yesterday",
        1769860800,
    ):
        answer = ask.post(OUT, mail(occurred_at=when))
        assert (answer.status_code, answer.json["field"]) == (422, "occurred_at"), when
    assert events_in(rt) == 0


def test_a_time_more_than_a_day_ahead_is_refused(rt: Runtime, ask: Asker) -> None:
    ahead = (rt.now() + timedelta(hours=26)).isoformat()
    assert ask.post(OUT, mail(occurred_at=ahead)).status_code == 422


@pytest.mark.parametrize(("field", "longest"), [("reference", 200), ("statement", 2000)])
def test_evidence_has_a_longest_length(ask: Asker, field: str, longest: int) -> None:
    fits = ask.post(OUT, mail(**{field: "x" * longest}))
    over = ask.post(OUT, mail(**{field: "x" * (longest + 1)}))
    assert (fits.status_code, over.status_code) == (201, 422)
    assert over.json["field"] == field


def test_an_opt_out_of_everything_binds_transactional_messages_too(ask: Asker) -> None:
    ask.opt_out(purpose="*")
    assert ask.suppressed(purpose="transactional")


def test_a_tenant_never_sees_what_the_other_recorded(rt: Runtime, ask: Asker, cast: Cast) -> None:
    ask.opt_out(by="bolt-admin", reference="bolt's own")
    back = ask.opt_in(by="admin")
    assert back.json == {"event": 1, "changed": False, "suppression": None}
    assert ask.suppressed(by="bolt-sender")
