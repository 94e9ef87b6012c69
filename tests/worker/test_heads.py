"""What the first bytes of a request say: whether it is all there, and whose it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.worker import heads
from optout_service.worker.turns import Rank

FORM = b"List-Unsubscribe=One-Click"


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: h", *headers)).encode() + b"\r\n\r\n" + body


def post(path: str, body: bytes = FORM, length: int | None = None) -> bytes:
    told = f"Content-Length: {len(body) if length is None else length}"
    return request(f"POST {path}", told, body=body)


@pytest.mark.parametrize(
    ("seen", "rank"),
    [
        (post("/u/AQAA"), Rank.DOOR),
        (request("GET /u/AQAA"), Rank.DOOR),
        (post("/hooks/twilio/messages"), Rank.DOOR),
        (request("GET /healthz"), Rank.DOOR),
        (request("GET /readyz"), Rank.DOOR),
        (post("/v1/check"), Rank.PLAIN),
        (post("/v1/opt-outs"), Rank.PLAIN),
        (request("GET /v1/events?after=1"), Rank.PLAIN),
        (request("GET /v1/events?after=1&wait=5"), Rank.NEWS),
        (post("/v1/check/batch"), Rank.LONG),
        (post("/v1/links/batch"), Rank.LONG),
        (post("/v1/scrub?channel=email"), Rank.STREAM),
        (post("/v1/imports?channel=email"), Rank.STREAM),
        (request("GET /v1/suppressions/export"), Rank.STREAM),
        (request("GET /"), Rank.PLAIN),
        (post("http://h/u/AQAA"), Rank.PLAIN),
    ],
)
def test_a_request_that_is_there_has_its_rank(seen: bytes, rank: Rank) -> None:
    assert heads.rank(seen) is rank


@pytest.mark.parametrize("path", ["/u/AQAA", "/hooks/mail/inbound", "/v1/check"])
@pytest.mark.parametrize("sent", [b"", b"P", b"POST", None])
def test_what_has_come_in_part_is_waited_for(path: str, sent: bytes | None) -> None:
    whole = post(path)
    assert heads.rank(whole[:-1] if sent is None else sent) is None


@pytest.mark.parametrize(
    ("path", "rank"),
    [("/u/A", Rank.LETTER), ("/v1/check", Rank.LONG), ("/v1/scrub", Rank.STREAM)],
)
@pytest.mark.parametrize(
    "header",
    [
        f"Content-Length: {heads.MOST}",
        "content-length:  99999999",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
    ],
)
def test_a_body_that_is_not_waited_for_gets_no_persons_thread(
    path: str, rank: Rank, header: str
) -> None:
    assert heads.rank(request(f"POST {path}", header)) is rank


def test_a_head_without_an_end_is_not_waited_for_for_ever() -> None:
    assert heads.rank(b"POST /u/" + b"x" * heads.MOST) is Rank.LONG


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_have_a_rank_or_are_waited_for(seen: bytes, length: int) -> None:
    assert heads.rank(seen) in (None, *Rank)
    assert heads.rank(seen + b"\r\n\r\n") is not None or b"ength" in seen
    assert heads.rank(post("/u/A", seen, length)) is (Rank.DOOR if len(seen) >= length else None)
