"""The requests of the benches, made before a round: the client shall not be what is measured."""

import itertools
import json
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim, Links
from optout_service.providers import twilio
from tests import stage
from tests.bench import load
from tests.bench.load import Request
from tests.providers import playing

Requests = Callable[[], Iterator[Request]]

_FORM = "application/x-www-form-urlencoded"
_CLICK = b"List-Unsubscribe=One-Click"
_HOOK = "/hooks/twilio/messages"


def checks(key: str, rows: int, *, floor: bool) -> Requests:
    """Single checks, one in ten of a suppressed address."""
    made = []
    for number in range(2000):
        hit = number % 10 == 0
        name = f"s{number * 37 % rows}" if hit else f"r{number}"
        body = json.dumps({"channel": "email", "address": f"{name}@example.com"}).encode()
        expected = b'"suppressed":true' if hit and not floor else b'"suppressed":false'
        made.append(
            load.post(
                "/v1/check", body, "application/json", expected, f"Authorization: Bearer {key}"
            )
        )
    return lambda: itertools.cycle(made)


def clicks(links: Links, tenant: int, *, floor: bool) -> Requests:
    """One-click POSTs, each by a link of its own to an address that is new."""
    numbers = itertools.count()

    def fresh() -> Iterator[Request]:
        for number in numbers:
            address = Address.parse(Kind.EMAIL, f"c{number}-{floor}@example.com")
            token = links.mint(Claim(tenant, "email", address, "newsletter"))
            yield load.post(f"/u/{token}", _CLICK, _FORM, b"You are unsubscribed.")

    def ahead() -> Iterator[Request]:
        # Minted before the round: the client shall not be what is measured.
        return iter(list(itertools.islice(fresh(), 20_000)))

    return ahead


def pages(links: Links, tenant: int) -> Requests:
    """The confirmation page of links to many people, none of whom has left."""
    made = []
    for number in range(2000):
        address = Address.parse(Kind.EMAIL, f"p{number}@example.com")
        token = links.mint(Claim(tenant, "email", address, "newsletter", "c42"))
        made.append(load.get(f"/u/{token}", b"Stop these messages?"))
    return lambda: itertools.cycle(made)


def hooks(base_url: str) -> Requests:
    """Twilio's posts of a STOP, signed, each from a phone that is new."""
    url, numbers = f"{base_url}{_HOOK}", itertools.count()

    def fresh() -> Iterator[Request]:
        for number in numbers:
            fields = playing.fields(
                "stop_long_code", From=f"+1212{2000000 + number}", MessageSid=f"SM{number:032x}"
            )
            signature = twilio.sign(stage.TOKEN, url, fields)
            body = urlencode(fields).encode()
            yield load.post(_HOOK, body, _FORM, b"<Response", f"X-Twilio-Signature: {signature}")

    def ahead() -> Iterator[Request]:
        return iter(list(itertools.islice(fresh(), 20_000)))

    return ahead


def batches(key: str, rows: int) -> Requests:
    """Batches of 10,000, one address in ten suppressed."""
    names = [f"s{n * 37 % rows}" if n % 10 == 0 else f"r{n}" for n in range(10_000)]
    body = json.dumps(
        {"channel": "email", "addresses": [f"{name}@example.com" for name in names]}
    ).encode()
    request = load.post(
        "/v1/check/batch",
        body,
        "application/json",
        b'"checked":10000',
        f"Authorization: Bearer {key}",
    )
    return lambda: itertools.repeat(request)
