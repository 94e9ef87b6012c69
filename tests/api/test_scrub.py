"""A whole list at once: who on it may be sent to?"""

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from optout_service.core.rows import MAX_ROW_BYTES
from optout_service.runtime import Runtime
from optout_service.store.snapshots import Held
from tests.api.asking import MAIL, PHONE, Asker, sha256_of
from tests.api.test_checks import revoke
from tests.cast import BO, CY

ARRIVING = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
CSV = f"name,email\nAna,{MAIL}\nBo,{BO.email}\n".encode()


def scrub(
    ask: Asker,
    data: Any = CSV,
    content_type: str = "text/csv",
    *,
    by: str | None = "sender",
    channel: str = "email",
    headers: dict[str, str] | None = None,
    **query: Any,
) -> TestResponse:
    arriving = {} if isinstance(data, bytes) else ARRIVING | {"wsgi.input": data}
    return ask.client.post(
        "/v1/scrub",
        data=data if isinstance(data, bytes) else None,
        environ_overrides=arriving,
        content_type=content_type,
        query_string={"channel": channel} | query,
        headers=ask.headers(by, {}) | (headers or {}),
    )


def test_a_list_comes_back_without_those_who_left(ask: Asker) -> None:
    event = ask.opt_out(MAIL)["event"]
    answer = scrub(ask)
    assert (answer.status_code, answer.content_type) == (200, "text/csv")
    assert answer.data == f"name,email\nBo,{BO.email}\n".encode()
    assert {name: answer.headers[name] for name, _ in answer.headers if "Optout" in name} == {
        "Optout-As-Of": str(event),
        "Optout-Rows": "2",
        "Optout-Suppressed": "1",
        "Optout-Invalid": "0",
    }
    assert answer.headers["Content-Length"] == str(len(answer.data))


@pytest.mark.parametrize(
    ("content_type", "data", "kept"),
    [
        ("text/plain", f"{MAIL}\n{BO.email}\n", f"{BO.email}\n"),
        ("application/x-ndjson", f'{{"email":"{MAIL}"}}\n', ""),
        ("text/tab-separated-values", f"a\tmail\n,\t{BO.email}\n", f"a\tmail\n,\t{BO.email}\n"),
        ("text/csv; header=absent", f"{MAIL}\n{BO.email}\n", f"{BO.email}\n"),
        ("text/csv; header=present", f"{MAIL}\n{MAIL}\n", f"{MAIL}\n"),
    ],
)
def test_each_kind_of_list_is_read(ask: Asker, content_type: str, data: str, kept: str) -> None:
    ask.opt_out(MAIL)
    assert scrub(ask, data.encode(), content_type).data == kept.encode()


def test_the_charset_of_the_list_is_the_charset_of_the_answer(ask: Asker) -> None:
    data = f"näme\temail\nAnä\t{MAIL}\nBö\t{BO.email}\n"
    ask.opt_out(MAIL)
    answer = scrub(ask, data.encode("utf-16"), "text/csv")
    assert answer.data == f"näme\temail\nBö\t{BO.email}\n".encode("utf-16")
    latin = scrub(ask, data.encode("latin-1"), "text/csv; charset=ISO-8859-1")
    assert latin.content_type == "text/csv; charset=iso8859-1"
    assert latin.data.decode("latin-1") == f"näme\temail\nBö\t{BO.email}\n"


def test_the_query_says_which_column_and_which_rows(ask: Asker) -> None:
    ask.opt_out(MAIL)
    data = f"from;to\n{BO.email};{MAIL}\n{MAIL};{BO.email}\nx;y\n".encode()
    kept = scrub(ask, data, column="to", delimiter="semicolon", keep="suppressed").data
    assert kept == f"from;to\n{BO.email};{MAIL}\n".encode()
    marked = scrub(ask, data, column="2", header="present", keep="all").data
    assert marked.decode().split("\n")[1:4] == [
        f"{BO.email};{MAIL};suppressed",
        f"{MAIL};{BO.email};allowed",
        "x;y;invalid",
    ]
    assert scrub(ask, b"email,n\na@x.example,=1\n", safe=1).data == b"email,n\na@x.example,'=1\n"


@pytest.mark.parametrize(
    ("stands", "asked", "suppressed"),
    [
        ({}, {}, True),
        ({}, {"topic": "offers"}, True),
        ({}, {"purpose": "transactional"}, False),
        ({"topic": "newsletter"}, {"topic": "newsletter"}, True),
        ({"topic": "newsletter"}, {"topic": "offers"}, False),
        ({"topic": "newsletter"}, {}, False),
        ({"channel": "*", "purpose": "*"}, {"topic": "offers", "purpose": "transactional"}, True),
        ({"by": "platform", "reason": "legal"}, {"topic": "offers"}, True),
        ({"by": "bolt-admin"}, {}, False),
    ],
    ids=str,
)
def test_a_list_is_judged_as_a_single_check_would(
    ask: Asker, stands: dict[str, str], asked: dict[str, str], suppressed: bool
) -> None:
    ask.opt_out(**stands)  # type: ignore[arg-type]
    assert ask.suppressed(**asked) is suppressed  # type: ignore[arg-type]
    assert (MAIL.encode() not in scrub(ask, **asked).data) is suppressed


def test_phones_and_hashes_are_judged_too(ask: Asker) -> None:
    ask.opt_out(PHONE, channel="*")
    data = f"phone\n{PHONE}\n{BO.phone}\n{sha256_of(PHONE)}\n{sha256_of(CY.phone)}\n"
    answer = scrub(ask, data.encode(), channel="voice")
    assert answer.data.decode() == f"phone\n{BO.phone}\n{sha256_of(CY.phone)}\n"


def test_what_is_no_address_never_comes_out_as_allowed(ask: Asker) -> None:
    answer = scrub(ask, f"email,n\n{PHONE},1\n,2\nnobody,3\n\n{BO.email},4\n".encode())
    assert answer.data == f"email,n\n{BO.email},4\n".encode()
    assert (answer.headers["Optout-Rows"], answer.headers["Optout-Invalid"]) == ("4", "3")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"email\n"])
def test_an_empty_list_comes_back_empty(ask: Asker, data: bytes) -> None:
    answer = scrub(ask, data)
    assert (answer.status_code, answer.headers["Optout-Rows"]) == (200, "0")
    assert answer.data == data.strip(b"\n") + b"\n" * (b"email" in data)


def test_a_list_over_the_body_limit_is_read_all_the_same(
    ask_with: Callable[..., Asker],
) -> None:
    ask = ask_with(max_body_bytes=4096)
    ask.opt_out("r7@example.com")
    data = b"email\n" + b"".join(b"r%d@example.com\n" % number for number in range(100_000))
    answer = scrub(ask, data)
    assert answer.data == data.replace(b"\nr7@example.com\n", b"\n")


@pytest.mark.parametrize("members", [1, 3])
def test_gzip_goes_in_and_comes_out(ask: Asker, members: int) -> None:
    ask.opt_out(MAIL)
    parts = [CSV[at::members] for at in range(members)] if members == 1 else [CSV, b"", CSV]
    packed = b"".join(map(gzip.compress, parts))
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    answer = scrub(ask, packed, headers=headers)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    kept = b"".join(parts).replace(f"Ana,{MAIL}\n".encode(), b"")
    assert gzip.decompress(answer.data).count(BO.email.encode()) == kept.count(BO.email.encode())
    assert MAIL.encode() not in gzip.decompress(answer.data)
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "packed",
    [CSV, gzip.compress(CSV)[:-5], gzip.compress(CSV)[:5], gzip.compress(CSV) + b"rubbish"],
    ids=["not gzip", "cut off", "cut off at once", "rubbish behind"],
)
def test_gzip_that_is_not_whole_is_refused(ask: Asker, packed: bytes) -> None:
    answer = scrub(ask, packed, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json["kind"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("status", "kind", "changes"),
    [
        (415, "unsupported-media-type", {"content_type": "application/json"}),
        (415, "unsupported-media-type", {"content_type": ""}),
        (415, "unsupported-media-type", {"content_type": "text/csv; charset=utf-7"}),
        (415, "unsupported-media-type", {"headers": {"Content-Encoding": "br"}}),
        (422, "unknown-channel", {"channel": "fax"}),
        (422, "unknown-channel", {"channel": "*"}),
        (422, "unknown-topic", {"topic": "no-such"}),
        (422, "invalid-request", {"purpose": "*"}),
        (422, "invalid-request", {"keep": "some"}),
        (422, "invalid-request", {"header": "maybe"}),
        (422, "invalid-request", {"delimiter": "x"}),
        (422, "invalid-request", {"column": "no such"}),
        (422, "invalid-request", {"column": "9"}),
        (422, "invalid-request", {"safe": "2"}),
        (422, "invalid-request", {"unknown": "1"}),
        (400, "malformed", {"data": b'email\n"a@example.com\n'}),
        (413, "too-large", {"data": b"email\n" + b"x" * (MAX_ROW_BYTES + 1)}),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_judged_is_refused_with_a_reason(
    ask: Asker, status: int, kind: str, changes: dict[str, Any]
) -> None:
    answer = scrub(ask, **changes)
    assert (answer.status_code, answer.json["kind"]) == (status, kind)
    assert "Optout-As-Of" not in answer.headers


def test_a_row_that_cannot_be_read_is_named(ask: Asker) -> None:
    data = b"email\n" + b"a@example.com\n" * 70_000 + b'"b@example.com\n'
    answer = scrub(ask, data)
    assert (answer.status_code, answer.json["row"]) == (400, 70_002)


def test_a_revoked_key_scrubs_nothing(rt: Runtime, ask: Asker) -> None:
    assert scrub(ask).status_code == 200
    revoke(rt, ask.keys["sender"])
    assert scrub(ask).status_code == 401


def test_nothing_is_answered_when_the_store_cannot_be_read(rt: Runtime, ask: Asker) -> None:
    with rt.writing() as connection:
        connection.exec_driver_sql("DROP TABLE suppression")
    answer = scrub(ask)
    assert (answer.status_code, answer.json["kind"]) == (503, "store-unavailable")
    assert MAIL not in answer.text


class Interrupted:
    """A body that does something once its first half has been read."""

    def __init__(self, halves: tuple[bytes, bytes], between: Callable[[], object]) -> None:
        self._parts: Iterator[bytes] = self._read(halves, between)

    def _read(self, halves: tuple[bytes, bytes], between: Callable[[], object]) -> Iterator[bytes]:
        yield halves[0]
        between()
        yield halves[1]

    def read(self, _size: int = -1) -> bytes:
        return next(self._parts, b"")


def long_list(first: str, last: str) -> tuple[bytes, bytes]:
    """Two halves that are read in blocks of their own."""
    filler = b"".join(b"r%d@example.com\n" % number for number in range(50_000))
    return f"email\n{first}\n".encode() + filler, filler + f"{last}\n".encode()


def test_one_position_is_true_for_the_whole_answer(ask: Asker) -> None:
    ask.opt_out(CY.email)
    halves = long_list(BO.email, MAIL)

    def meanwhile() -> None:
        ask.opt_out(MAIL)
        ask.opt_in(CY.email)

    answer = scrub(ask, Interrupted(halves, meanwhile))
    assert answer.headers["Optout-As-Of"] == "1"
    assert answer.data == b"".join(halves)
    assert scrub(ask).headers["Optout-As-Of"] == "3"
    assert MAIL.encode() not in scrub(ask).data


def test_a_store_that_fails_half_way_leaves_an_error_and_no_part(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        monkeypatch.setattr(Held, "_read", broken)

    def broken(held: Held, digests: list[bytes]) -> Any:
        return held.connection.execute("SELECT 1 FROM a_table_that_went_away")

    answer = scrub(ask, Interrupted(long_list(MAIL, BO.email), fail))
    assert (answer.status_code, answer.json["kind"]) == (503, "store-unavailable")


def test_an_answer_over_the_spool_is_begun_before_the_list_has_ended(
    ask_with: Callable[..., Asker],
) -> None:
    ask = ask_with(spool_bytes=1000)
    ask.opt_out(MAIL)
    halves = long_list(MAIL, BO.email)
    answer = scrub(ask, Interrupted(halves, lambda: None))
    assert "Content-Length" not in answer.headers
    assert "Optout-Rows" not in answer.headers
    assert answer.headers["Optout-As-Of"] == "1"
    assert answer.data == b"".join(halves).replace(f"{MAIL}\n".encode(), b"", 1)


def test_an_answer_that_has_begun_and_fails_is_never_ended(
    ask_with: Callable[..., Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ask_with(spool_bytes=1000)

    def fail() -> None:
        raise ConnectionResetError

    with pytest.raises(Exception, match="ended before"):
        assert scrub(ask, Interrupted(long_list(MAIL, BO.email), fail)).data
