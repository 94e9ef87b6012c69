"""Mail that comes in, through the whole stack: what each recorded message does, and to whom."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from optout_service.core.evidence import Reason, Source
from optout_service.core.mail.told import Envelope
from optout_service.core.review import ReviewState
from optout_service.core.scope import Scope
from optout_service.core.token import Claim
from optout_service.mailroom.filing import Done
from optout_service.mailroom.receiving import receive
from optout_service.runtime import Runtime
from optout_service.store import feed, mailboxes, reviews
from optout_service.store.reviews import Review
from optout_service.store.tables import event
from tests.cast import ANA, BO, CY
from tests.mailroom.sending import (
    ADDRESS,
    ALL_MAIL,
    NAMES,
    NEWSLETTER,
    RECEIPTS,
    WORDS_SCOPE,
    eml,
    mailbox_of,
    mint,
)
from tests.stage import Cast

MAILBOX = "unsubscribe@mail.acme.example"

# What each message does: for which reason, and in which scope.
RECORDED = {
    "gmail_mailto": (Reason.OPTED_OUT, NEWSLETTER),
    "outlook_mailto": (Reason.OPTED_OUT, NEWSLETTER),
    "apple_mailto": (Reason.OPTED_OUT, NEWSLETTER),
    "token_in_address": (Reason.OPTED_OUT, NEWSLETTER),
    "token_in_body": (Reason.OPTED_OUT, NEWSLETTER),
    "words_proven": (Reason.OPTED_OUT, WORDS_SCOPE),
    "apple_proven": (Reason.OPTED_OUT, WORDS_SCOPE),
    "arf_yahoo": (Reason.COMPLAINT, ALL_MAIL),
    "arf_outlook": (Reason.COMPLAINT, ALL_MAIL),
    "arf_outlook_older": (Reason.COMPLAINT, ALL_MAIL),
    "arf_redacted": (Reason.COMPLAINT, ALL_MAIL),
    "arf_mangled": (Reason.COMPLAINT, ALL_MAIL),
    "dsn_postfix": (Reason.BOUNCED, ALL_MAIL),
    "dsn_exim": (Reason.BOUNCED, ALL_MAIL),
    "dsn_exchange": (Reason.BOUNCED, ALL_MAIL),
    "dsn_gmail": (Reason.BOUNCED, ALL_MAIL),
    "dsn_verp": (Reason.BOUNCED, ALL_MAIL),
    "dsn_envelope_id": (Reason.BOUNCED, ALL_MAIL),
    "dsn_two_recipients_ana": (Reason.BOUNCED, ALL_MAIL),
}
REVIEWED = {
    "arf_without_link": ANA.email,
    "forwarded_by_a_friend": BO.email,
    "nothing_at_all": ANA.email,
    "reply_with_the_newsletter": ANA.email,
    "words_forged_results": ANA.email,
}
IGNORED = {
    *("vacation_gmail", "vacation_exchange", "vacation_sieve", "read_receipt"),
    *("arf_not_spam", "arf_auth_failure", "arf_two_types", "arf_without_anything"),
    *("dsn_postfix_delayed", "dsn_postfix_expired", "dsn_mailbox_full", "dsn_policy"),
    *("dsn_relayed", "dsn_without_link", "dsn_two_recipients"),
}


@pytest.fixture
def rt(rt: Runtime) -> Runtime:
    """Our mail server signs what it found out as mx.acme.example."""
    return replace(rt, settings=replace(rt.settings, mail_authserv_id="mx.acme.example"))


@pytest.fixture
def acme(rt: Runtime, cast: Cast) -> int:
    """Acme has a mailbox to leave by, and one for complaints."""
    with rt.writing() as connection:
        for address in (MAILBOX, "fbl@mail.acme.example"):
            mailboxes.add(connection, cast.acme, address)
    return cast.acme


def take_in(rt: Runtime, raw: bytes, envelope: Envelope | None = None) -> Done:
    return receive(rt, raw, envelope or Envelope())


def queue(rt: Runtime, tenant: int) -> list[Review]:
    with rt.reading() as connection:
        rows, _ = reviews.page(
            connection,
            tenant,
            state=ReviewState.ALL,
            at=rt.now(),
            after=0,
            limit=10,
            keys=rt.keys,
        )
    return rows


def events(rt: Runtime) -> int:
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(event)).scalar_one()


def test_the_table_names_every_recorded_message() -> None:
    assert sorted([*RECORDED, *REVIEWED, *IGNORED]) == NAMES


@pytest.mark.parametrize("name", RECORDED)
def test_what_asks_or_reports_is_recorded_in_its_scope(rt: Runtime, acme: int, name: str) -> None:
    reason, scope = RECORDED[name]
    assert take_in(rt, eml(name, mint(rt, acme))) is Done.RECORDED
    (match,) = rt.check(acme, ADDRESS, NEWSLETTER).matches
    assert (match.scope, match.reason, match.source) == (scope, reason, Source.MAIL)
    assert not rt.check(acme, ADDRESS, RECEIPTS).suppressed
    assert queue(rt, acme) == []


@pytest.mark.parametrize("name", REVIEWED)
def test_what_is_not_proven_stops_nobody_and_goes_to_a_person(
    rt: Runtime, acme: int, name: str
) -> None:
    assert take_in(rt, eml(name, mint(rt, acme))) is Done.REVIEW
    assert events(rt) == 0
    (review,) = queue(rt, acme)
    assert review.address == mailbox_of(REVIEWED[name])
    assert (review.source, review.why, review.hold_event) == ("mail", "mail", None)
    assert review.private["to"]


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_what_nobody_asks_for_is_ignored(rt: Runtime, acme: int, name: str) -> None:
    assert take_in(rt, eml(name, mint(rt, acme))) is Done.IGNORED
    assert events(rt) == 0
    assert queue(rt, acme) == []


def test_the_same_mail_again_changes_nothing(rt: Runtime, acme: int) -> None:
    for name in ("gmail_mailto", "dsn_postfix", "words_forged_results"):
        raw = eml(name, mint(rt, acme))
        assert take_in(rt, raw) is take_in(rt, b"Received: again\r\n" + raw)
    assert events(rt) == 2
    assert len(queue(rt, acme)) == 1


def test_whoever_came_back_can_leave_again_by_the_same_link(rt: Runtime, acme: int) -> None:
    raw = eml("gmail_mailto", mint(rt, acme))
    take_in(rt, raw)
    take_in(rt, raw.replace(b"CAGm1", b"CAGm2"))
    assert events(rt) == 2


def test_two_people_whose_program_gives_one_id_to_all_its_mail_are_both_heard(
    rt: Runtime, acme: int
) -> None:
    raw = eml("words_proven", "")
    take_in(rt, raw)
    take_in(rt, raw.replace(ANA.email.encode(), BO.email.encode()))
    assert events(rt) == 2


def test_the_evidence_says_what_was_written(rt: Runtime, acme: int) -> None:
    take_in(rt, eml("gmail_mailto", mint(rt, acme)))
    with rt.reading() as connection:
        (entry,) = feed.history(connection, acme, ADDRESS, rt.keys)
    assert entry.evidence["from"] == f"Ana <{ANA.email}>"
    assert entry.evidence["token_in"] == "subject"
    assert entry.evidence["message"] == "m-42"


def test_the_link_names_the_person_whoever_writes(rt: Runtime, acme: int) -> None:
    take_in(rt, eml("gmail_mailto", mint(rt, acme), **{ANA.email: CY.email}))
    assert rt.check(acme, ADDRESS, NEWSLETTER).suppressed
    assert not rt.check(acme, mailbox_of(CY.email), NEWSLETTER).suppressed


def test_a_link_names_its_tenant_whatever_mailbox_it_comes_to(
    rt: Runtime, acme: int, cast: Cast
) -> None:
    claim = Claim(cast.bolt, "email", ADDRESS, "news")
    take_in(rt, eml("gmail_mailto", rt.links.mint(claim)))
    assert rt.check(cast.bolt, ADDRESS, Scope("email", "news", "marketing")).suppressed
    assert not rt.check(acme, ADDRESS, NEWSLETTER).suppressed


def test_a_link_to_a_tenant_that_is_gone_is_ignored(rt: Runtime, acme: int) -> None:
    for name in ("gmail_mailto", "token_in_body", "dsn_postfix"):
        token = rt.links.mint(Claim(999, "email", ADDRESS))
        assert take_in(rt, eml(name, token)) is Done.IGNORED


def test_a_forged_link_is_no_link(rt: Runtime, acme: int) -> None:
    token = mint(rt, acme)
    forged = token[:-2] + ("AA" if not token.endswith("AA") else "BB")
    assert take_in(rt, eml("gmail_mailto", forged)) is Done.REVIEW
    assert events(rt) == 0


@pytest.mark.parametrize(
    ("words", "done"),
    [
        ("I would like to subscribe again", Done.REVIEW),
        ("Where is my order?", Done.RECORDED),
        ("stop", Done.RECORDED),
    ],
)
def test_a_link_in_the_text_stops_nothing_beside_a_wish_to_come_back(
    rt: Runtime, acme: int, words: str, done: Done
) -> None:
    raw = eml("token_in_body", mint(rt, acme), **{"=?iso-8859-1?Q?D=E9sinscription?=": words})
    assert take_in(rt, raw) is done
    assert rt.check(acme, ADDRESS, NEWSLETTER).suppressed is (done is Done.RECORDED)


@pytest.mark.parametrize(
    ("found", "method"),
    [
        ("dmarc=pass header.from=example.com", "dmarc"),
        ("dkim=pass header.d=example.com", "dkim"),
        ("spf=pass smtp.mailfrom=example.com", "spf"),
        ("dkim=pass header.d=elsewhere.example", ""),
        ("dmarc=fail header.from=example.com; dkim=pass header.d=example.com", ""),
    ],
)
def test_from_is_believed_where_our_own_server_proved_its_domain(
    rt: Runtime, acme: int, found: str, method: str
) -> None:
    head = f"Authentication-Results: mx.acme.example; {found}\r\n".encode()
    done = take_in(rt, head + eml("words_forged_results", ""))
    assert done is (Done.RECORDED if method else Done.REVIEW)
    if method:
        with rt.reading() as connection:
            (entry,) = feed.history(connection, acme, ADDRESS, rt.keys)
        assert entry.evidence["proven_by"] == method


def test_without_the_name_of_our_server_nothing_is_believed(rt: Runtime, acme: int) -> None:
    rt = replace(rt, settings=replace(rt.settings, mail_authserv_id=""))
    assert take_in(rt, eml("words_proven", "")) is Done.REVIEW


def test_doubtful_words_that_are_proven_hold_marketing_until_somebody_decides(
    rt: Runtime, acme: int
) -> None:
    raw = eml("words_proven", "", unsubscribe="Question").replace(
        b"Please Question me", b"How do I unsubscribe?"
    )
    raw = raw.replace(b"To: Question@", b"To: unsubscribe@")
    raw = raw.replace(b"Delivered-To: Question@", b"Delivered-To: unsubscribe@")
    assert take_in(rt, raw) is Done.REVIEW
    (review,) = queue(rt, acme)
    assert review.hold_event == 1
    assert rt.check(acme, ADDRESS, NEWSLETTER).suppressed


def test_a_wish_to_come_back_lifts_nothing_and_stops_nothing(rt: Runtime, acme: int) -> None:
    take_in(rt, eml("gmail_mailto", mint(rt, acme)))
    wish = {
        "Subject: unsubscribe": "Subject: hello",
        "Please unsubscribe me": "Please subscribe me",
    }
    assert take_in(rt, eml("words_proven", "", **wish)) is Done.IGNORED
    assert rt.check(acme, ADDRESS, NEWSLETTER).suppressed
    assert events(rt) == 1


def test_a_mailbox_can_be_about_one_topic(rt: Runtime, acme: int) -> None:
    with rt.writing() as connection:
        mailboxes.add(connection, acme, MAILBOX, topic="offers")
    take_in(rt, eml("words_proven", ""))
    assert rt.check(acme, ADDRESS, Scope("email", "offers", "marketing")).suppressed
    assert not rt.check(acme, ADDRESS, NEWSLETTER).suppressed


def test_what_stands_behind_a_plus_can_name_the_tenant(rt: Runtime, acme: int, cast: Cast) -> None:
    with rt.writing() as connection:
        mailboxes.add(connection, cast.bolt, MAILBOX.replace("@", "+bolt@"))
    raw = eml("words_proven", "")
    take_in(rt, raw, Envelope(ANA.email, (MAILBOX.replace("@", "+bolt@"),)))
    assert not rt.check(acme, ADDRESS, NEWSLETTER).suppressed
    assert rt.check(cast.bolt, ADDRESS, Scope("email", "news", "marketing")).suppressed
    take_in(rt, raw, Envelope(ANA.email, (MAILBOX.replace("@", "+other@"),)))
    assert rt.check(acme, ADDRESS, NEWSLETTER).suppressed


def test_words_to_a_mailbox_that_nobody_registered_wait_at_the_platform(
    rt: Runtime, acme: int
) -> None:
    envelope = Envelope(ANA.email, ("leave@other.example",))
    assert take_in(rt, eml("words_proven", ""), envelope) is Done.REVIEW
    assert len(queue(rt, 0)) == 1
    assert queue(rt, acme) == []
    small_talk = eml("nothing_at_all", "", **{"Message-ID": "Subject: Hello\nMessage-ID"})
    assert take_in(rt, small_talk, envelope) is Done.IGNORED


def test_a_mail_with_the_null_return_path_is_nobodys(rt: Runtime, acme: int) -> None:
    assert take_in(rt, eml("gmail_mailto", mint(rt, acme)), Envelope("")) is Done.IGNORED


def test_a_complaint_takes_the_place_of_an_opt_out(rt: Runtime, acme: int) -> None:
    take_in(rt, eml("dsn_gmail", mint(rt, acme)))
    take_in(rt, eml("arf_yahoo", mint(rt, acme)))
    take_in(rt, eml("dsn_exim", mint(rt, acme)))
    (match,) = rt.check(acme, ADDRESS, NEWSLETTER).matches
    assert match.reason is Reason.COMPLAINT
