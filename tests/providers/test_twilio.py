"""Twilio's dialect: its published signatures to the letter, and whatever it may send."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import pytest
from werkzeug.datastructures import Headers, MultiDict

from optout_service.core.errors import BadSignature, Malformed
from optout_service.core.keyword import Intent
from optout_service.providers import twilio
from optout_service.providers.dialect import signed_url
from optout_service.providers.inbound import Inbound, Meaning, Status
from tests import payloads

TOKEN = "12345"
U = "https://mycompany.com/myapp.php?foo=1&bar=2"
HTTP = "http://mycompany.com{}/myapp.php?foo=1&bar=2"
AT = "https://{}/myapp.php?foo=1&bar=2"
P = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
Fields = Mapping[str, str] | list[tuple[str, str]]
JSON_BODY = b'{"property": "value", "boolean": true}'
JSON_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
EMPTY_HASH = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
REPEATED = [
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
]
SMS = "https://example.com/sms"
HOOK = "https://optout.example.com/webhooks/twilio/sms"
INBOUND = parse_qsl(payloads.load("twilio/stop_advanced_opt_out").decode(), keep_blank_values=True)
ZURICH = parse_qsl(payloads.load("twilio/umlaut_and_emoji").decode(), keep_blank_values=True)

# Computed by Twilio's own libraries from their published example; written down, never recomputed.
FORMS: list[tuple[str, str, Fields, str]] = [
    ("the published example", U, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (
        "two equal values",
        U,
        P | {"From": "+12349013030", "Caller": "+12349013030"},
        "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
    ),
    ("a port", HTTP.format(":1234"), P, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ("https with its port", AT.format("mycompany.com:443"), P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http with its port", HTTP.format(":80"), P, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("user and password", AT.format("user:pass@mycompany.com"), P, "CukzLTc1tT5dXEDIHm/tKBanW10="),
    ("a user", AT.format("user@mycompany.com"), P, "2YRLlVAflCqxaNicjMpJcSTgzSs="),
    (
        "user, password and port",
        AT.format("user:pass@mycompany.com:443"),
        P,
        "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=",
    ),
    ("repeated fields", U, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    ("an encoded quote", f"{U}&Body=It%27s+amazing", P, "TfZzewPq8wqrGlMfyAud8+/IvJ0="),
    ("a blank field", SMS, {"Body": "STOP", "FromCity": ""}, "ry+BvHsJXWQQZPxgy7cX+p7mi3E="),
    ("without the blank field", SMS, {"Body": "STOP"}, "X9DjF5wjJrbUi/Rtei376/r43b8="),
    ("a whole inbound text", HOOK, INBOUND, "XHjy/KN08ZaU6gMBEVRjcPugbDg="),
    ("the same with a query", f"{HOOK}?brand=acme", INBOUND, "7vlQeC8cYrbg22cKuDNVljrzqoM="),
    (
        "an umlaut and an emoji",
        HOOK,
        ZURICH,
        "oe7yZehknt0vJrt1Kuj1B81PSyY=",
    ),
]
BODIES = [
    (
        "a hash in the query",
        f"{U}&bodySHA256={JSON_HASH}",
        JSON_BODY,
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    ),
    (
        "with the port",
        f"{AT.format('mycompany.com:443')}&bodySHA256={EMPTY_HASH}",
        b"{}",
        "Ldidvp12m26NI7eqEvxnEpkd9Hc=",
    ),
    ("without the port", f"{U}&bodySHA256={EMPTY_HASH}", b"{}", "rw/jVviOgicj2+kHZULvebnA4ag="),
    (
        "alone in the query",
        f"https://mycompany.com/myapp.php?bodySHA256={JSON_HASH}",
        JSON_BODY,
        "y77kIzt2vzLz71DgmJGsen2scGs=",
    ),
]


def names(vectors: Sequence[tuple[str, ...] | tuple[Any, ...]]) -> list[str]:
    return [vector[0] for vector in vectors]


def verify(
    url: str,
    fields: Fields = (),  # type: ignore[assignment]
    signature: str | None = None,
    *,
    body: bytes = b"",
    settings: str | None = None,
    tokens: tuple[str, ...] = (TOKEN,),
) -> int:
    headers = Headers()
    if signature is not None:
        headers["X-Twilio-Signature"] = signature
    if settings is not None:
        headers["X-Twilio-Webhooks-Signature-Settings"] = settings
    return twilio.verify(url, MultiDict(fields), body, headers, tokens)


@pytest.mark.parametrize(
    ("url", "fields", "signature"), [v[1:] for v in FORMS], ids=[v[0] for v in FORMS]
)
def test_a_published_signature_holds(url: str, fields: Fields, signature: str) -> None:
    assert verify(url, fields, signature) == 0


@pytest.mark.parametrize(
    ("url", "body", "signature"), [v[1:] for v in BODIES], ids=[v[0] for v in BODIES]
)
def test_a_published_signature_over_a_hashed_body_holds(
    url: str, body: bytes, signature: str
) -> None:
    assert verify(url, signature=signature, body=body) == 0


def test_the_newer_scheme_is_taken_when_its_header_says_so() -> None:
    signature = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="
    assert verify(U, P, signature, settings="key=webhooks_1,algorithm=HMAC_SHA256") == 0
    with pytest.raises(BadSignature):
        verify(U, P, signature)
    with pytest.raises(BadSignature):
        verify(U, P, signature, settings="key=webhooks_1,algorithm=MD5")


def test_a_quote_that_a_proxy_decoded_is_still_the_one_that_was_signed() -> None:
    assert verify(f"{U}&Body=It's+amazing", P, "TfZzewPq8wqrGlMfyAud8+/IvJ0=") == 0


@pytest.mark.parametrize(
    ("signed", "reached"),
    [
        ("https://mycompany.com/a", "https://mycompany.com:443/a"),
        ("https://mycompany.com:443/a", "https://mycompany.com/a"),
        ("https://u:p@mycompany.com/a", "https://u:p@mycompany.com:443/a"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]:443/a"),
        ("https://[2001:db8::1]:443/a", "https://[2001:db8::1]/a"),
    ],
)
def test_the_schemes_own_port_makes_no_difference(signed: str, reached: str) -> None:
    assert verify(reached, P, twilio.sign(TOKEN, signed, P)) == 0


@pytest.mark.parametrize(
    "url",
    [
        U.replace("https", "http"),
        U.replace("mycompany", "yourcompany"),
        U.replace("foo=1", "foo=2"),
        U.replace("foo=1&bar=2", "bar=2&foo=1"),
        U.replace("myapp.php", "myapp.php/"),
        f"{U}&x=1",
        "https://mycompany.com/myapp.php",
    ],
)
def test_a_signature_over_another_url_is_refused(url: str) -> None:
    with pytest.raises(BadSignature):
        verify(url, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize("name", P)
def test_a_field_that_was_changed_dropped_or_added_is_refused(name: str) -> None:
    without = {key: value for key, value in P.items() if key != name}
    for fields in (without, P | {name: f"{P[name]} "}, P | {f"{name}2": ""} | {"X": "1"}):
        with pytest.raises(BadSignature):
            verify(U, fields, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize("signature", [None, "", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "ä", "x" * 28])
def test_no_signature_or_half_of_one_is_refused(signature: str | None) -> None:
    with pytest.raises(BadSignature):
        verify(U, P, signature)


def test_a_body_that_is_not_the_hashed_one_is_refused() -> None:
    url = f"{U}&bodySHA256={JSON_HASH}"
    for body in (b"", b"{}", JSON_BODY + b" "):
        with pytest.raises(BadSignature):
            verify(url, signature="a9nBmqA0ju/hNViExpshrM61xv4=", body=body)


def test_a_body_that_nothing_speaks_for_is_refused() -> None:
    signature = twilio.sign(TOKEN, U, {})
    assert verify(U, signature=signature) == 0
    with pytest.raises(BadSignature):
        verify(U, signature=signature, body=b'{"Body": "STOP"}')


def test_a_form_with_a_hash_must_fit_both() -> None:
    body = b"Body=STOP"
    url = f"{SMS}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = twilio.sign(TOKEN, url, {"Body": "STOP"})
    assert verify(url, {"Body": "STOP"}, signature, body=body) == 0
    with pytest.raises(BadSignature):
        verify(url, {"Body": "STOP"}, signature, body=b"Body=START")


def test_while_tokens_are_rotated_each_of_them_is_good() -> None:
    signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert verify(U, P, signature, tokens=("new", TOKEN)) == 1
    with pytest.raises(BadSignature):
        verify(U, P, signature, tokens=("new", "other"))
    with pytest.raises(BadSignature):
        verify(U, P, signature, tokens=())


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/hooks?x=%27%C3%A9%7E%2F", "https://x.example/hooks?x=%27%C3%A9%7E%2F"),
        ("http://inner:8000/hooks?x=1", "https://x.example/hooks?x=1"),
        ("http://inner:8000/hooks", "https://x.example/hooks"),
    ],
)
def test_the_signed_url_is_the_public_one_with_the_target_as_it_came(target: str, url: str) -> None:
    assert signed_url("https://x.example", target) == url


def inbound(name: str) -> Inbound:
    pairs = parse_qsl(payloads.load(f"twilio/{name}").decode(), keep_blank_values=True)
    return twilio.parse_inbound(MultiDict(pairs))


def test_an_inbound_text_is_read() -> None:
    assert inbound("stop_advanced_opt_out") == Inbound(
        provider="twilio",
        account="AC00000000000000000000000000000001",
        message_id="SM00000000000000000000000000000001",
        channel="sms",
        person="+14155552671",
        to="+15005550006",
        service="MG00000000000000000000000000000001",
        text="STOP",
        matched=Intent.OPT_OUT,
    )


@pytest.mark.parametrize(
    ("name", "channel", "person", "text"),
    [
        ("stop_whatsapp", "whatsapp", "+14155552671", "STOP"),
        ("media_only", "sms", "+14155552671", ""),
        ("from_a_short_code", "sms", "22000", "STOP"),
        ("from_a_name", "sms", "BANKINFO", "Your code is 1234"),
        ("umlaut_and_emoji", "sms", "+14155552671", "Zürich 🎈"),
    ],
)
def test_whatever_sends_it_it_is_read(name: str, channel: str, person: str, text: str) -> None:
    read = inbound(name)
    assert (read.channel, read.person, read.text) == (channel, person, text)


@pytest.mark.parametrize("missing", ["AccountSid", "From"])
def test_what_no_message_lacks_is_asked_for(missing: str) -> None:
    fields = {name: value for name, value in INBOUND if name != missing}
    with pytest.raises(Malformed):
        twilio.parse_inbound(MultiDict(fields))


def test_a_message_without_any_id_is_refused() -> None:
    with pytest.raises(Malformed):
        twilio.parse_inbound(MultiDict((n, v) for n, v in INBOUND if not n.endswith("Sid")))


@pytest.mark.parametrize(
    ("given", "person"),
    [
        ({"From": "whatsapp:US.123", "WaId": "14155552671"}, "+14155552671"),
        ({"From": "whatsapp:US.123"}, "US.123"),
        ({"From": "whatsapp:US.123", "WaId": "US.123"}, "US.123"),
        ({"From": "whatsapp:+14155552671", "WaId": "447911123456"}, "+14155552671"),
        ({"From": "US.123", "WaId": "14155552671"}, "US.123"),
    ],
)
def test_a_whatsapp_id_is_taken_only_where_there_is_no_phone(
    given: dict[str, str], person: str
) -> None:
    ids = {"AccountSid": "AC1", "MessageSid": "SM1"}
    assert twilio.parse_inbound(MultiDict(ids | given)).person == person


def test_an_id_that_the_ledger_could_not_keep_is_refused() -> None:
    given = {"AccountSid": "AC1", "MessageSid": "S" * 201, "From": "+14155552671"}
    with pytest.raises(Malformed):
        twilio.parse_inbound(MultiDict(given))


def test_a_status_is_read() -> None:
    pairs = parse_qsl(payloads.load("twilio/status_undelivered").decode(), keep_blank_values=True)
    status = twilio.parse_status(MultiDict(pairs))
    assert status == Status(
        provider="twilio",
        account="AC00000000000000000000000000000001",
        message_id="SM00000000000000000000000000000021",
        channel="sms",
        person="+14155552671",
        sender="+15005550006",
        service="",
        state="undelivered",
        code="21610",
        meaning=Meaning.BLOCKED,
    )
    assert status.key.message_id == "SM00000000000000000000000000000021/undelivered/21610"


@pytest.mark.parametrize("given", ["jo@example.com", "+14155552671", "two words", "x" * 33])
def test_what_is_no_state_and_no_code_gets_into_no_key(given: str) -> None:
    ids = {"AccountSid": "AC1", "MessageSid": "SM1"}
    status = twilio.parse_status(MultiDict(ids | {"MessageStatus": given, "ErrorCode": given}))
    assert status.key.message_id == "SM1//"


# From Twilio's dictionary of errors, by hand.
CODES = {
    Meaning.BLOCKED: "21610 30004",
    Meaning.BLOCKED_ON_CHANNEL: "63014",
    Meaning.UNREACHABLE: "21211 21614 21635 30003 30005 30006",
    Meaning.ALERT: "30007 57012 23001 23002 23004 80901",
    Meaning.NOTHING: "30610 30640 63024 63033 12345",
}


@pytest.mark.parametrize(
    ("code", "meaning"), [(code, m) for m, codes in CODES.items() for code in codes.split()]
)
def test_a_code_means_what_the_table_says(code: str, meaning: Meaning) -> None:
    given = {"AccountSid": "AC1", "MessageSid": "SM1", "ErrorCode": code}
    assert twilio.parse_status(MultiDict(given)).meaning is meaning


def test_silence_is_an_empty_response_and_a_reply_is_escaped() -> None:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    assert twilio.ANSWERS.body(None) == f"{head}<Response/>"
    assert twilio.ANSWERS.body("A & B <ok>\x00") == (
        f"{head}<Response><Message>A &amp; B &lt;ok&gt;</Message></Response>"
    )
