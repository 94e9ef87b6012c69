"""Every door of the service, who may come in by it, and how everybody else is turned away.

The API's part is the table of ``tests/api/test_auth.py``; here stand the other faces', and what a
key is told that may do a thing, and asks it of a tenant that is not its own. What is in neither is
denied. A route without a row fails the build.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import Flask

from tests.api.test_auth import WHO_MAY

ANYBODY: Final = "anybody"
TOKEN: Final = "whoever has a link, which is the path itself"
TWILIO: Final = "Twilio, by its signature over the form"
ANOTHER: Final = "a proof that none of the matrix's callers can show"

OTHER_FACES: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "/healthz"): ANYBODY,
    ("GET", "/readyz"): ANYBODY,
    ("GET", "/.well-known/gpc.json"): ANYBODY,
    ("GET", "/openapi.json"): ANYBODY,
    ("GET", "/docs"): ANYBODY,
    ("GET", "/docs/<name>"): ANYBODY,
    ("GET", "/u/<rest:token>"): TOKEN,
    ("POST", "/u/<rest:token>"): TOKEN,
    ("OPTIONS", "/u/<rest:token>"): TOKEN,
    ("GET", "/u/-/request"): ANYBODY,
    ("POST", "/u/-/request"): ANYBODY,
    ("OPTIONS", "/u/-/request"): ANYBODY,
    ("POST", "/hooks/aws/messages"): ANOTHER,
    ("POST", "/hooks/mail/inbound"): ANOTHER,
    ("POST", "/hooks/telnyx/messages"): ANOTHER,
    ("POST", "/hooks/twilio/messages"): TWILIO,
    ("POST", "/hooks/twilio/status"): TWILIO,
    ("POST", "/hooks/twilio/events"): ANOTHER,
    ("POST", "/hooks/twilio/voice"): TWILIO,
    ("POST", "/hooks/twilio/voice/opt-out"): TWILIO,
    ("POST", "/hooks/twilio/voice/number"): TWILIO,
    ("POST", "/hooks/twilio/voice/fallback"): ANYBODY,
}
ASKS: Final = frozenset({"/hooks/aws/messages"})
"""Where who shows no Authorization is asked for one, by 401 (RFC 9110, 11.6.1): SNS then gives it.
"""

BY_ID: Final[Mapping[tuple[str, str], int]] = {
    ("GET", "/v1/reviews/<int:number>"): 404,
    ("POST", "/v1/reviews/<int:number>/decision"): 404,
    ("POST", "/v1/holds/<int:number>/end"): 404,
    ("GET", "/v1/tenants/<slug>"): 404,
    ("PATCH", "/v1/tenants/<slug>"): 404,
    ("PATCH", "/v1/topics/<slug>"): 404,
    ("POST", "/v1/provider-accounts/<provider>/<account>/retire-tokens"): 404,
    ("POST", "/v1/senders"): 404,
    ("GET", "/v1/senders/<provider>/<account>/<address>"): 404,
    ("PATCH", "/v1/senders/<provider>/<account>/<address>"): 404,
    ("DELETE", "/v1/senders/<provider>/<account>/<address>"): 404,
    ("POST", "/v1/keys/<int:number>/rotate"): 404,
    ("POST", "/v1/keys/<int:number>/revoke"): 404,
    ("POST", "/v1/clearances/verify"): 422,
    ("DELETE", "/v1/texts"): 404,
}
"""What another tenant's key is told, of a thing of Acme's that its role may see of its own."""

BY_THE_PLATFORM: Final[Mapping[tuple[str, str], int]] = {
    **{
        route: 404 for route in BY_ID if "/reviews/" not in route[1] and "/tenants/" not in route[1]
    },
    ("POST", "/v1/clearances/verify"): 422,
    ("DELETE", "/v1/texts"): 0,
    ("POST", "/v1/topics"): 422,
    ("POST", "/v1/provider-accounts"): 422,
    ("POST", "/v1/senders"): 422,
    ("POST", "/v1/keys"): 422,
    ("PUT", "/v1/brand"): 422,
    ("GET", "/v1/brand"): 422,
    ("GET", "/v1/link-key"): 422,
    ("GET", "/v1/suppressions/changes"): 422,
}
"""What a platform key is told that names no tenant: the platform has few things of its own."""


@dataclass(frozen=True, slots=True)
class Door:
    """One method of one rule."""

    method: str
    rule: str

    @property
    def route(self) -> tuple[str, str]:
        """Its row in the tables: HEAD is what GET is (RFC 9110, 9.3.2)."""
        return ("GET" if self.method == "HEAD" else self.method), self.rule

    @property
    def takes(self) -> frozenset[str] | str | None:
        """The roles that open it, or one of the words above; None: this method is not taken."""
        roles = WHO_MAY.get(self.route)
        return OTHER_FACES.get(self.route) if roles is None else frozenset(roles)


METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


def doors(app: Flask) -> list[Door]:
    """Every method of every rule of the application, one of them unknown to HTTP."""
    rules = sorted({rule.rule for rule in app.url_map.iter_rules()})
    return [Door(method, rule) for rule in rules for method in METHODS]


def undeclared(app: Flask) -> set[tuple[str, str]]:
    """The routes that the application has and no row of the tables, and the other way round."""
    there = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    return there ^ (set(WHO_MAY) | set(OTHER_FACES))
