"""Reading mail: tokens as mail programs mangle them, proofs, reports, and hostile messages."""

import email
import random
from email import policy

import pytest
from flufl.bounce import all_failures
from hypothesis import given, settings
from hypothesis import strategies as st

from optout_service.core.errors import BadToken, Malformed
from optout_service.core.mail import message, reader, tokens
from optout_service.core.mail.authentication import proven_by
from optout_service.core.mail.told import Bounce, Envelope, Nothing, Request, Told, Words
from optout_service.core.token import Claim, Links
from tests import stage
from tests.cast import ANA
from tests.mailroom.sending import ADDRESS, NAMES, eml

LINKS = Links(stage.KEYS)
CLAIM = Claim(1, "email", ADDRESS, "newsletter", "m-42")
TOKEN = LINKS.mint(CLAIM)
OURS = "mx.acme.example"


def find(token: str) -> Claim | None:
    try:
        return LINKS.read(token)
    except BadToken:
        return None


def told(raw: bytes | str, sender: str | None = None, authserv_id: str = OURS) -> Told:
    whole = raw.encode() if isinstance(raw, str) else raw
    return reader.read(whole, Envelope(sender), find, authserv_id).told


HALF = len(TOKEN) // 2
MANGLED = {
    "alone": TOKEN,
    "behind a word": f"unsubscribe {TOKEN}",
    "behind a colon": f"unsubscribe:{TOKEN}",
    "in a link": f"https://optout.example.com/u/{TOKEN}",
    "in brackets, with a full stop": f"<https://optout.example.com/u/{TOKEN}>.",
    "folded": f"unsubscribe {TOKEN[:HALF]}\r\n {TOKEN[HALF:]}",
    "wrapped three times": "\n".join(TOKEN[i : i + 40] for i in range(0, len(TOKEN), 40)),
    "in quoted-printable": f"t=3D{TOKEN[:HALF]}=\r\n{TOKEN[HALF:]}".replace("~", "=7E"),
    "percent-encoded": TOKEN.replace("~", "%7E"),
    "percent-encoded twice over a fold": f"{TOKEN[:9]} {TOKEN[9:]}".replace("~", "%7e"),
    "as HTML": TOKEN.replace("~", "&#126;"),
    "answered": f"Re: AW: [EXT] unsubscribe {TOKEN} (fwd)",
    "beside another that is none": f"{'A' * 80}~{'B' * 43} {TOKEN}",
}


@pytest.mark.parametrize("text", MANGLED.values(), ids=MANGLED)
def test_a_token_is_found_in_what_mail_programs_make_of_it(text: str) -> None:
    assert tokens.first([text], find) == CLAIM


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~" * 5000,
        TOKEN[:-1],
        TOKEN[1:],
        TOKEN.lower(),
        TOKEN.replace("~", "-"),
        f"{TOKEN[HALF:]} {TOKEN[:HALF]}",
    ],
)
def test_what_is_not_signed_is_no_token(text: str) -> None:
    assert tokens.first([text], find) is None


def test_no_message_makes_us_try_without_end() -> None:
    tried: list[str] = []
    text = f"{'A' * 70}~{'B' * 43} " * 5000
    assert tokens.first([text] * 50, lambda token: tried.append(token)) is None
    assert len(tried) <= tokens.MOST_TRIED


PASS = f"{OURS}; dmarc=pass header.from=example.com"
RESULTS = [
    (PASS, "dmarc"),
    (f"{OURS} 1; dkim=pass header.d=example.com", "dkim"),
    (f"{OURS.upper()}; DKIM=PASS (ok) header.D=Example.COM header.s=a", "dkim"),
    (f"{OURS};\r\n\tspf=pass smtp.mailfrom=ana@example.com;\r\n\tdkim=none", "spf"),
    (f"{OURS}; dkim=fail header.d=example.com; dkim=pass header.d=example.com", "dkim"),
    (f"{OURS}; dkim=pass header.d=mail.example.com", ""),
    (f"{OURS}; dkim=pass header.d=xample.com", ""),
    (f"{OURS}; dkim=pass header.d=com", ""),
    (f"{OURS}; dkim=pass header.d=evil.example header.d=example.com", ""),
    (f"{OURS}; dkim=pass header.d=example.com header.d=evil.example", ""),
    (f"{OURS}; dkim=pass header.d=example.com; spf=fail (not closed", ""),
    (f"{OURS}; dkim=pass header.i=@example.com", ""),
    (f"{OURS}; dkim=fail header.d=example.com", ""),
    (f"{OURS}; dkim=neutral (dkim=pass header.d=example.com) header.d=x.example", ""),
    (f'{OURS}; spf=fail reason="x; dkim=pass header.d=example.com" smtp.mailfrom=a.b', ""),
    (rf"{OURS}; spf=fail (\) ; dkim=pass header.d=example.com) smtp.mailfrom=a.b", ""),
    (f"{OURS}; spf=fail (not closed; dkim=pass header.d=example.com", ""),
    (f"{OURS}) ; dkim=pass header.d=example.com", ""),
    (f"{OURS}; dmarc=fail header.from=example.com; spf=pass smtp.mailfrom=example.com", ""),
    (f"{OURS}; none", ""),
    (f"{OURS}.evil.example; dkim=pass header.d=example.com", ""),
    (f"evil {OURS}; dkim=pass header.d=example.com", ""),
    ("", ""),
    (";;;===", ""),
]


@pytest.mark.parametrize(("value", "method"), RESULTS)
def test_what_our_own_server_found_out_is_read_to_rule(value: str, method: str) -> None:
    read = email.message_from_string(f"Authentication-Results: {value}\r\n\r\n")
    assert proven_by(read, "example.com", OURS) == method


def test_only_the_topmost_results_are_believed() -> None:
    read = email.message_from_string(
        f"Authentication-Results: {OURS}; none\r\nAuthentication-Results: {PASS}\r\n\r\n"
    )
    assert proven_by(read, "example.com", OURS) == ""


def test_a_domain_below_the_one_that_was_proven_is_aligned() -> None:
    read = email.message_from_string(f"Authentication-Results: {PASS}\r\n\r\n")
    assert proven_by(read, "mail.example.com", OURS) == "dmarc"
    assert proven_by(read, "badexample.com", OURS) == ""


FROMS = [
    (ANA.email, ANA.email),
    (f"<{ANA.email}>", ANA.email),
    (f'"Canary, Ana" <{ANA.email.upper()}>', ANA.email),
    (f"=?utf-8?q?Ana_=3Ca=40b=2Ec=3E?= <{ANA.email}>", ANA.email),
    (f"{ANA.email}, other@example.com", ""),
    (f"other@example.com, Ana <{ANA.email}>", ""),
    (f"{ANA.email} (Ana) <other@example.com>", ""),
    (f"<{ANA.email}> <other@example.com>", ""),
    (f"Ana: {ANA.email};", ""),
    (f'"{ANA.email}" <>', ""),
    ("=?utf-8?q?=3Cana=40example=2Ecom=3E?=", ""),
    ("Ana", ""),
    ("", ""),
]


@pytest.mark.parametrize(("value", "person"), FROMS)
def test_from_names_a_person_only_where_there_is_no_doubt(value: str, person: str) -> None:
    raw = f"Authentication-Results: {PASS}\r\nFrom: {value}\r\n\r\nstop"
    assert told(raw) == Words(person, "dmarc" if person else "")


def test_two_from_lines_name_nobody() -> None:
    raw = f"Authentication-Results: {PASS}\r\nFrom: {ANA.email}\r\nFrom: a@example.com\r\n\r\n"
    assert told(raw) == Words("", "")


@pytest.mark.parametrize(
    ("head", "ignored"),
    [
        ("Auto-Submitted: no", False),
        ("Auto-Submitted: No; owner=x", False),
        ("Auto-Submitted: auto-generated", True),
        ("Auto-Submitted: auto-replied; owner-email=x", True),
        ("Auto-Submitted: auto-replied\r\nX-Apple-Unsubscribe: true", False),
        ("Auto-Submitted: auto-replied\r\nX-Apple-Unsubscribe: false", True),
        ("Precedence: list", False),
        ("Precedence: Bulk", True),
        ("Return-Path: < >", True),
        ("Return-Path: <a@example.com>", False),
        ("X-Autorespond: x", True),
    ],
)
def test_the_marks_of_machines(head: str, ignored: bool) -> None:
    found = told(f"{head}\r\nFrom: {ANA.email}\r\nSubject: unsubscribe {TOKEN}\r\n\r\n")
    assert isinstance(found, Nothing) is ignored
    assert isinstance(found, Request) is not ignored


def test_the_null_return_path_that_the_mail_server_tells_is_one_too() -> None:
    assert told(f"Subject: {TOKEN}\r\n\r\n", sender="") == Nothing("automatic: null return path")


def test_a_token_in_what_is_quoted_below_is_not_the_writers() -> None:
    quoted = "\r\n".join(["Hello", "> Unsubscribe:", f"> {TOKEN}", *["text"] * 9, TOKEN])
    assert isinstance(told(f"From: {ANA.email}\r\nSubject: Re: offers\r\n\r\n{quoted}"), Words)


DSNS = [name for name in NAMES if name.startswith("dsn_")]
# What flufl.bounce counts as permanent and we do not: it is about the message, or of nobody's.
STRICTER = {"dsn_mailbox_full", "dsn_policy", "dsn_postfix_expired"} | {
    "dsn_two_recipients",
    "dsn_without_link",
}


@pytest.mark.parametrize("name", DSNS)
def test_an_independent_reader_of_bounces_finds_no_failure_less(name: str) -> None:
    raw = eml(name, TOKEN)
    _, permanent = all_failures(email.message_from_bytes(raw, policy=policy.default))
    assert (bool(permanent) and name not in STRICTER) is isinstance(told(raw), Bounce)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_a_permanent_status_without_a_failure_is_no_bounce(action: str) -> None:
    raw = eml("dsn_postfix", TOKEN, **{"Action: failed": f"Action: {action}"})
    assert isinstance(told(raw), Nothing)


def nested(depth: int) -> bytes:
    """A part in a part in a part."""
    head = b"Subject: x\r\n"
    for number in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number)
    return head + b"\r\ntext\r\n" * 2000


HOSTILE = {
    "a thousand parts in one another": nested(1000),
    "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    "many parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 20_000,
    "a report without parts": b"Content-Type: multipart/report; boundary=b\r\n\r\n",
    "a report of nothing": b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\n--b\r\n"
    b"Content-Type: message/feedback-report\r\n\r\n--b--",
    "a charset that is none": b"From: =?nope?q?x?= <a@b.example>\r\nSubject: =?idna?q?x?=\r\n"
    b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\x",
    "half of a pair": b"From: =?utf-7?q?+2AA-?= <a@b.example>\r\nSubject: =?utf-7?b?KzJBQS0=?=\r\n"
    b"To: =?utf-7?q?+2AA-?=@b.example\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    "bytes for a charset": b"Content-Type: text/plain; charset=\xff\xfe\x00\r\n\r\nx",
    "bytes for headers": b"Subject: \xff\xfe\xfd\r\nFrom: \xff@\xff\r\n\r\n",
    "an encoding that is none": b"Subject: x\r\nContent-Transfer-Encoding: x-uuencode\r\n"
    b"\r\nbegin 999 /etc/passwd\r\n#\xff\r\nend",
    "base64 that is none": b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n=\xff=A",
    "a header without end": b"Subject: " + b"=?utf-8?q?" * 50_000 + b"\r\n\r\n",
    "a comment without end": b"From: " + b"(" * 50_000 + b"\r\n\r\n",
    "an address without end": b"To: " + b"<a@b.example>," * 50_000 + b"\r\n\r\n",
    "parameters without end": b"Content-Type: multipart/report"
    + b'; boundary*0*="x"' * 5000
    + b"\r\n\r\n",
    "tags without end": b"Content-Type: text/html\r\n\r\n" + b"<" * 100_000,
    "scripts without end": b"Content-Type: text/html\r\n\r\n" + b"<script" * 20_000,
    "a very long number": b"Content-Type: text/plain; x*" + b"9" * 5000 + b"=y\r\n\r\n",
    "nothing but colons": b":" * 1000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_is_read_or_refused(raw: bytes) -> None:
    assert_is_read_or_refused(raw)


def test_any_damage_to_any_recorded_message_is_read_or_refused() -> None:
    chance = random.Random(7)
    for name in NAMES:
        raw = bytearray(eml(name, TOKEN))
        for _ in range(40):
            start = chance.randrange(len(raw))
            raw[start : start + chance.randrange(30)] = chance.randbytes(chance.randrange(20))
            assert_is_read_or_refused(bytes(raw))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_bytes_come_they_are_read_or_refused(raw: bytes) -> None:
    assert_is_read_or_refused(raw)
    assert_is_read_or_refused(b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" + raw)


def assert_is_read_or_refused(raw: bytes) -> None:
    try:
        mail = reader.read(raw, Envelope(), find, OURS)
    except Malformed:
        return
    "".join((mail.author, mail.subject, mail.text, *mail.recipients)).encode()
    assert len(mail.subject) <= reader.MAX_SUBJECT
    assert len(mail.text) <= message.MAX_TEXT


def test_of_a_message_with_too_many_parts_the_subject_still_counts() -> None:
    raw = b"Subject: unsubscribe " + TOKEN.encode() + b"\r\n" + nested(200)
    assert told(raw) == Request(CLAIM, "subject")


@pytest.mark.parametrize("name", ["a thousand parts in one another", "many parts"])
def test_too_many_parts_are_not_taken_apart(name: str) -> None:
    assert message.parts_of(message.parse(HOSTILE[name])) == []


@pytest.mark.parametrize("line", [b"; a=b", b"\r\n\t; a=b", b"\r ; a=b"])
def test_of_a_very_long_content_type_the_beginning_is_read(line: bytes) -> None:
    raw = b"Content-Type: text/plain" + line * 5000 + b"\r\nSubject: after it\r\n\r\ntext"
    read = message.parse(raw)
    assert len(message.header(read, "Content-Type")) < 2100
    assert message.header(read, "Subject") == "after it"


def test_html_alone_is_read_as_its_reader_sees_it() -> None:
    read = message.parse(
        b"Content-Type: text/html; charset=windows-1252\r\n\r\n"
        b"<style>stop {}</style><p>Bitte <b>abmelden</b>, gr\xfc&szlig;e<br>Ana</p>"
        b"<blockquote>Unsubscribe</blockquote>"
    )
    assert message.text_of(read).split() == ["Bitte", "abmelden", ",", "grüße", "Ana"]
