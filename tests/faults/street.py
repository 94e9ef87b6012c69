"""Every door of the service at which somebody can do something, and how one knocks there.

A door is a request that can be made again and again, each time for another person: ``number`` says
for whom. ``routes()`` are all routes of the application that are no mere reading; a trial that goes
down this street fails where one of them has no door here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
            self.done(self.asks("/v1/provider-accounts", account_of(account, token)))
        return account

    def sender(self, number: int) -> str:
        """The number of a new sender."""
        address = f"+1800{2_000_000 + number}"
        self.done(self.asks("/v1/senders", sender_of(address)))
        return address

    def _register(self, provider: str) -> None:
        player = PLAYERS[provider]()
        ours = (self.cast.acme, provider, player.accounts[0])
        with self.rt.writing() as connection:
            senders.put_account(connection, *ours, player.token("ours"), keys=self.rt.keys)
            senders.create(
                connection, Sender(*ours, player.sender, SenderKind.LONG_CODE, "*", False)
            )


def account_of(account: str, token: str) -> dict[str, str]:
    """A body that registers an account with Twilio."""
    return {"provider": "twilio", "account": account, "token": f"the-token-{token}"}


def sender_of(address: str) -> dict[str, str]:
    """A body that registers a number of the stage's account."""
    return {
        "provider": "twilio",
        "account": stage.ACCOUNT,
        "address": address,
        "kind": "toll_free",
    }


def routes() -> set[tuple[str, str]]:
    """Every route by which something could be done."""
    return {
        (method, route.rule)
        for face in FACES
        for route in face.routes
        for method in route.methods
        if method not in READING
    }
