"""Whatever goes wrong is an error in time, and never "allowed"."""

import re

import pytest

from optout_service.client import Client, OptOutServiceError, Refused, Unavailable
from tests.cast import ANA
from tests.client.scripted import answer, refusal, scripted

ALLOWED = b'{"suppressed":false,"address":"jo@example.com","matches":[],"as_of":7}'
GOOD = answer(200, ALLOWED)
DOWN = refusal(503, "store-unavailable")
RECORDED = answer(201, b'{"event":17,"changed":true,"suppression":null}')

NOT_ANSWERS = {
    "a fault of the store": DOWN,
    "a fault of its own": refusal(500, "internal"),
    "a proxy's page": answer(502, b"<html>Bad gateway</html>"),
    "a page of somebody else": answer(200, b"<html>Log in</html>"),
    "another's JSON": answer(200, b'{"ok": true}'),
    "an empty answer": answer(200, b""),
    "no answer at all": b"",
    "half an answer": GOOD[:-20],
    "a redirect": answer(302, b"", "Location: http://127.0.0.1:9/"),
    "nothing with a good status": answer(204, b""),
    "half a word": answer(200, ALLOWED.replace(b"false", b"null")),
    "a verdict that says two things": answer(200, ALLOWED.replace(b"false", b"true")),
}


@pytest.mark.parametrize("said", NOT_ANSWERS.values(), ids=NOT_ANSWERS)
def test_what_is_no_answer_is_unavailable(said: bytes) -> None:
    with scripted(said) as service, pytest.raises(Unavailable):
        Client(service.base_url, "oo_x", retries=0).check("jo@example.com")


BATCHES = {
    "one was not looked at": b'{"checked":1,"suppressed":[],"invalid":[],"as_of":7}',
    "one too many": b'{"checked":2,"suppressed":[],"invalid":[{"index":2,"detail":""}],"as_of":7}',
    "before the first": b'{"checked":2,"suppressed":[],"invalid":[{"index":-1,"detail":""}],'
    b'"as_of":7}',
}


@pytest.mark.parametrize("said", BATCHES.values(), ids=BATCHES)
def test_a_batch_that_does_not_fit_is_unavailable(said: bytes) -> None:
    with scripted(answer(200, said)) as service, pytest.raises(Unavailable):
        list(Client(service.base_url, "oo_x", retries=0).check_many(["a@b.com", "c@d.com"]))


def test_what_failed_is_asked_again() -> None:
    with scripted(DOWN, b"", GOOD) as service:
        assert Client(service.base_url, "oo_x").check("jo@example.com").allowed
        assert len(service.heard) == 3


def test_a_connection_that_was_closed_meanwhile_is_no_fault() -> None:
    kept = GOOD.replace(b"Connection: close\r\n", b"")
    with scripted(kept, kept) as service, Client(service.base_url, "oo_x", retries=0) as client:
        assert [client.check("jo@example.com").allowed for _ in range(2)] == [True, True]


def test_it_is_not_asked_for_ever() -> None:
    with scripted(DOWN, DOWN, GOOD) as service:
        with pytest.raises(Unavailable):
            Client(service.base_url, "oo_x", retries=1).check("jo@example.com")
        assert len(service.heard) == 2


def test_who_asks_too_often_comes_again_when_told_to() -> None:
    with scripted(refusal(429, "too-many", "Retry-After: 0"), GOOD) as service:
        assert Client(service.base_url, "oo_x").check("jo@example.com").allowed


@pytest.mark.parametrize("after", [["Retry-After: 86400"], []], ids=["tomorrow", "not said"])
def test_a_limit_that_does_not_end_soon_is_told_at_once(after: list[str]) -> None:
    with scripted(refusal(429, "lift-cap", *after), GOOD) as service:
        with pytest.raises(Refused) as refused:
            Client(service.base_url, "oo_x").check("jo@example.com")
        assert (refused.value.kind, len(service.heard)) == ("lift-cap", 1)


def test_a_refusal_is_not_asked_again() -> None:
    with scripted(refusal(422, "invalid-address"), GOOD) as service:
        with pytest.raises(Refused):
            Client(service.base_url, "oo_x").check("jo@example.com")
        assert len(service.heard) == 1


def test_an_act_is_sent_again_under_the_same_key() -> None:
    with scripted(b"", RECORDED) as service:
        assert Client(service.base_url, "oo_x").opt_out("jo@example.com").event == 17
        keys = [re.findall(rb"Idempotency-Key: (\S+)", one) for one in service.heard]
    assert keys[0] == keys[1]
    assert len(keys[0][0]) >= 20


def test_a_missing_event_stops_the_reader() -> None:
    row = b'{"event":%d,"action":"opt_out","changed":true,"reason":"opted_out","source":"api",'
    row += b'"actor":"key:1","address":null,"occurred_at":"2026-01-01T00:00:00Z","hash":"",'
    row += b'"recorded_at":"2026-01-01T00:00:00Z","scope":{"tenant":"a","channel":"email",'
    row += b'"topic":"*","purpose":"marketing"}}'
    page = b'{"events":[' + row % 5 + b"," + row % 7 + b'],"next":7}'
    with scripted(answer(200, page)) as service:
        feed = Client(service.base_url, "oo_x").events(after=4)
        assert next(feed).event == 5
        with pytest.raises(Unavailable, match="missing"):
            next(feed)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nOptout-As-Of: 7\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in chunks) + end


LISTS = {
    "broken off": chunked(b"a@b.com\n", end=b""),
    "broken off in a chunk": chunked(b"a@b.com\n", end=b"5\r\nc@"),
    "shorter than it says": answer(200, b"a@b.com\n", "Optout-As-Of: 7")[:-3],
    "without its length": b"HTTP/1.1 200 OK\r\nOptout-As-Of: 7\r\n\r\na@b.com\n",
    "without its position": answer(200, b"a@b.com\n"),
    "refused by a fault": DOWN,
    "of somebody else": answer(404, b"<html>"),
    "not there": b"",
}


@pytest.mark.parametrize("said", LISTS.values(), ids=LISTS)
def test_a_list_that_does_not_come_to_its_end_is_an_error(said: bytes) -> None:
    with scripted(said) as service, pytest.raises(Unavailable):
        list(Client(service.base_url, "oo_x").scrub(["a@b.com", "c@d.com"]))


def test_an_answer_that_ends_before_the_list_was_read_is_an_error() -> None:
    whole = chunked(b"a@b.com\n")
    with scripted(whole) as service, pytest.raises(Unavailable):
        list(Client(service.base_url, "oo_x").scrub("a@b.com" for _ in range(5_000_000)))


def test_the_end_of_a_list_is_told_from_a_part_of_it() -> None:
    with scripted(chunked(b"a@b.com\n"), upto=b"0\r\n\r\n") as service:
        assert list(Client(service.base_url, "oo_x").scrub(["a@b.com"])) == ["a@b.com"]


@pytest.mark.parametrize(
    "said", [DOWN, b"", refusal(422, "invalid-address"), answer(200, b"[]")], ids=repr
)
def test_no_error_repeats_the_address_or_the_key(said: bytes) -> None:
    with scripted(said) as service, pytest.raises(OptOutServiceError) as raised:
        Client(service.base_url, "oo_secret", retries=0).check(ANA.email)
    told = raised.getrepr(showlocals=False, chain=True, style="short")
    assert "oo_secret" not in str(raised.value) + repr(raised.value) + str(raised.value.__cause__)
    assert ANA.email not in str(raised.value) + repr(raised.value)
    assert raised.value.__suppress_context__, told
