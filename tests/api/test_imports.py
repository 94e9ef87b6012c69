"""Lists of opt-outs, through the whole stack: added, told by the row, safe to send again."""

import gzip
import json
from collections.abc import Callable, Iterator
from io import RawIOBase
from typing import Any

import pytest
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from optout_service.store import chain, feed
from tests.api.asking import MAIL, PHONE, Asker, sha256_of
from tests.cast import BO
from tests.payloads import FOLDER
from tests.stage import Cast

NEWSLETTER = {"channel": "email", "topic": "newsletter"}


def send(
    ask: Asker,
    body: bytes | str,
    media: str = "text/csv",
    *,
    by: str = "integration",
    query: Any = None,
    **headers: str,
) -> Any:
    return ask.client.post(
        "/v1/imports",
        data=body,
        query_string=query,
        headers=ask.headers(by, {"Content-Type": media} | headers),
    )


def imported(ask: Asker, body: bytes | str, media: str = "text/csv", **more: Any) -> Any:
    answer = send(ask, body, media, **more)
    assert answer.status_code == 200, answer.text
    return answer.json


def events(rt: Runtime, tenant: int) -> list[feed.Event]:
    with rt.reading() as connection:
        return feed.page(connection, tenant, after=0, limit=1000, keys=rt.keys)


def test_a_list_is_suppressed_when_it_is_answered(ask: Asker) -> None:
    told = imported(ask, f"email\n{MAIL}\n{BO.email}\n", query=NEWSLETTER)
    assert told == {
        "rows": 2,
        "added": 2,
        "unchanged": 0,
        "invalid": 0,
        "skipped": 0,
        "format": "plain",
        "rejects": [],
    }
    assert ask.suppressed(MAIL, topic="newsletter")
    assert ask.suppressed(BO.email, topic="newsletter")
    assert not ask.suppressed(MAIL, topic="offers")


def test_each_act_is_in_the_ledger_with_its_evidence(rt: Runtime, cast: Cast, ask: Asker) -> None:
    row = f"{MAIL},complaint,2026-01-31T12:00:00+01:00,T-17\n"
    imported(ask, f"address,reason,occurred_at,reference\n{row}", query=NEWSLETTER)
    with rt.reading() as connection:
        (event,) = feed.history(connection, cast.acme, Address.parse(Kind.EMAIL, MAIL), rt.keys)
    assert (event.source, event.reason, event.scope) == (
        "import",
        "complaint",
        Scope("email", "newsletter", "marketing"),
    )
    assert event.occurred_at.isoformat() == "2026-01-31T11:00:00+00:00"
    assert event.evidence == {"reference": "T-17"}
    assert event.actor.startswith("key:")


def test_the_same_list_again_changes_and_writes_nothing(
    rt: Runtime, cast: Cast, ask: Asker
) -> None:
    body = f"email\n{MAIL}\n{BO.email}\n"
    imported(ask, body, query=NEWSLETTER)
    again = imported(ask, body, query=NEWSLETTER)
    assert (again["rows"], again["added"], again["unchanged"]) == (2, 0, 2)
    assert len(events(rt, cast.acme)) == 2


def test_an_import_lifts_nothing_and_weakens_no_reason(ask: Asker) -> None:
    ask.opt_out(MAIL, reason="complaint")
    told = imported(ask, f"email,reason\n{MAIL},bounced\n")
    assert (told["added"], told["unchanged"]) == (0, 1)
    assert ask.check(MAIL)["matches"][0]["reason"] == "complaint"


def test_rows_that_cannot_be_taken_are_told_and_the_others_stand(ask: Asker) -> None:
    body = f"address,channel\n{MAIL},email\n{BO.email}x@,email\n{PHONE},fax\n"
    answer = send(ask, body)
    assert answer.json["invalid"] == 2
    assert [reject["row"] for reject in answer.json["rejects"]] == [3, 4]
    assert BO.email not in answer.text
    assert PHONE not in answer.text
    assert ask.suppressed(MAIL)


def test_no_more_than_a_thousand_refusals_are_told_one_by_one(ask: Asker) -> None:
    told = imported(ask, "address\n" + "nobody\n" * 1500, "text/plain")
    assert (told["rows"], told["invalid"], len(told["rejects"])) == (1500, 1500, 1000)


def test_hashed_addresses_are_welcome(ask: Asker) -> None:
    imported(ask, f"{sha256_of(MAIL)}\n{sha256_of(BO.email)[7:]}\n", "text/plain", query=NEWSLETTER)
    assert ask.suppressed(MAIL, topic="newsletter")
    assert ask.suppressed(BO.email, topic="newsletter")


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/csv; charset=iso-8859-1", f"Name;E-Mail\r\n\xc4nne;{MAIL}\r\n".encode("latin-1")),
        ("text/plain", MAIL.encode()),
        ("application/x-ndjson", json.dumps({"address": MAIL}).encode()),
        ("application/json", json.dumps([{"email": MAIL, "created": 1443651141}]).encode()),
        ("application/json", json.dumps([MAIL]).encode()),
    ],
    ids=["csv of another charset", "lines", "ndjson", "json", "json of texts"],
)
def test_a_list_comes_in_many_dialects(ask: Asker, media: str, body: bytes) -> None:
    assert imported(ask, body, media)["added"] == 1
    assert ask.suppressed(MAIL)


def test_gzip_is_welcome(ask: Asker) -> None:
    body = gzip.compress(f"email\n{MAIL}\n".encode())
    assert imported(ask, body, **{"Content-Encoding": "gzip"})["added"] == 1


def test_another_systems_list_is_recognised(ask: Asker) -> None:
    body = (FOLDER / "imports" / "sendgrid-bounces.csv").read_bytes()
    told = imported(ask, body)
    assert (told["format"], told["added"], told["skipped"]) == ("sendgrid-bounces", 2, 2)
    assert ask.check("gone.one@example.com")["matches"][0]["reason"] == "bounced"


def test_a_body_over_the_limit_of_others_is_read(ask_with: Callable[..., Asker]) -> None:
    small = ask_with(max_body_bytes=4096)
    told = imported(small, "".join(f"r{n}@example.com\n" for n in range(1200)), "text/plain")
    assert told["added"] == 1200


def test_twenty_thousand_rows_are_as_many_suppressions_and_a_whole_chain(
    rt: Runtime, cast: Cast, ask: Asker
) -> None:
    body = "email\n" + "".join(f"r{number}@example.com\n" for number in range(20_000))
    assert imported(ask, body)["added"] == 20_000
    with rt.reading() as connection:
        walked = chain.verify(connection, cast.acme, rt.keys)
        stands = connection.execute(text("SELECT count(*) FROM suppression")).scalar_one()
    assert (walked.whole, walked.events, stands) == (True, 20_000, 20_000)
    answer = ask.post(
        "/v1/check/batch",
        {
            "channel": "email",
            "addresses": [f"r{n}@example.com" for n in range(10_000, 20_001)][:10_000],
        },
    )
    assert len(answer.json["suppressed"]) == 10_000


class Stream(RawIOBase):
    """A body that is made while it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def send_stream(ask: Asker, stream: RawIOBase) -> Any:
    """Lines that are sent while they are read, and end before the length that was said."""
    return ask.client.post(
        "/v1/imports",
        environ_overrides={"wsgi.input": stream, "CONTENT_LENGTH": "1000000"},
        headers=ask.headers("integration", {"Content-Type": "text/plain"}),
    )


def test_a_list_that_broke_off_says_how_far_it_came_and_half_a_row_is_none(
    rt: Runtime, cast: Cast, ask: Asker
) -> None:
    rows = "".join(f"recipient{number}@example.com\n" for number in range(3500))
    answer = send_stream(ask, Stream(iter([f"{rows}{MAIL[:-3]}".encode()])))
    assert (answer.status_code, answer.json["kind"]) == (400, "malformed")
    assert (answer.json["rows"], answer.json["added"]) == (3000, 3000)
    assert "3000 rows are dealt with" in answer.json["detail"]
    assert "Send the whole list again" in answer.json["detail"]
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys).events == 3000
    again = imported(ask, rows, "text/plain")
    assert (again["added"], again["unchanged"]) == (500, 3000)


def test_a_store_that_goes_away_half_way_keeps_what_it_committed(rt: Runtime, ask: Asker) -> None:
    def rows() -> Iterator[bytes]:
        yield b"".join(b"recipient%d@example.com\n" % number for number in range(3000))
        with rt.writing() as connection:
            connection.execute(text("ALTER TABLE event RENAME TO away"))
        yield b"".join(b"another%d@example.com\n" % number for number in range(3000))

    answer = send_stream(ask, Stream(rows()))
    assert (answer.status_code, answer.json["kind"]) == (503, "store-unavailable")
    assert answer.json["added"] in (2000, 3000)
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("status", "kind", "more"),
    [
        (415, "unsupported-media-type", {"media": "application/pdf"}),
        (415, "unsupported-media-type", {"media": ""}),
        (415, "unsupported-media-type", {"Content-Encoding": "br"}),
        (415, "unsupported-media-type", {"media": "text/csv; charset=klingon"}),
        (400, "malformed", {"Content-Encoding": "gzip"}),
        (422, "unknown-channel", {"query": {"channel": "fax"}}),
        (422, "unknown-topic", {"query": {"topic": "surveys"}}),
        (422, "invalid-request", {"query": {"reason": "bored"}}),
        (422, "invalid-request", {"query": {"format": "postmark"}}),
        (422, "invalid-request", {"query": {"format": "lotus"}}),
        (422, "invalid-request", {"query": {"colour": "red"}}),
        (403, "not-permitted", {"query": {"reason": "legal"}}),
        (413, "too-large", {"body": "x" * 70_000}),
        (400, "malformed", {"body": '"x\n', "query": {"format": "plain"}}),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_read_is_refused_whole(
    rt: Runtime, cast: Cast, ask: Asker, status: int, kind: str, more: dict[str, Any]
) -> None:
    given = {"body": f"email\n{MAIL}\n", "media": "text/csv"} | more
    answer = send(ask, **given)
    assert (answer.status_code, answer.json["kind"]) == (status, kind), answer.text
    assert MAIL not in answer.text
    assert events(rt, cast.acme) == []


def test_an_order_of_law_is_for_a_platform_key(ask: Asker) -> None:
    body = f"email,reason\n{MAIL},legal\n"
    refused = imported(ask, body)
    assert (refused["added"], refused["invalid"]) == (0, 1)
    assert "platform key" in refused["rejects"][0]["detail"]
    assert imported(ask, body, by="platform", **{"Optout-Tenant": "acme"})["added"] == 1


def test_a_platform_keys_list_binds_every_tenant(ask: Asker) -> None:
    imported(ask, MAIL, "text/plain", by="platform")
    assert ask.suppressed(MAIL, by="sender")
    assert ask.suppressed(MAIL, by="bolt-sender")


def test_a_tenants_list_is_that_tenants(ask: Asker) -> None:
    imported(ask, MAIL, "text/plain")
    assert not ask.suppressed(MAIL, by="bolt-sender")


def test_an_empty_list_is_no_fault(ask: Asker) -> None:
    assert imported(ask, b"")["rows"] == 0
    assert imported(ask, b"email\n")["rows"] == 0
    assert imported(ask, b"[]", "application/json")["rows"] == 0


def test_who_sends_slowly_holds_nobody_up(rt: Runtime, ask: Asker) -> None:
    """Between its rows no transaction is open: another writer gets through."""

    def rows() -> Iterator[bytes]:
        yield b"".join(b"recipient%d@example.com\n" % number for number in range(3000))
        ask.opt_out(BO.email)
        yield MAIL.encode()

    answer = send_stream(ask, Stream(rows()))
    assert answer.status_code == 400, "the length that was said did not come"
    assert ask.suppressed(BO.email)


def test_the_log_says_who_imported_how_many_and_no_address(
    ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    imported(ask, f"email\n{MAIL}\n")
    (record,) = [record for record in caplog.records if record.message == "imported"]
    assert (record.rows, record.added, record.format) == (1, 1, "plain")  # type: ignore[attr-defined]
