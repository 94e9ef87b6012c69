"""Every door of the service at which somebody can do something, and how one knocks there.

A door is a request that can be made again and again, each time for another person: ``number`` says
for whom. ``routes()`` are all routes of the application that are no mere reading; a trial that goes
down this street fails where one of them has no door here.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from optout_service.app import FACES, create_app
from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.knobs import Secret
from optout_service.providers import twilio
from optout_service.recipients.link import RULE
from optout_service.recipients.pages import ASKING
from optout_service.runtime import Runtime
from optout_service.store import senders
from optout_service.store.senders import Sender, SenderKind
from tests import stage
from tests.mailroom.sending import eml
from tests.providers.playing import fields
from tests.providers.security import PLAYERS
from tests.recipients.pages import Page
from tests.stage import Cast

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
MAIL_SECRET: Final = "a-secret-of-the-mail-server"
READING: Final = ("GET", "HEAD", "OPTIONS")
ONE_CLICK: Final = b"List-Unsubscribe=One-Click"
GROUNDS: Final = {"reference": "T-1", "statement": "She wrote: please send it again."}
_SENDERS: Final = "/v1/senders/<provider>/<account>/<address>"
_RETIRE: Final = "/v1/provider-accounts/<provider>/<account>/retire-tokens"


@dataclass(frozen=True, slots=True)
class Knock:
    """A request, whole."""

    path: str
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    def at(self, client: FlaskClient) -> TestResponse:
        """Send it."""
        return client.open(
            self.path,
            method=self.method,
            data=self.body or None,
            content_type=self.content_type or None,
            headers=dict(self.headers),
            environ_overrides={"RAW_URI": self.path},
        )


@dataclass(frozen=True)
class Door:
    """One way in.

    ``route``: method and rule. ``make``: the request for the person of a number, with all done that
    must come before it. ``writes``: whether it stores anything. ``blocks``: how many transactions
    it may end after. ``says``: what an answer of 2xx must hold true.
    """

    name: str
    route: tuple[str, str]
    make: Callable[["Street", int], Knock]
    writes: bool = True
    blocks: int = 1
    says: Callable[[TestResponse], bool] = lambda _: True


class Street:
    """One service, and somebody who can knock at each of its doors, well provided with keys."""

    def __init__(self, rt: Runtime, cast: Cast) -> None:
        knobs: dict[str, Any] = {
            "mail_secrets": (Secret(MAIL_SECRET),),
            "link_requests_per_minute": 1_000_000,
            "access_log": False,
        }
        self.rt = replace(rt, settings=replace(rt.settings, **knobs))
        self.cast = cast
        self.app: Flask = create_app(self.rt)
        self.client = self.app.test_client()
        for name, make in PLAYERS.items():
            make().set_up(self.app)
            if name != "twilio":
                self._register(name)

    def email(self, number: int) -> str:
        """The mailbox of a person."""
        return f"r{number}@example.com"

    def phone(self, number: int) -> str:
        """The telephone of a person."""
        return f"+1415555{number % 10_000:04d}"

    def link(self, number: int) -> str:
        """The path of the link in a person's newsletter."""
        return f"/u/{self.token(number)}"

    def token(self, number: int, tenant: int = 0) -> str:
        """Its token; ``tenant``: whose, if not Acme's."""
        mailbox = Address.parse(Kind.EMAIL, self.email(number))
        topic = "*" if tenant else "newsletter"
        claim = Claim(tenant or self.cast.acme, "email", mailbox, topic, "m-42")
        return self.rt.links.mint(claim)

    def asks(self, path: str, body: Any = None, by: str = "admin", **how: Any) -> Knock:
        """A request to the API with JSON; ``headers`` and ``method`` may be given."""
        headers = {"Authorization": f"Bearer {self.cast.keys[by]}"} | how.pop("headers", {})
        sent = b"" if body is None else json.dumps(body).encode()
        return Knock(path, sent, JSON if sent else "", headers, **how)

    def done(self, knock: Knock) -> TestResponse:
        """Something that comes before: it must go well."""
        answer = knock.at(self.client)
        assert answer.status_code < 300, f"{knock.path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def twilio(self, hook: str, form: Mapping[str, str], query: str = "") -> Knock:
        """A form of Twilio's, signed."""
        path = f"/hooks/twilio/{hook}{query}"
        signature = twilio.sign(stage.TOKEN, f"{self.rt.settings.public_url}{path}", form)
        body = urlencode(form).encode()
        return Knock(path, body, FORM, {"X-Twilio-Signature": signature})

    def text(self, number: int, said: str, name: str = "", to: str = stage.LONG_CODE) -> Knock:
        """A person texts; ``name`` tells one of his messages from another."""
        sid = f"SM{name}{number:030d}"
        person = self.phone(number)
        return self.twilio(
            "messages", fields("stop_long_code", Body=said, From=person, MessageSid=sid, To=to)
        )

    def played(self, provider: str, number: int, said: str) -> Knock:
        """A person's text as another provider tells it."""
        player, at = PLAYERS[provider](), self.rt.now()
        person = self.phone(number)
        body = player.body(said, f"{provider}-{number}", player.accounts[0], at, person=person)
        sent = player.sign(body, "ours", at)
        return Knock(sent.path, sent.body, sent.content_type, sent.proof)

    def mail(self, name: str, number: int, tenant: int = 0) -> Knock:
        """A recorded message of a person's own, about a link of theirs."""
        marks = {"ana.canary.7f3c@example.com": self.email(number)}
        raw = eml(name, self.token(number, tenant), **marks).replace(
            b"Message-ID: <", b"Message-ID: <%d." % number
        )
        headers = {"Optout-Mail-Secret": MAIL_SECRET}
        return Knock("/hooks/mail/inbound", raw, "message/rfc822", headers)

    def page(self, number: int, **posted: str) -> Knock:
        """A button of the page behind a person's link."""
        return Knock(self.link(number), urlencode(posted).encode(), FORM)

    def offer(self, knock: Knock) -> str:
        """What the page that answers offers its reader."""
        return Page(self.done(knock).text).offer

    def review(self, number: int) -> int:
        """The number of a new review, of a person's doubtful text."""
        self.done(self.text(number, "wrong number"))
        by = self.asks("/v1/reviews?limit=1000", method="GET")
        return max(item["review"] for item in self.done(by).json["items"])  # type: ignore[index]

    def api_key(self) -> int:
        """The number of a new API key."""
        made = self.done(self.asks("/v1/keys", {"role": "sender", "name": "campaigns"}))
        return int(made.json["key"]["id"])  # type: ignore[index]

    def account(self, number: int) -> str:
        """The id of an account with Twilio that has two tokens."""
        account = f"AC{number:032d}"
        for token in ("one", "two"):
            self.done(self.asks("/v1/provider-accounts", _account(account, token)))
        return account

    def sender(self, number: int) -> str:
        """The number of a new sender."""
        address = f"+1800{2_000_000 + number}"
        self.done(self.asks("/v1/senders", _sender(address)))
        return address

    def _register(self, provider: str) -> None:
        player = PLAYERS[provider]()
        ours = (self.cast.acme, provider, player.accounts[0])
        with self.rt.writing() as connection:
            senders.put_account(connection, *ours, player.token("ours"), keys=self.rt.keys)
            senders.create(
                connection, Sender(*ours, player.sender, SenderKind.LONG_CODE, "*", False)
            )


def routes() -> set[tuple[str, str]]:
    """Every route by which something could be done."""
    return {
        (method, route.rule)
        for face in FACES
        for route in face.routes
        for method in route.methods
        if method not in READING
    }


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
    yield put("/v1/brand", "PUT", lambda n: {"name": f"Acme {n}", "colour": f"#a3{n % 100:02d}2a"})
    yield put("/v1/topics", "POST", lambda n: {"slug": f"topic{n}"})
    yield Door(
        "PATCH topic",
        ("PATCH", "/v1/topics/<slug>"),
        lambda s, n: s.asks("/v1/topics/newsletter", {"name": f"News {n}"}, method="PATCH"),
    )
    yield put("/v1/provider-accounts", "POST", lambda n: _account(f"AC{n:032d}", "one"))
    yield Door("retire tokens", ("POST", _RETIRE), retire)
    yield put("/v1/senders", "POST", lambda n: _sender(f"+1800{2_000_000 + n}"))
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


def _opt_out(street: Street, number: int) -> Knock:
    return street.asks("/v1/opt-outs", _one(street, number))


def _account(account: str, token: str) -> dict[str, str]:
    return {"provider": "twilio", "account": account, "token": f"the-token-{token}"}


def _sender(address: str) -> dict[str, str]:
    return {
        "provider": "twilio",
        "account": stage.ACCOUNT,
        "address": address,
        "kind": "toll_free",
    }


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
