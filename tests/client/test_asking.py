"""Asking by the client: one, many, lists; and what is no answer."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from optout_service.client import Client, Refused, Unavailable, Verdict
from tests.client.conftest import Served

By = Callable[..., Client]


@pytest.fixture
def left(by: By, someone: str) -> str:
    """Somebody who left the newsletter."""
    by("integration").opt_out(someone, topic="newsletter")
    return someone


def test_who_left_is_suppressed_for_what_was_left_and_allowed_for_the_rest(
    by: By, left: str
) -> None:
    asked = [by("sender").check(left, topic=topic) for topic in ("newsletter", "offers")]
    assert [(one.suppressed, one.allowed) for one in asked] == [(True, False), (False, True)]


def test_a_verdict_says_why(by: By, left: str) -> None:
    verdict = by("sender").check(left.upper(), topic="newsletter")
    (match,) = verdict.matches
    assert (match.reason, match.source, match.scope.topic) == ("opted_out", "api", "newsletter")
    assert verdict.as_of >= (match.event or 0) > 0


def test_a_verdict_is_neither_true_nor_false(by: By, left: str) -> None:
    with pytest.raises(TypeError, match=r"ask \.suppressed"):
        assert not by("sender").check(left)


def test_what_is_no_address_is_refused_without_repeating_it(by: By) -> None:
    with pytest.raises(Refused) as refused:
        by("sender").check("canary at example")
    assert (refused.value.status, refused.value.kind) == (422, "invalid-address")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("odd", ["\ud800@example.com", "\x00", "a" * 100_000], ids=ascii)
def test_odd_text_is_refused_and_no_fault_of_the_client(by: By, odd: str) -> None:
    with pytest.raises(Refused):
        by("sender").check(odd)


def test_a_topic_that_is_not_there_is_refused(by: By) -> None:
    with pytest.raises(Refused) as refused:
        by("sender").check("jo@example.com", topic="no-such")
    assert refused.value.kind == "unknown-topic"


def test_an_unknown_key_is_refused(served: Served) -> None:
    with pytest.raises(Refused) as refused:
        Client(served.server.base_url, "oo_unknown").check("jo@example.com")
    assert refused.value.status == 401


def test_a_platform_key_names_the_tenant(by: By, left: str) -> None:
    asked = [
        by("platform", tenant=slug).check(left, topic=topic).suppressed
        for slug, topic in (("acme", "newsletter"), ("bolt", "news"))
    ]
    assert asked == [True, False]


def test_a_clearance_can_be_verified(by: By, someone: str) -> None:
    given = by("sender").check(someone, clearance=True).clearance
    assert given is not None
    told = by("sender").verify_clearance(given, address=someone, channel="email")
    assert (told.valid, told.matches_address, told.matches_scope) == (True, True, True)


def test_many_get_a_verdict_each_in_their_order(by: By, left: str) -> None:
    asked = ["a@example.com", left, "nobody", "b@example.com", left]
    found = list(by("sender").check_many(iter(asked), topic="newsletter", batch=2))
    assert [address for address, _ in found] == asked
    assert [verdict.allowed for _, verdict in found] == [True, False, False, True, False]
    assert [verdict.invalid is None for _, verdict in found] == [True, True, False, True, True]


def test_many_are_asked_about_as_they_come(by: By) -> None:
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 101):
            yield f"r{taken}@example.com"

    next(by("sender").check_many(source(), batch=10))
    assert taken == 10


def test_nobody_gets_no_verdict(by: By) -> None:
    assert list(by("sender").check_many([])) == []


def test_a_list_comes_back_without_those_who_left(by: By, left: str) -> None:
    asked = ["a@example.com", left, "nobody", "", "sha256:" + "0" * 64, "b@example.com\n"]
    kept = list(by("sender").scrub(asked, topic="newsletter"))
    assert kept == ["a@example.com", "sha256:" + "0" * 64, "b@example.com"]


def test_a_long_list_is_answered_while_it_is_sent(by: By, left: str) -> None:
    asked = [f"r{number:07d}@example.com" for number in range(60_000)]
    kept = by("sender").scrub((one for n in asked for one in (n, left)), topic="newsletter")
    assert list(kept) == asked


def test_an_address_that_would_be_two_is_refused(by: By) -> None:
    with pytest.raises(ValueError, match="one line"):
        list(by("sender").scrub(["a@example.com\nb@example.com"]))


def test_a_fault_of_the_callers_own_list_is_raised_as_it_is(by: By) -> None:
    def source() -> Iterator[str]:
        yield from ("r@example.com",) * 50_000
        raise FileNotFoundError("the list is gone")

    with pytest.raises(FileNotFoundError):
        list(by("sender").scrub(source()))


def test_a_list_that_may_not_be_asked_about_is_refused_before_its_first_row(by: By) -> None:
    with pytest.raises(Refused) as refused:
        by("auditor").scrub(f"r{number}@example.com" for number in range(200_000))
    assert refused.value.status == 403


def test_a_file_comes_out_row_by_row_as_it_went_in(by: By, left: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b'\xef\xbb\xbfname;email\r\n"J;o";a@example.com\r\nX;%b\r\n' % left.encode())
    as_of = by("sender").scrub_file(source, target, topic="newsletter")
    assert target.read_bytes() == b'\xef\xbb\xbfname;email\r\n"J;o";a@example.com\r\n'
    assert as_of > 0


def test_a_file_that_cannot_be_scrubbed_leaves_what_was_there(by: By, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('email\n"a@example.com\n')
    target.write_text("of yesterday")
    with pytest.raises(Refused):
        by("sender").scrub_file(source, target)
    assert target.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_a_file_of_an_unknown_sort_asks_what_it_is(by: By, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="media_type"):
        by("sender").scrub_file(tmp_path / "in.xlsx", tmp_path / "out")


def test_nothing_that_is_printed_shows_an_address_or_a_key(by: By, left: str) -> None:
    client = by("admin")
    shown = io.StringIO()
    known = client.lookup(left)
    event = next(iter(client.events(known.events[0].event - 1)))
    for one in (client, client.check(left, topic="newsletter"), known, *known.stands, event):
        print(repr(one), str(one), file=shown)
    assert "someone" not in shown.getvalue()
    assert "oo_" not in shown.getvalue()


@pytest.mark.parametrize(
    ("base_url", "key"),
    [("example.com", "oo_x"), ("ftp://x", "oo_x"), ("http://a:b@x", "oo_x"), ("http://x", "a\nb")],
)
def test_what_cannot_be_a_service_or_a_key_is_refused(base_url: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"base_url|API key"):
        Client(base_url, key)


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        Client("http://127.0.0.1:9", "oo_x", retries=0).check("jo@example.com")


def test_a_verdict_of_an_invalid_address_is_not_allowed() -> None:
    assert not Verdict(False, (), 1, "no address").allowed
