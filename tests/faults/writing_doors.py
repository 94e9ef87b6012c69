"""All doors of the street: recipients', providers' and the API's, one request each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from optout_service.recipients.link import RULE
from optout_service.recipients.pages import ASKING
from tests import stage
from tests.faults.street import (
    FORM,
    GROUNDS,
    JSON,
    ONE_CLICK,
    Door,
    Knock,
    Street,
    account_of,
    sender_of,
)
from tests.providers.playing import fields
from tests.recipients.pages import Page

_SENDERS: Final = "/v1/senders/<provider>/<account>/<address>"
_RETIRE: Final = "/v1/provider-accounts/<provider>/<account>/retire-tokens"


def doors() -> tuple[Door, ...]:
    """All doors."""
    return tuple(_of_recipients()) + tuple(_of_providers()) + tuple(_of_the_api())


def _of_recipients() -> Iterator[Door]:
    link = ("POST", RULE)

    def undo(street: Street, number: int) -> Knock:
        offer = street.offer(street.page(number, action="all"))
        return street.page(number, action="undo", offer=offer)

    def come_back(street: Street, number: int) -> Knock:
        street.done(street.page(number, action="topic"))
        offer = street.offer(street.page(number, action="return"))
        return street.page(number, action="return", offer=offer)

    def choose(street: Street, number: int) -> Knock:
        page = Page(street.done(Knock(street.link(number), method="GET")).text)
        boxes = [f["value"] for f in page.attributes["input"] if f.get("name") == "stop"]
        posted = urlencode([("action", "choose"), *(("stop", box) for box in boxes[:2])])
        return Knock(street.link(number), posted.encode(), FORM)

    yield Door("one click", link, lambda s, n: Knock(s.link(n), ONE_CLICK, FORM))
    yield Door(
        "one click by Flask", link, lambda s, n: Knock(s.link(n), ONE_CLICK, f"{FORM}; charset=u8")
    )
    yield Door("a bare POST", link, lambda s, n: Knock(s.link(n)))
    yield Door("the large button", link, lambda s, n: s.page(n, action="topic"))
    yield Door("the second button", link, lambda s, n: s.page(n, action="all"))
    yield Door("the checkboxes", link, choose)
    yield Door("undo", link, undo)
    yield Door("coming back", link, come_back)
    yield Door(
        "a damaged link's form",
        ("POST", ASKING),
        lambda s, n: Knock(
            ASKING, urlencode({"address": s.email(n), "text": "please stop"}).encode(), FORM
        ),
    )


def _of_providers() -> Iterator[Door]:
    messages = ("POST", "/hooks/twilio/messages")

    def start(street: Street, number: int) -> Knock:
        street.done(street.text(number, "STOP", "0"))
        return street.text(number, "START", "1")

    yield Door("STOP", messages, lambda s, n: s.text(n, "STOP"))
    yield Door("START", messages, start)
    yield Door("HELP", messages, lambda s, n: s.text(n, "HELP"))
    yield Door("a doubtful text", messages, lambda s, n: s.text(n, "wrong number"))
    yield Door(
        "STOP to nobody's number", messages, lambda s, n: s.text(n, "STOP", to="+15005550009")
    )
    yield Door("small talk", messages, lambda s, n: s.text(n, "What time do you open?"), False)
    yield Door("a report of a block", ("POST", "/hooks/twilio/status"), _blocked)
    yield Door("an event of Twilio's", ("POST", "/hooks/twilio/events"), _event)
    voice = "/hooks/twilio/voice"
    yield Door("a call", ("POST", voice), lambda s, n: _call(s, n, ""), False)
    yield Door("the key", ("POST", f"{voice}/opt-out"), lambda s, n: _call(s, n, "/opt-out", "9"))
    yield Door("a number keyed in", ("POST", f"{voice}/number"), _keyed)
    yield Door(
        "no answer", ("POST", f"{voice}/fallback"), lambda s, n: _call(s, n, "/fallback"), False
    )
    for name in ("telnyx", "aws"):
        yield Door(
            f"STOP by {name}",
            ("POST", f"/hooks/{name}/messages"),
            lambda s, n, name=name: s.played(name, n, "STOP"),  # type: ignore[misc]
        )
    for name in ("gmail_mailto", "words_proven", "arf_yahoo", "dsn_gmail", "token_in_body"):
        yield Door(
            f"mail: {name}",
            ("POST", "/hooks/mail/inbound"),
            lambda s, n, name=name: s.mail(name, n),  # type: ignore[misc]
        )


def _of_the_api() -> Iterator[Door]:
    yield from _asking()
    yield from _recording()
    yield from _setting_up()


def _asking() -> Iterator[Door]:
    def after(path: str, body: Callable[[Street, int], Any]) -> Callable[[Street, int], Knock]:
        def make(street: Street, number: int) -> Knock:
            street.done(_opt_out(street, number))
            return street.asks(path, body(street, number))

        return make

    def is_stopped(answer: TestResponse) -> bool:
        return '"suppressed":true' in answer.text

    def row(path: str, body: Callable[[Street, int], Any], **more: Any) -> Door:
        return Door(path, ("POST", path.partition("?")[0]), after(path, body), False, **more)

    yield row("/v1/check", lambda s, n: _one(s, n), says=is_stopped)
    yield row(
        "/v1/check/batch",
        lambda s, n: {"channel": "email", "addresses": [s.email(n)]},
        says=lambda answer: len(answer.json["suppressed"]) == 1,  # type: ignore[index]
    )
    yield Door(
        "/v1/scrub",
        ("POST", "/v1/scrub"),
        lambda s, n: replace(
            after("/v1/scrub?channel=email", lambda *_: None)(s, n),
            body=s.email(n).encode(),
            content_type="text/plain",
        ),
        False,
        says=lambda answer: "@" not in answer.text,
    )
    yield row("/v1/recipients/lookup", lambda s, n: _one(s, n))
    yield row("/v1/recipients/evidence", lambda s, n: _one(s, n))
    yield row("/v1/links", lambda s, n: _one(s, n))
    yield row("/v1/links/batch", lambda s, n: {"links": [_one(s, n)]})

    def verify(street: Street, number: int) -> Knock:
        asked = {"channel": "email", "address": f"stays{number}@example.com", "clearance": True}
        given = street.done(street.asks("/v1/check", asked)).json
        assert given is not None
        return street.asks("/v1/clearances/verify", {"clearance": given["clearance"]})

    yield Door("/v1/clearances/verify", ("POST", "/v1/clearances/verify"), verify, False)


def _recording() -> Iterator[Door]:
    def repeatable(street: Street, knock: Knock, number: int) -> Knock:
        return replace(knock, headers=dict(knock.headers) | {"Idempotency-Key": f"k-{number}"})

    def opt_in(street: Street, number: int) -> Knock:
        street.done(_opt_out(street, number))
        return street.asks("/v1/opt-ins", _one(street, number) | GROUNDS)

    def decide(decision: str) -> Callable[[Street, int], Knock]:
        def make(street: Street, number: int) -> Knock:
            path = f"/v1/reviews/{street.review(number)}/decision"
            return street.asks(path, {"decision": decision, "reason": "plain enough"})

        return make

    def erase(street: Street, number: int) -> Knock:
        street.done(_opt_out(street, number))
        return street.asks("/v1/recipients/erase", _one(street, number) | {"reason": "T-17"})

    def end_of_hold(street: Street, number: int) -> Knock:
        placed = street.done(_hold(street, number)).json
        assert placed is not None
        return street.asks(f"/v1/holds/{placed['hold']}/end", {})

    def lines(street: Street, number: int, rows: int) -> Knock:
        data = "".join(f"i{row}.{street.email(number)}\n" for row in range(rows)).encode()
        listed = street.asks("/v1/imports?channel=email")
        return replace(listed, body=data, content_type="text/plain")

    out, in_ = ("POST", "/v1/opt-outs"), ("POST", "/v1/opt-ins")
    decision = ("POST", "/v1/reviews/<int:number>/decision")
    yield Door("an opt-out", out, _opt_out)
    yield Door(
        "an opt-out that can be repeated", out, lambda s, n: repeatable(s, _opt_out(s, n), n)
    )
    yield Door("an opt-in", in_, opt_in)
    yield Door("an opt-in that can be repeated", in_, lambda s, n: repeatable(s, opt_in(s, n), n))
    yield Door("a list", ("POST", "/v1/imports"), lambda s, n: lines(s, n, 3))
    yield Door("a list in blocks", ("POST", "/v1/imports"), lambda s, n: lines(s, n, 8), blocks=3)
    yield Door("a review: opt-out", decision, decide("opt_out"))
    yield Door("a review: none", decision, decide("not_opt_out"))
    yield Door("an erasure", ("POST", "/v1/recipients/erase"), erase)
    yield Door("a hold", ("POST", "/v1/holds"), _hold)
    yield Door("the end of a hold", ("POST", "/v1/holds/<int:number>/end"), end_of_hold)


def _setting_up() -> Iterator[Door]:
    def put(path: str, method: str, body: Callable[[int], Any], by: str = "admin") -> Door:
        def make(street: Street, number: int) -> Knock:
            return street.asks(path, body(number), by, method=method)

        return Door(f"{method} {path}", (method, path), make)

    def of_sender(method: str) -> Callable[[Street, int], Knock]:
        def make(street: Street, number: int) -> Knock:
            path = f"/v1/senders/twilio/{stage.ACCOUNT}/{street.sender(number)}"
            return street.asks(
                path, {"topic": "offers"} if method == "PATCH" else None, method=method
            )

        return make

    def retire(street: Street, number: int) -> Knock:
        account = street.account(number)
        return street.asks(f"/v1/provider-accounts/twilio/{account}/retire-tokens")

    def remove_text(street: Street, number: int) -> Knock:
        street.done(street.asks("/v1/texts", _text(number), method="PUT"))
        return street.asks("/v1/texts?said=stop", method="DELETE")

    yield put("/v1/tenants", "POST", lambda n: {"slug": f"t{n}", "name": f"T {n}"}, "platform")
    yield Door(
        "PATCH tenant",
        ("PATCH", "/v1/tenants/<slug>"),
        lambda s, n: s.asks("/v1/tenants/acme", {"contact": f"c{n}@acme.example"}, method="PATCH"),
    )
    yield put("/v1/brand", "PUT", lambda n: {"name": f"Acme {n}", "colour": "#a3182a"})
    yield put("/v1/topics", "POST", lambda n: {"slug": f"topic{n}"})
    yield Door(
        "PATCH topic",
        ("PATCH", "/v1/topics/<slug>"),
        lambda s, n: s.asks("/v1/topics/newsletter", {"name": f"News {n}"}, method="PATCH"),
    )
    yield put("/v1/provider-accounts", "POST", lambda n: account_of(f"AC{n:032d}", "one"))
    yield Door("retire tokens", ("POST", _RETIRE), retire)
    yield put("/v1/senders", "POST", lambda n: sender_of(f"+1800{2_000_000 + n}"))
    yield Door("PATCH sender", ("PATCH", _SENDERS), of_sender("PATCH"))
    yield Door("DELETE sender", ("DELETE", _SENDERS), of_sender("DELETE"))
    yield put("/v1/keys", "POST", lambda n: {"role": "sender", "name": f"k{n}"})
    for act, body in (("rotate", {"overlap_hours": 1}), ("revoke", None)):
        yield Door(
            f"{act} a key",
            ("POST", f"/v1/keys/<int:number>/{act}"),
            lambda s, n, act=act, body=body: s.asks(f"/v1/keys/{s.api_key()}/{act}", body),  # type: ignore[misc]
        )
    yield put("/v1/texts", "PUT", _text)
    yield Door("DELETE text", ("DELETE", "/v1/texts"), remove_text)


def _one(street: Street, number: int) -> dict[str, Any]:
    return {"channel": "email", "address": street.email(number)}


def _hold(street: Street, number: int) -> Knock:
    return street.asks("/v1/holds", _one(street, number) | {"reason": "Docket 4711"})


def _opt_out(street: Street, number: int) -> Knock:
    return street.asks("/v1/opt-outs", _one(street, number))


def _text(number: int) -> dict[str, str]:
    return {"said": "stop", "text": f"{{brand}}: no more, {number}. START comes back."}


def _blocked(street: Street, number: int) -> Knock:
    sid = f"SM{number:032d}"
    return street.twilio(
        "status", fields("status_undelivered", To=street.phone(number), MessageSid=sid)
    )


def _event(street: Street, number: int) -> Knock:
    data = {
        "event_id": f"{number:016x}",
        "timestamp": "2026-09-21T00:00:00Z",
        "account_sid": stage.ACCOUNT,
        "from_number": stage.LONG_CODE,
        "to_number": street.phone(number),
        "is_reassigned": True,
    }
    kind = "com.twilio.messaging.reassigned-number.detected"
    raw = json.dumps([{"specversion": "1.0", "type": kind, "id": "EZ1", "data": data}]).encode()
    query = f"?AccountSid={stage.ACCOUNT}&bodySHA256={sha256(raw).hexdigest()}"
    return replace(street.twilio("events", {}, query), body=raw, content_type=JSON)


def _call(street: Street, number: int, step: str, digits: str = "") -> Knock:
    form = fields(
        "call_outbound",
        To=street.phone(number),
        Called=street.phone(number),
        CallSid=f"CA{number:032d}",
    )
    return street.twilio(f"voice{step}", form | ({"Digits": digits} if digits else {}))


def _keyed(street: Street, number: int) -> Knock:
    form = fields("call_withheld", CallSid=f"CA{number:032d}")
    digits = street.phone(number).removeprefix("+1")
    return street.twilio("voice/number", form | {"Digits": digits})
