"""One client of the real service, at every door; what it asks and is told goes into the history."""

import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim, Links
from optout_service.providers import twilio
from tests import stage
from tests.faults.history import Call, History, Told
from tests.server import Server
from tests.stage import Cast

_FORM = "application/x-www-form-urlencoded"
_HOOK = "/hooks/twilio/messages"


@dataclass(frozen=True)
class Premises:
    """What a client of a running service has to know."""

    base_url: str
    port: int
    links: Links
    cast: Cast

    @classmethod
    def of(cls, server: Server) -> "Premises":
        """Set a server up that has not run yet, and say how it is reached."""
        cast = server.set_up()
        with server.looking_in() as rt:
            return cls(server.base_url, server.port, rt.links, cast)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Post:
    path: str
    body: bytes
    headers: Mapping[str, str]


def mail(number: int) -> str:
    """Somebody's address."""
    return f"r{number}@example.com"


def phone(number: int) -> str:
    """Somebody's number, below a million."""
    return f"+14152{number:06d}"


class Caller:
    """A client with one connection, which it opens again when it broke.

    ``patience``: seconds until it gives up on an answer, or on anybody to listen. ``act`` and
    ``ask`` never raise: what went wrong is in the history. ``last``: the last answer, if there was
    one.
    """

    def __init__(self, premises: Premises, history: History, *, patience: float = 30) -> None:
        self._premises = premises
        self._history = history
        self._patience = patience
        self.last: Answer | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._makers: dict[str, Callable[[Sequence[str]], _Post]] = {
            "one click": self._one_click,
            "page": self._page,
            "text": self._text,
            "api": self._api,
            "import": self._import,
            "check": self._check,
            "batch": self._batch,
            "scrub": self._scrub,
        }

    def act(self, door: str, *addresses: str) -> Told:
        """Leave through a door, one address at a time but for an import."""
        post = self._makers[door](addresses)
        begun = time.monotonic()
        answer = self._send(post)
        told = _told(answer) or Told.STORED
        event = None
        if answer is not None and told is Told.STORED and door == "api":
            event = json.loads(answer.body)["event"]
        self._note(door, begun, answer, dict.fromkeys(addresses, told), event)
        return told

    def ask(self, door: str, *addresses: str) -> dict[str, Told]:
        """May we send? What was said of each."""
        post = self._makers[door](addresses)
        begun = time.monotonic()
        answer = self._send(post)
        told = _told(answer)
        if answer is None or told is not None:
            said = dict.fromkeys(addresses, told or Told.NOTHING)
            self._note(door, begun, answer, said)
            return said
        suppressed, as_of = _read(door, answer, addresses)
        said = {one: Told.SUPPRESSED if one in suppressed else Told.ALLOWED for one in addresses}
        self._note(door, begun, answer, said, as_of)
        return said

    def events(self, after: int) -> list[int]:
        """The numbers of the feed's next page; none, too, if nobody answered."""
        answer = self.get(f"/v1/events?after={after}&limit=1000", "auditor")
        if _told(answer) is not None or answer is None:
            return []
        return [one["event"] for one in json.loads(answer.body)["events"]]

    def get(self, path: str, role: str = "") -> Answer | None:
        """GET, with a key if a role is named. None: nobody answered."""
        return self._exchange("GET", path, None, self._key(role) if role else {})

    @property
    def port(self) -> int:
        """The port of ours that its connection leaves from."""
        assert self._connection is not None
        port: int = self._connection.sock.getsockname()[1]
        return port

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _note(
        self,
        door: str,
        begun: float,
        answer: Answer | None,
        said: Mapping[str, Told],
        position: int | None = None,
    ) -> None:
        ended = time.monotonic()
        later = answer.headers.get("retry-after") if answer else None
        wait = int(later) if later else None
        self._history.calls.extend(
            Call(door, address, begun, ended, told, position, wait)
            for address, told in said.items()
        )

    def _send(self, post: _Post) -> Answer | None:
        self.last = self._exchange("POST", post.path, post.body, post.headers)
        return self.last

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer | None:
        try:
            connection = self._connection = self._connection or self._connected()
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lower, content)

    def _connected(self) -> http.client.HTTPConnection:
        """A connection, as soon as anybody listens."""
        end = time.monotonic() + self._patience
        while True:
            made = http.client.HTTPConnection(
                "127.0.0.1", self._premises.port, timeout=self._patience
            )
            try:
                made.connect()
            except ConnectionRefusedError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return made

    def _token(self, address: str) -> str:
        premises = self._premises
        claim = Claim(premises.cast.acme, "email", Address.parse(Kind.EMAIL, address))
        return f"/u/{premises.links.mint(claim)}"

    def _one_click(self, addresses: Sequence[str]) -> _Post:
        form = b"List-Unsubscribe=One-Click"
        return _Post(self._token(addresses[0]), form, {"Content-Type": _FORM})

    def _page(self, addresses: Sequence[str]) -> _Post:
        return _Post(self._token(addresses[0]), b"action=topic", {"Content-Type": _FORM})

    def _text(self, addresses: Sequence[str]) -> _Post:
        fields = {
            "AccountSid": stage.ACCOUNT,
            "MessageSid": f"SM{addresses[0][1:]}",
            "From": addresses[0],
            "To": stage.LONG_CODE,
            "Body": "STOP",
        }
        signature = twilio.sign(stage.TOKEN, f"{self._premises.base_url}{_HOOK}", fields)
        headers = {"Content-Type": _FORM, "X-Twilio-Signature": signature}
        return _Post(_HOOK, urlencode(fields).encode(), headers)

    def _api(self, addresses: Sequence[str]) -> _Post:
        body = json.dumps(_one(addresses[0])).encode()
        return _Post("/v1/opt-outs", body, self._key("integration", "application/json"))

    def _import(self, addresses: Sequence[str]) -> _Post:
        path = f"/v1/imports?channel={_channel(addresses[0])}"
        return _Post(path, _lines(addresses), self._key("integration", "text/plain"))

    def _check(self, addresses: Sequence[str]) -> _Post:
        body = json.dumps(_one(addresses[0])).encode()
        return _Post("/v1/check", body, self._key("sender", "application/json"))

    def _batch(self, addresses: Sequence[str]) -> _Post:
        body = {"channel": _channel(addresses[0]), "addresses": addresses}
        headers = self._key("sender", "application/json")
        return _Post("/v1/check/batch", json.dumps(body).encode(), headers)

    def _scrub(self, addresses: Sequence[str]) -> _Post:
        path = f"/v1/scrub?channel={_channel(addresses[0])}"
        return _Post(path, _lines(addresses), self._key("sender", "text/plain"))

    def _key(self, role: str, media: str = "") -> dict[str, str]:
        shown = {"Authorization": f"Bearer {self._premises.cast.keys[role]}"}
        return shown | ({"Content-Type": media} if media else {})


@contextmanager
def caller(premises: Premises, history: History, *, patience: float = 30) -> Iterator[Caller]:
    """One that hangs up at the end."""
    made = Caller(premises, history, patience=patience)
    try:
        yield made
    finally:
        made.close()


def in_lots(addresses: Sequence[str], size: int = 1000) -> Iterator[tuple[str, ...]]:
    """Mails and phones apart, as one question is about one kind of them."""
    for channel in ("email", "sms"):
        of_kind = [one for one in addresses if _channel(one) == channel]
        for start in itertools.count(0, size):
            if not (lot := tuple(of_kind[start : start + size])):
                break
            yield lot


def _told(answer: Answer | None) -> Told | None:
    """What an answer says if it is no success; None: it is one."""
    if answer is None:
        return Told.NOTHING
    if answer.status < 300:
        return None
    return Told.UNAVAILABLE if answer.status >= 500 else Told.REFUSED


def _read(door: str, answer: Answer, asked: Sequence[str]) -> tuple[set[str], int | None]:
    """The suppressed of an answer, and its position if it names one."""
    if door == "scrub":
        allowed = set(answer.body.decode().split())
        as_of = answer.headers.get("optout-as-of")
        return set(asked) - allowed, int(as_of) if as_of else None
    body = json.loads(answer.body)
    if door == "check":
        return (set(asked) if body["suppressed"] else set()), body["as_of"]
    return {one["address"] for one in body["suppressed"]}, body["as_of"]


def _channel(address: str) -> str:
    return "email" if "@" in address else "sms"


def _one(address: str) -> dict[str, str]:
    return {"channel": _channel(address), "address": address}


def _lines(addresses: Sequence[str]) -> bytes:
    return "\n".join((*addresses, "")).encode()
