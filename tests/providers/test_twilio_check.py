"""Why does a signature not hold? Each distortion on the way is found and named."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from optout_service.core.errors import Malformed
from optout_service.providers import twilio
from optout_service.providers.captured import FORM, Captured
from optout_service.providers.twilio_check import MENDS, Finding, diagnose
from tests.providers.playing import fields

TOKEN = "12345"
URL = "https://optout.example.com/hooks/twilio/messages"
STOP = fields("stop_long_code")
CALL = fields("call_inbound")


def captured(
    *,
    signed: str = URL,
    sent: Mapping[str, str] = STOP,
    url: str = URL,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    token: str = TOKEN,
) -> Captured:
    """What was captured at ``url`` of a request that Twilio signed as ``signed`` and ``sent``."""
    given = {
        "Content-Type": FORM,
        "X-Twilio-Signature": twilio.sign(token, signed, sent),
        "Host": "optout.example.com",
    }
    body = urlencode(sent if form is None else form).encode()
    return Captured("POST", url, Headers(given | dict(headers or {})), body)


def without(form: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in form.items() if name not in names}


BLANKS = [name for name, value in STOP.items() if not value]
PUBLIC = "https://optout.example.com"

# What went wrong, between what was signed and what was captured.
TABLE: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("scheme",), {"url": URL.replace("https", "http")}),
    (("port",), {"signed": URL.replace(".com", ".com:8443")}),
    (
        ("scheme", "port"),
        {
            "signed": URL.replace(".com", ".com:8443"),
            "url": URL.replace("https", "http"),
        },
    ),
    (
        ("host",),
        {
            "url": "https://inner/hooks/twilio/messages",
            "headers": {"X-Forwarded-Host": "optout.example.com"},
        },
    ),
    (
        ("scheme", "host"),
        {"url": "http://10.0.0.7:8000/hooks/twilio/messages"},
    ),
    (
        ("credentials",),
        {
            "signed": URL.replace("//", "//user:pass@"),
            "headers": {"Authorization": "Basic dXNlcjpwYXNz"},
        },
    ),
    (("path prefix",), {"url": URL.replace("/hooks", "/inner/hooks")}),
    (
        ("path prefix",),
        {
            "signed": URL.replace("/hooks", "/outer/hooks"),
            "headers": {"X-Forwarded-Prefix": "/outer"},
        },
    ),
    (("trailing slash",), {"url": f"{URL}/"}),
    (("trailing slash",), {"signed": f"{URL}/"}),
    (("decoded URL",), {"signed": f"{URL}?b=%7Ea%2Fb", "url": f"{URL}?b=~a/b"}),
    (("decoded URL",), {"signed": f"{URL}?b=caf%C3%A9", "url": f"{URL}?b=café"}),
    (("decoded URL",), {"signed": f"{URL}?b=a%20b", "url": f"{URL}?b=a b"}),
    (("query order",), {"signed": f"{URL}?b=2&a=1", "url": f"{URL}?a=1&b=2"}),
    (("added query",), {"signed": f"{URL}?a=1", "url": f"{URL}?a=1&trace=7"}),
    (("dropped blank field",), {"form": without(STOP, *BLANKS)}),
    (("dropped blank field",), {"form": without(STOP, "FromCity")}),
    (
        ("dropped blank field",),
        {"sent": CALL, "form": {n: v for n, v in CALL.items() if v}},
    ),
    (("dropped blank field",), {"sent": STOP | {"Body": ""}, "form": without(STOP, "Body")}),
    (("added field",), {"form": STOP | {"_csrf": "1"}}),
    (("trimmed whitespace",), {"sent": STOP | {"Body": "Stop "}, "form": STOP | {"Body": "Stop"}}),
    (("trimmed whitespace",), {"sent": STOP | {"Body": "\nStop"}, "form": STOP | {"Body": "Stop"}}),
    (
        ("plus decoded twice",),
        {"form": STOP | {"From": f" {STOP['From'][1:]}", "To": " 15005550006"}},
    ),
    (("line ends",), {"sent": STOP | {"Body": "a\r\nb"}, "form": STOP | {"Body": "a\nb"}}),
    (
        ("character set",),
        {"sent": STOP | {"Body": "arrêt"}, "form": STOP | {"Body": "arrÃªt"}},
    ),
    (
        ("scheme", "dropped blank field"),
        {"url": URL.replace("https", "http"), "form": without(STOP, *BLANKS)},
    ),
    (("token",), {"token": "54321"}),
    (("no signature",), {"headers": {"X-Twilio-Signature": ""}}),
]


@pytest.mark.parametrize(
    ("causes", "change"), TABLE, ids=[f"{', '.join(row[0])} {n}" for n, row in enumerate(TABLE)]
)
def test_the_cause_is_named(causes: tuple[str, ...], change: dict[str, Any]) -> None:
    found = diagnose(captured(**change), [TOKEN])
    assert (found.holds, found.causes) == (False, causes)


def test_what_holds_holds_and_says_by_which_token() -> None:
    assert diagnose(captured(), [TOKEN]) == Finding(True, 0)
    assert diagnose(captured(), ["newer", TOKEN]) == Finding(True, 1)


def test_every_cause_has_its_mend_and_none_is_left_over() -> None:
    named = {cause for causes, _ in TABLE for cause in causes}
    assert named | {"algorithm", "unproven body", "changed body", "dropped query"} == set(MENDS)


def test_the_service_is_asked_by_its_own_name() -> None:
    inner = captured(url="http://10.0.0.7:8000/hooks/twilio/messages")
    assert diagnose(inner, [TOKEN], PUBLIC).holds
    wrong = diagnose(captured(), [TOKEN], "http://optout.example.com")
    assert (wrong.holds, wrong.causes) == (False, ("scheme",))


def test_the_header_of_the_newer_scheme_is_missed() -> None:
    form = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309"}
    form |= {"To": "+18005551212", "Caller": "+14158675309"}
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    headers = {"X-Twilio-Signature": "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="}
    got = captured(url=url, sent=form, headers=headers)
    assert diagnose(got, [TOKEN]).causes == ("algorithm",)


def in_json(url: str, body: bytes, signed: str) -> Captured:
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Signature": twilio.sign(TOKEN, signed, {}),
    }
    return Captured("POST", url, Headers(headers), body)


def test_of_a_body_that_is_no_form_the_hash_is_looked_at() -> None:
    body = b'{"a": 1}'
    hashed = f"{URL}?bodySHA256={sha256(body).hexdigest()}"
    assert diagnose(in_json(hashed, body, hashed), [TOKEN]).holds
    assert diagnose(in_json(hashed, b'{"a":1}', hashed), [TOKEN]).causes == ("changed body",)
    assert diagnose(in_json(URL, body, hashed), [TOKEN]).causes == ("dropped query",)
    assert diagnose(in_json(URL, body, URL), [TOKEN]).causes == ("unproven body",)


def test_a_capture_is_read_from_json_and_from_http() -> None:
    one = captured()
    told = {"method": "post", "url": one.url, "headers": dict(one.headers)}
    as_json = json.dumps(told | {"body": one.body.decode()}).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in one.headers.items())
    as_http = f"POST /hooks/twilio/messages HTTP/1.1\r\n{lines}\r\n".encode() + one.body
    for text in (as_json, as_http, as_http.replace(b"\r\n", b"\n") + b"\n"):
        read = Captured.parse(text)
        assert (read.url, read.body) == (one.url, one.body)
        assert diagnose(read, [TOKEN]).holds


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_whatever_was_captured_it_is_read_or_refused(text: bytes) -> None:
    for whole in (text, b"{" + text, b"POST / HTTP/1.1\n" + text):
        try:
            read = Captured.parse(whole)
        except Malformed:
            continue
        assert not diagnose(read, [TOKEN]).holds


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6),
    st.text(max_size=60),
)
def test_no_capture_is_too_odd_to_be_looked_at(form: dict[str, str], url: str) -> None:
    headers = Headers({"Content-Type": FORM, "X-Twilio-Signature": "x"})
    odd = Captured("POST", url, headers, urlencode(form).encode())
    assert diagnose(odd, [TOKEN]).causes == ("token",)
