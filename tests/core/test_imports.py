"""What other systems' lists say, and one's own: recognised by columns, read row by row."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import layouts
from optout_service.core.errors import InvalidRequest, NotPermitted, OptOutError, UnknownTopic
from optout_service.core.evidence import Reason
from optout_service.core.imports import Asked, begin
from optout_service.core.layouts import Skip
from optout_service.core.listed import Act, Reader
from optout_service.core.lists import Media, Told
from optout_service.core.scope import Scope
from tests.payloads import FOLDER

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FILES = sorted(path.name for path in (FOLDER / "imports").iterdir())
MEDIA = {"csv": Told(media=Media.CSV), "txt": Told(media=Media.CSV), "json": None}

Read = tuple[str, list[Act], Counter[str], list[tuple[int, str]]]


def read(
    body: bytes,
    told: Told | None = MEDIA["csv"],
    *,
    piece: int = 1000,
    may_legal: bool = False,
    **asked: Any,
) -> Read:
    """Whose list it is, its acts, why rows were skipped, and which were refused."""
    wish = Asked(**asked)
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    incoming = begin(pieces, told, wish.format)
    topics = frozenset({"newsletter", "offers"})
    reader = Reader(wish, topics=topics, may_legal=may_legal, now=NOW)
    acts, skips, rejects = [], Counter[str](), []
    for number, values in incoming.rows:
        try:
            found = reader.read(incoming.layout, values)
        except OptOutError as error:
            rejects.append((number, error.detail))
            continue
        if isinstance(found, Skip):
            skips[found.why] += 1
        else:
            acts.append(found)
    return incoming.layout.name, acts, skips, rejects


def read_file(name: str, **asked: Any) -> Read:
    return read((FOLDER / "imports" / name).read_bytes(), MEDIA[name.rpartition(".")[2]], **asked)


def words(acts: list[Act]) -> dict[str, str]:
    return {act.address.spoken.partition("@")[0]: act.reason.value for act in acts}


FAILURE = "a failure that may pass"
MESSAGE = "a refusal of the message, not of the person"
STAYED = "not one who left"
LEFT_TWO = {"left.one": "opted_out", "left.two": "opted_out"}
LISTS: dict[str, tuple[str, dict[str, str], dict[str, int]]] = {
    "sendgrid-bounces.csv": (
        "sendgrid-bounces",
        {"gone.one": "bounced", "no.mx": "bounced"},
        {FAILURE: 1, MESSAGE: 1},
    ),
    "sendgrid-bounces.json": ("sendgrid-bounces", {"gone.one": "bounced"}, {FAILURE: 1}),
    "sendgrid-blocks.json": ("sendgrid-bounces", {}, {FAILURE: 1, MESSAGE: 1}),
    "sendgrid-invalid-emails.csv": ("sendgrid-invalid-emails", {"jo": "bounced"}, {}),
    "sendgrid-spam-reports.json": (
        "sendgrid-spam-reports",
        {"angry.one": "complaint", "angry.two": "complaint"},
        {},
    ),
    "sendgrid-unsubscribes.csv": ("sendgrid-unsubscribes", LEFT_TWO, {}),
    "sendgrid-group-unsubscribes.json": ("sendgrid-group-unsubscribes", LEFT_TWO, {}),
    "mailgun-bounces.csv": (
        "mailgun-bounces",
        {"gone.one": "bounced", "gone.two": "bounced"},
        {FAILURE: 1},
    ),
    "mailgun-unsubscribes.json": (
        "mailgun-unsubscribes",
        {"left.one": "opted_out", "left.part": "opted_out"},
        {},
    ),
    "mailgun-complaints.json": ("mailgun-complaints", {"angry.one": "complaint"}, {}),
    "postmark-suppressions.json": (
        "postmark-suppressions",
        {"gone.one": "bounced", "angry.one": "complaint", "left.one": "opted_out"},
        {},
    ),
    "postmark-suppressions.csv": (
        "postmark-suppressions",
        {"gone.one": "bounced", "left.one": "opted_out"},
        {},
    ),
    "ses-suppressed-destinations.json": (
        "ses-suppressed-destinations",
        {"gone.one": "bounced", "angry.one": "complaint", "gone.two": "bounced"},
        {},
    ),
    "twilio-messages.csv": (
        "twilio-messages",
        {"+12025550143": "blocked", "+12025550145": "opted_out", "+12025550146": "opted_out"},
        {STAYED: 2},
    ),
    "twilio-consents.csv": ("twilio-consents", {"+12025550143": "opted_out"}, {STAYED: 1}),
    "mailchimp-unsubscribed.csv": (
        "mailchimp-unsubscribed",
        {"left.one": "opted_out", "angry.one": "complaint"},
        {},
    ),
    "mailchimp-cleaned.csv": ("mailchimp-cleaned", {"gone.one": "bounced"}, {}),
    "mailchimp-members.json": (
        "mailchimp-members",
        {"left.one": "opted_out", "gone.one": "bounced"},
        {STAYED: 1},
    ),
    "listmonk-subscribers.csv": (
        "listmonk-subscribers",
        {"left.one": "opted_out"},
        {STAYED: 1},
    ),
    "plain-semicolons.csv": ("plain", LEFT_TWO, {}),
    "plain-lines.txt": ("plain", LEFT_TWO, {}),
}
OF_THEIR_OWN = {"sha256-lines.txt", "mailchimp-subscribed.csv"}


def test_every_recorded_list_is_read_here() -> None:
    assert set(FILES) == set(LISTS) | OF_THEIR_OWN


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_recognised_and_says_who_left_and_why(name: str) -> None:
    format_, people, skipped = LISTS[name]
    assert read_file(name, topic="*")[1:3] == read_file(name, topic="*", format=format_)[1:3]
    found, acts, skips, rejects = read_file(name, topic="*")
    assert (found, words(acts), dict(skips), rejects) == (format_, people, skipped, [])


@pytest.mark.parametrize("name", LISTS)
def test_it_is_read_alike_in_pieces_of_any_size(name: str) -> None:
    whole = read_file(name, topic="*")
    assert all(read_file(name, topic="*", piece=piece) == whole for piece in (1, 7, 64))


@pytest.mark.parametrize(
    ("told", "broken", "row"),
    [
        (MEDIA["csv"], b'email,created,ip\n"x"y,1,2\n', b"a@example.com,1443651141,192.0.2.1\n"),
        (
            Told(media=Media.NDJSON),
            b'{"email"\n',
            b'{"email": "a@example.com", "created": 1, "ip": "192.0.2.1"}\n',
        ),
    ],
    ids=["csv", "ndjson"],
)
def test_a_broken_first_row_hides_nobodys_list(told: Told, broken: bytes, row: bytes) -> None:
    format_, acts, _, rejects = read(broken + row, told)
    assert (format_, words(acts), len(rejects)) == (
        "sendgrid-spam-reports",
        {"a": "complaint"},
        1,
    )


def test_a_time_and_a_cause_are_kept_as_evidence() -> None:
    _, (act, *_), _, _ = read_file("sendgrid-bounces.csv")
    assert act.occurred_at == datetime(2015, 9, 30, 22, 12, 5, tzinfo=UTC)
    assert act.private["list"] == "sendgrid-bounces"
    assert act.private["note"].startswith("550 5.1.1 The email account")
    _, (act, *_), _, _ = read_file("mailgun-bounces.csv")
    assert act.occurred_at == datetime(2011, 10, 21, 11, 2, 55, tzinfo=UTC)


def test_a_texts_stop_binds_all_the_channels_of_a_phone() -> None:
    _, acts, _, _ = read_file("twilio-messages.csv")
    assert {act.scope.channel for act in acts} == {"*"}
    _, acts, _, _ = read_file("twilio-messages.csv", channel="sms")
    assert {act.scope.channel for act in acts} == {"sms"}


@pytest.mark.parametrize("name", ["sendgrid-group-unsubscribes.json", "mailgun-unsubscribes.json"])
def test_who_left_a_part_is_not_taken_for_one_who_left_all(name: str) -> None:
    _, acts, _, rejects = read_file(name)
    assert all("left one group or tag" in detail for _, detail in rejects)
    assert len(acts) + len(rejects) == 2
    assert rejects
    _, acts, _, rejects = read_file(name, topic="newsletter")
    assert ([act.scope.topic for act in acts], rejects) == (["newsletter"] * 2, [])


def test_people_who_want_mail_are_not_imported() -> None:
    with pytest.raises(InvalidRequest, match="mailchimp-subscribed"):
        read_file("mailchimp-subscribed.csv")


def test_blocks_by_their_name_suppress_nobody() -> None:
    _, acts, skips, _ = read_file("sendgrid-blocks.json", format="sendgrid-blocks")
    assert (acts, skips) == ([], {MESSAGE: 2})


def test_a_list_of_hashes_is_taken_for_what_it_is() -> None:
    _, acts, _, rejects = read_file("sha256-lines.txt", channel="email")
    _, clear, _, _ = read_file("plain-lines.txt", channel="email")
    assert [act.address.sha256 for act in acts] == [act.address.sha256 for act in clear]
    assert rejects == []
    _, acts, _, rejects = read_file("sha256-lines.txt")
    assert (acts, len(rejects)) == ([], 2), "nothing tells whether it is mail or a phone"


def test_where_hashes_were_asked_for_an_address_is_refused() -> None:
    _, acts, _, rejects = read_file("plain-lines.txt", channel="email", format="sha256")
    assert (acts, len(rejects)) == ([], 2)


def test_a_hash_of_another_kind_is_refused_with_the_reason() -> None:
    _, _, _, ((_, detail),) = read(b"hash\n" + b"0" * 32 + b"\n", channel="email")
    assert "MD5" in detail


def test_what_was_asked_for_by_name_must_be_it() -> None:
    with pytest.raises(InvalidRequest, match="postmark-suppressions: emailaddress"):
        read_file("plain-semicolons.csv", format="postmark")
    with pytest.raises(InvalidRequest, match="The format is one of"):
        read_file("plain-semicolons.csv", format="lotus-notes")


def test_asked_for_as_plain_a_list_is_nobodys() -> None:
    format_, acts, skips, _ = read_file("listmonk-subscribers.csv", format="plain")
    assert (format_, len(acts), skips) == ("plain", 2, {})


ROWS: dict[str, tuple[str, Scope, Reason]] = {
    "a row alone": (
        "a@example.com,,,,,",
        Scope("email", "*", "marketing"),
        Reason.OPTED_OUT,
    ),
    "a row that says all": (
        "+12025550143,voice,offers,transactional,blocked,",
        Scope("voice", "offers", "transactional"),
        Reason.BLOCKED,
    ),
    "a row for all channels": (
        "+12025550143,*,*,*,,",
        Scope("*", "*", "*"),
        Reason.OPTED_OUT,
    ),
    "the rest, as our export has it": (
        "a@example.com,email,-,,,",
        Scope("email", "-", "marketing"),
        Reason.OPTED_OUT,
    ),
}
HEAD = "address,channel,topic,purpose,reason,occurred_at\n"


@pytest.mark.parametrize("case", ROWS)
def test_ones_own_columns(case: str) -> None:
    row, scope, reason = ROWS[case]
    _, acts, _, rejects = read((HEAD + row).encode())
    assert rejects == []
    assert (acts[0].scope, acts[0].reason) == (scope, reason)


def test_what_a_row_says_outranks_what_was_said_of_the_list() -> None:
    body = (HEAD + "+12025550143,sms,offers,,bounced,\n+12025550144,,,,,").encode()
    _, acts, _, _ = read(
        body, channel="voice", topic="newsletter", purpose="*", reason=Reason.COMPLAINT
    )
    assert [(act.scope, act.reason) for act in acts] == [
        (Scope("sms", "offers", "*"), Reason.BOUNCED),
        (Scope("voice", "newsletter", "*"), Reason.COMPLAINT),
    ]


REFUSED = {
    "no channel for a phone": ("+12025550143,,,,,", "No channel is named"),
    "no such channel": ("a@example.com,fax,,,,", "The channel is one of"),
    "no such topic": ("a@example.com,,surveys,,,", "It has: newsletter, offers"),
    "no slug": ("a@example.com,,Älles,,,", "A topic is"),
    "no such purpose": ("a@example.com,,,fun,,", "The purpose is one of"),
    "no such reason": ("a@example.com,,,,bored,", "The reason is one of"),
    "an order of law": ("a@example.com,,,,legal,", "Only a platform key"),
    "a time without its zone": ("a@example.com,,,,,2026-01-01 10:00", "with its zone"),
    "a time to come": ("a@example.com,,,,,2027-01-01T10:00:00Z", "in the future"),
    "no address": (",email,,,,", "A mail address has"),
    "a masked address": ("a•••@e•••.com,,,,,", "masked"),
    "a mail address to be called": ("a@example.com,voice,,,,", "Write one phone number"),
    "too many cells": ("a@example.com,,,,,,x", "cannot be read"),
    "a broken quote": ('"a@example.com"x,,,,,', "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_cannot_be_taken_is_told_and_the_others_are_taken(case: str) -> None:
    row, why = REFUSED[case]
    _, acts, _, rejects = read(f"{HEAD}b@example.com,,,,,\n{row}\nc@example.com,,,,,\n".encode())
    assert [act.address.value for act in acts] == ["b@example.com", "c@example.com"]
    ((number, detail),) = rejects
    assert number == 3, "as an editor counts"
    assert why in detail
    assert "a@example.com" not in detail


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"topic": "surveys"}, UnknownTopic),
        ({"reason": Reason.LEGAL}, NotPermitted),
        ({"purpose": "fun"}, InvalidRequest),
        ({"reference": "x" * 201}, InvalidRequest),
    ],
    ids=["topic", "legal", "purpose", "reference"],
)
def test_what_is_wrong_for_the_whole_list_refuses_all_of_it(
    asked: dict[str, Any], kind: type[OptOutError]
) -> None:
    with pytest.raises(kind):
        read(b"a@example.com", **asked)


def test_an_order_of_law_is_taken_from_who_may_give_it() -> None:
    _, acts, _, _ = read(b"a@example.com", reason=Reason.LEGAL, may_legal=True)
    assert acts[0].reason is Reason.LEGAL


def test_ndjson_has_the_same_fields_and_a_broken_line_is_one_row() -> None:
    body = b'{"address": "a@example.com", "reason": "complaint"}\n{"address"\n["b@example.com"]\n'
    _, acts, _, rejects = read(body, Told(media=Media.NDJSON))
    assert words(acts) == {"a": "complaint"}
    assert [number for number, _ in rejects] == [2, 3]


def test_json_may_be_a_list_of_bare_addresses() -> None:
    _, acts, _, _ = read(b'["left.one@example.com", "left.two@example.com"]', None)
    assert words(acts) == LEFT_TWO


def test_a_phone_kept_from_a_spreadsheet_is_read_as_it_was() -> None:
    _, acts, _, _ = read(b"phone\n'+12025550143\n", channel="sms")
    assert acts[0].address.value == "+12025550143"


@given(st.binary(max_size=300), st.sampled_from([*MEDIA.values(), Told(media=Media.NDJSON)]))
def test_whatever_comes_is_read_or_refused(body: bytes, told: Told | None) -> None:
    try:
        _, acts, _, rejects = read(body, told)
    except OptOutError:
        return
    assert all(isinstance(act, Act) for act in acts)
    assert all(detail for _, detail in rejects)


def test_every_layout_says_what_each_of_its_rows_means() -> None:
    for layout in layouts.layouts():
        assert layout.refusal or layout.means or layout.cases, layout.name
        assert layout.address in layout.needs, layout.name
