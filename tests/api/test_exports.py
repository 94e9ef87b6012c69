"""What stands, as a list to take away: hashes unless asked otherwise, all true at one position."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from optout_service.core.evidence import Reason
from optout_service.core.scope import ANY, Scope
from optout_service.runtime import Runtime
from optout_service.store import suppressions, tenants
from tests.api.asking import MAIL, PHONE, Asker, sha256_of
from tests.cast import BO, CY
from tests.stage import Cast
from tests.store.acts import NEWSLETTER, act

PATH = "/v1/suppressions/export"


def exported(ask: Asker, *, by: str = "integration", **query: str) -> Any:
    answer = ask.get(PATH, by=by, query=query)
    assert answer.status_code == 200, answer.text
    return answer


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def stands(ask: Asker) -> None:
    ask.opt_out(MAIL, topic="newsletter")
    ask.opt_out(BO.email, reason="bounced")
    ask.opt_out(PHONE, channel="*", purpose="*")


@pytest.mark.usefixtures("stands")
def test_unless_asked_otherwise_it_is_a_list_of_hashes(ask: Asker) -> None:
    answer = exported(ask)
    assert answer.text.splitlines() == [sha256_of(a) for a in (MAIL, BO.email, PHONE)]
    assert answer.mimetype == "text/plain"
    assert answer.headers["Optout-As-Of"] == "3"
    assert answer.headers["Optout-Rows"] == "3"
    assert answer.headers["Optout-Not-Exportable"] == "0"


@pytest.mark.usefixtures("stands")
def test_a_table_says_all_of_each(ask: Asker) -> None:
    answer = exported(ask, format="csv")
    assert answer.mimetype == "text/csv"
    first, second, third = table(answer)
    assert first.pop("since").endswith("Z")
    assert first == {
        "address": MAIL,
        "channel": "email",
        "topic": "newsletter",
        "purpose": "marketing",
        "reason": "opted_out",
        "source": "api",
    }
    assert (second["reason"], second["topic"]) == ("bounced", "*")
    assert (third["address"], third["channel"], third["purpose"]) == (PHONE, "*", "*")


@pytest.mark.usefixtures("stands")
def test_lines_of_json_say_the_same_and_the_event(ask: Asker) -> None:
    answer = exported(ask, format="ndjson")
    assert answer.mimetype == "application/x-ndjson"
    found = lines(answer)
    assert [row.pop("event") for row in found] == [1, 2, 3]
    assert found == table(exported(ask, format="csv"))


@pytest.mark.usefixtures("stands")
@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_an_auditors_are_masked(ask: Asker, format_: str) -> None:
    answer = exported(ask, by="auditor", format=format_)
    assert "a•••@e•••.com" in answer.text
    for address in (MAIL, BO.email, PHONE):
        assert address not in answer.text


@pytest.mark.usefixtures("stands")
def test_an_auditor_gets_no_hash_of_a_phone_since_it_tells_the_number(ask: Asker) -> None:
    answer = exported(ask, by="auditor")
    assert answer.text.splitlines() == [sha256_of(MAIL), sha256_of(BO.email)]
    assert answer.headers["Optout-Rows"] == "2"
    assert answer.headers["Optout-Not-Exportable"] == "1"
    assert sha256_of(PHONE) not in exported(ask, by="auditor", format="csv").text
    assert sha256_of(PHONE) in exported(ask, by="admin").text


@pytest.mark.usefixtures("stands")
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "rcs", "voice"])
def test_an_auditor_who_asks_for_hashes_of_phones_alone_is_told_what_to_ask_for(
    ask: Asker, channel: str
) -> None:
    refused = ask.get(PATH, by="auditor", query={"channel": channel})
    assert (refused.status_code, refused.json["kind"]) == (403, "not-permitted")
    assert refused.json["roles"] == ["integration", "admin", "platform"]
    assert "format=csv" in refused.json["detail"]
    assert exported(ask, by="auditor", channel=channel, format="csv").headers["Optout-Rows"] == "1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"channel": "email"}, [MAIL, BO.email]),
        ({"channel": "sms"}, [PHONE]),
        ({"channel": "email", "topic": "newsletter"}, [MAIL, BO.email]),
        ({"channel": "email", "topic": "offers"}, [BO.email]),
        ({"topic": "newsletter"}, [MAIL, BO.email, PHONE]),
        ({"reason": "bounced"}, [BO.email]),
        ({"channel": "whatsapp", "reason": "complaint"}, []),
    ],
    ids=str,
)
@pytest.mark.usefixtures("stands")
def test_what_forbids_a_message_of_this_kind_is_in_the_list_however_wide_it_is(
    ask: Asker, query: dict[str, str], expected: list[str]
) -> None:
    answer = exported(ask, **query)
    assert answer.text.splitlines() == [sha256_of(address) for address in expected]


def test_a_list_by_channel_and_topic_is_what_the_check_forbids(ask: Asker) -> None:
    for number, topic in enumerate(("newsletter", "offers", "*")):
        ask.opt_out(f"r{number}@example.com", topic=topic)
    listed = {row["address"] for row in lines(exported(ask, format="ndjson", topic="offers"))}
    forbidden = {
        f"r{number}@example.com"
        for number in range(3)
        if ask.suppressed(f"r{number}@example.com", topic="offers")
    }
    assert listed == forbidden == {"r1@example.com", "r2@example.com"}


def test_another_tenants_and_the_platforms_are_not_in_it(ask: Asker) -> None:
    ask.opt_out(CY.email, by="bolt-admin")
    ask.opt_out(BO.email, by="platform")
    ask.opt_out(MAIL)
    assert exported(ask).text.splitlines() == [sha256_of(MAIL)]
    assert exported(ask, by="platform").text.splitlines() == [sha256_of(BO.email)]


def test_what_is_known_by_its_hash_alone_goes_out_as_that(ask: Asker) -> None:
    ask.opt_out(sha256_of(MAIL), channel="email")
    assert exported(ask).text.splitlines() == [sha256_of(MAIL)]
    assert table(exported(ask, format="csv"))[0]["address"] == sha256_of(MAIL)


def test_what_is_known_by_nothing_but_its_digest_is_counted(rt: Runtime, ask: Asker) -> None:
    ask.opt_out(MAIL)
    ask.opt_out(BO.email)
    with rt.writing() as connection:
        connection.execute(text("DELETE FROM address_book WHERE tenant = 1"))
    ask.opt_out(MAIL, topic="newsletter")
    answer = exported(ask)
    assert answer.text.splitlines() == [sha256_of(MAIL)] * 2
    assert answer.headers["Optout-Rows"] == "2"
    assert answer.headers["Optout-Not-Exportable"] == "1"


@pytest.mark.parametrize("local", ["=cmd|calc", "+sum", "-x", "'=x"])
def test_a_spreadsheet_computes_no_address_and_an_import_reads_it_back(
    ask: Asker, local: str
) -> None:
    address = f"{local}@example.com"
    ask.opt_out(address)
    answer = exported(ask, format="csv")
    (row,) = table(answer)
    assert row["address"][0] not in "=+-@"
    sent = ask.client.post(
        "/v1/imports",
        data=answer.data,
        content_type="text/csv",
        headers=ask.headers("bolt-admin", {}),
    )
    assert sent.json["added"] == 1
    assert lines(exported(ask, by="bolt-admin", format="ndjson"))[0]["address"] == address


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_what_was_exported_can_be_imported_and_then_forbids_the_same(
    rt: Runtime, cast: Cast, ask: Asker, format_: str
) -> None:
    ask.opt_out(MAIL)
    ask.opt_in(MAIL, topic="newsletter")
    ask.opt_out(PHONE, channel="*", purpose="*", reason="blocked")
    ask.opt_out(sha256_of(BO.email), channel="email", reason="complaint")
    with rt.writing() as connection:
        for slug in ("events", "newsletter", "offers"):
            tenants.create_topic(connection, cast.bolt, slug)
    body = exported(ask, format=format_)
    sent = ask.client.post(
        "/v1/imports",
        data=body.data,
        content_type=body.content_type,
        headers=ask.headers("bolt-admin", {}),
    )
    assert (sent.json["invalid"], sent.json["added"]) == (0, sent.json["rows"])
    for topic in ("events", "newsletter", "offers", ANY):
        for address in (MAIL, PHONE, BO.email):
            assert ask.suppressed(address, topic=topic) == ask.suppressed(
                address, topic=topic, by="bolt-sender"
            )


def test_all_of_it_is_true_for_one_position_whatever_happens_meanwhile(
    rt: Runtime, cast: Cast
) -> None:
    def put(number: int, **changes: Any) -> None:
        with rt.writing() as connection:
            rt.record(connection, act(cast.acme, scope=Scope("email", *SCOPES[number]), **changes))

    for number in range(4):
        put(number)
    with rt.reading_one_state() as connection:
        pages = suppressions.walk(
            connection, cast.acme, rt.keys, covering=Scope("email", ANY, ANY), size=1
        )
        seen = next(pages)
        put(1, reason=Reason.COMPLAINT)  # its row moves behind the last page
        put(4)
        seen += [row for page in pages for row in page]
    assert [row.suppression.event for row in seen] == [1, 2, 3, 4]
    assert {row.suppression.reason for row in seen} == {Reason.OPTED_OUT}


SCOPES = [
    (NEWSLETTER.topic, "marketing"),
    (NEWSLETTER.topic, "transactional"),
    ("offers", "marketing"),
    ("offers", "transactional"),
    ("events", "marketing"),
]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"format": "xlsx"}, 422),
        ({"channel": "fax"}, 422),
        ({"topic": "surveys"}, 422),
        ({"reason": "bored"}, 422),
        ({"since": "2026-01-01"}, 422),
    ],
    ids=str,
)
def test_what_cannot_be_exported_is_refused(ask: Asker, query: dict[str, str], status: int) -> None:
    assert ask.get(PATH, query=query).status_code == status


def test_if_the_store_fails_before_the_first_byte_it_is_an_error(rt: Runtime, ask: Asker) -> None:
    ask.opt_out(MAIL)
    with rt.writing() as connection:
        connection.execute(text("ALTER TABLE address_book RENAME TO away"))
    answer = ask.get(PATH)
    assert (answer.status_code, answer.json["kind"]) == (503, "store-unavailable")


def test_an_answer_over_the_spool_is_broken_off_where_the_store_fails(
    ask_with: Callable[..., Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ask_with(spool_bytes=4096)
    ask.client.post(
        "/v1/imports",
        data="address\n" + "".join(f"r{number}@example.com\n" for number in range(2500)),
        content_type="text/plain",
        headers=ask.headers("integration", {}),
    )
    whole = ask.get(PATH, buffered=False)
    assert "Optout-Rows" not in whole.headers, "begun before its end was known"
    assert "Content-Length" not in whole.headers
    assert len(whole.data.splitlines()) == 2500


@pytest.mark.parametrize(
    ("by", "format_", "clear", "level"),
    [
        ("integration", "sha256", False, "INFO"),
        ("integration", "csv", True, "WARNING"),
        ("auditor", "csv", False, "INFO"),
    ],
)
@pytest.mark.usefixtures("stands")
def test_the_log_says_who_took_how_many_away_and_in_what_form(
    ask: Asker, caplog: pytest.LogCaptureFixture, by: str, format_: str, clear: bool, level: str
) -> None:
    caplog.set_level("INFO")
    exported(ask, by=by, format=format_)
    (line,) = [record for record in caplog.records if record.message == "exported"]
    told: Any = line
    assert (told.rows, told.format, told.clear, told.levelname) == (3, format_, clear, level)
    assert isinstance(told.api_key, int)
