"""By what one tenant could name a thing of another's: a row for each kind of thing, and each field.

Every row is asked twice by Bolt's admin: for a thing of Acme's, and for one that never was. Nobody
may be able to tell the two answers apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct, inspect

from optout_service.api.operations import OPERATIONS
from tests import stage
from tests.api.asking import MAIL, WORDS, path_of

THING: Final = "{thing}"
"""Stands in a request for what is named."""

ONLY_ACMES: Final = "AC00000000000000000000000000000002"
"""An account that Acme alone has; it shares the stage's with Bolt."""
_NO_ACCOUNT: Final = "AC00000000000000000000000000000009"
_NO_NUMBER: Final = "+15005550099"
_NO_MAIL: Final = "never.was.canary@example.com"
_NO_TOPIC: Final = "never-was"
_SENDERS: Final = "/v1/senders/<provider>/<account>/<address>"
_MAIL: Final[Mapping[str, Any]] = {"channel": "email", "address": MAIL}
_ELSE: Final[Mapping[str, Any]] = {"channel": "email", "address": "else.canary@example.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A request with a place for what it names.

    ``field``: which one that is, as ``fields`` spells it. ``acmes``, ``nobodys``: the two things;
    None: the world of the test knows it by the field's name.
    """

    method: str
    rule: str
    field: str
    acmes: Any = None
    nobodys: Any = None
    path: str = ""
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.rule} by {self.field}"


def _topic(method: str, rule: str, *, where: str = "body", **more: Any) -> Reach:
    named = {"topic": THING}
    if where == "body":
        more["body"] = more.get("body", {}) | named
    else:
        more["query"] = more.get("query", {}) | named
    return Reach(
        method=method,
        rule=rule,
        field=f"{where} topic",
        acmes="offers",
        nobodys=_NO_TOPIC,
        **more,
    )


def _address(rule: str, **more: Any) -> Reach:
    body = {"channel": "email", "address": THING} | more
    return Reach(
        method="POST", rule=rule, field="body address", acmes=MAIL, nobodys=_NO_MAIL, body=body
    )


def _sender(method: str, body: Any = None) -> Iterator[Reach]:
    """By its number, under an account that both have; by the account that Acme alone has."""
    shared = f"/v1/senders/twilio/{stage.ACCOUNT}/{THING}"
    yield Reach(
        method=method,
        rule=_SENDERS,
        field="path address",
        path=shared,
        acmes=stage.LONG_CODE,
        nobodys=_NO_NUMBER,
        body=body,
    )
    yield Reach(
        method=method,
        rule=_SENDERS,
        field="path account",
        path=f"/v1/senders/twilio/{THING}/{stage.LONG_CODE}",
        acmes=ONLY_ACMES,
        nobodys=_NO_ACCOUNT,
        body=body,
    )


def _number(method: str, rule: str, body: Any = None) -> Reach:
    return Reach(
        method=method,
        rule=rule,
        field="path number",
        path=rule.replace("<int:number>", THING),
        nobodys=90_001,
        body=body,
    )


def _slug(method: str, rule: str, acmes: str, body: Any = None) -> Reach:
    return Reach(
        method=method,
        rule=rule,
        field="path slug",
        path=rule.replace("<slug>", THING),
        acmes=acmes,
        nobodys=_NO_TOPIC,
        body=body,
    )


def _position(method: str, rule: str, name: str, body: Any = None) -> Reach:
    query = {} if body else {name.partition(" ")[2]: THING}
    return Reach(
        method=method, rule=rule, field=name, acmes=4, nobodys=9_000, body=body, query=query
    )


_NEW_SENDER: Final = {"provider": "twilio", "kind": "long_code"}
BY_TABLE: Final[Mapping[str, tuple[Reach, ...] | str]] = {
    "tenant": (
        _slug("GET", "/v1/tenants/<slug>", "acme"),
        _slug("PATCH", "/v1/tenants/<slug>", "acme", {"name": "Mine"}),
        Reach(
            method="GET",
            rule="/v1/topics",
            field="header Optout-Tenant",
            acmes="acme",
            nobodys=_NO_TOPIC,
            headers={"Optout-Tenant": THING},
        ),
    ),
    "topic": (
        _slug("PATCH", "/v1/topics/<slug>", "newsletter", {"name": "Mine"}),
        Reach(
            method="POST",
            rule="/v1/check/batch",
            field="body topic",
            acmes="offers",
            nobodys=_NO_TOPIC,
            body={"channel": "email", "addresses": [MAIL], "topic": THING},
        ),
        _topic("POST", "/v1/check", body=_MAIL),
        _topic("POST", "/v1/opt-outs", body=_MAIL),
        _topic("POST", "/v1/opt-ins", body=_MAIL | WORDS),
        _topic("POST", "/v1/links", body=_MAIL),
        _topic("POST", "/v1/clearances/verify", body={"clearance": "bolt's"}),
        _topic(
            "POST",
            "/v1/senders",
            body=_NEW_SENDER | {"account": stage.ACCOUNT, "address": "+15005550010"},
        ),
        _topic("PATCH", _SENDERS, path=f"/v1/senders/twilio/{stage.ACCOUNT}/+15005550011"),
        _topic("POST", "/v1/scrub", where="query", query={"channel": "email"}, body=MAIL),
        _topic("POST", "/v1/imports", where="query", body=MAIL),
        _topic("GET", "/v1/suppressions", where="query"),
        _topic("GET", "/v1/suppressions/export", where="query"),
        Reach(
            method="POST",
            rule="/v1/links/batch",
            field="body links",
            acmes="offers",
            nobodys=_NO_TOPIC,
            body={"links": [_MAIL | {"topic": THING}]},
        ),
    ),
    "brand": "one to a tenant; nothing but the key names it",
    "provider_account": (
        Reach(
            method="POST",
            rule="/v1/provider-accounts/<provider>/<account>/retire-tokens",
            field="path account",
            path=f"/v1/provider-accounts/twilio/{THING}/retire-tokens",
            acmes=ONLY_ACMES,
            nobodys=_NO_ACCOUNT,
        ),
        Reach(
            method="POST",
            rule="/v1/senders",
            field="body account",
            acmes=ONLY_ACMES,
            nobodys=_NO_ACCOUNT,
            body=_NEW_SENDER | {"account": THING, "address": "+15005550012"},
        ),
        Reach(
            method="POST",
            rule="/v1/provider-accounts",
            field="body account",
            acmes=ONLY_ACMES,
            nobodys=_NO_ACCOUNT,
            body={"provider": "twilio", "account": THING, "token": "bolts-own"},
        ),
    ),
    "sender": (
        *_sender("GET"),
        *_sender("PATCH", {"language": "fr"}),
        *_sender("DELETE"),
        Reach(
            method="POST",
            rule="/v1/senders",
            field="body address",
            acmes=stage.LONG_CODE,
            nobodys=_NO_NUMBER,
            body=_NEW_SENDER | {"account": stage.ACCOUNT, "address": THING},
        ),
    ),
    "call_script": "named by its sender, on the command line alone",
    "reply_text": (
        Reach(
            method="DELETE",
            rule="/v1/texts",
            field="query said",
            acmes="stop",
            nobodys="help",
            query={"said": THING},
        ),
    ),
    "mailbox": "named by its address, on the command line alone",
    "api_key": (
        _number("POST", "/v1/keys/<int:number>/rotate", {}),
        _number("POST", "/v1/keys/<int:number>/revoke"),
    ),
    "event": (
        _position("GET", "/v1/events", "query after"),
        _position("POST", "/v1/recipients/lookup", "body after", {**_MAIL, "after": THING}),
        _position("GET", "/v1/checkpoints", "query before"),
    ),
    "address_book": (
        _address("/v1/recipients/lookup"),
        _address("/v1/recipients/evidence"),
        _address("/v1/clearances/verify", clearance="bolt's"),
    ),
    "legal_hold": (
        _number("POST", "/v1/holds/<int:number>/end"),
        _address("/v1/recipients/erase", reason="T-1", dry_run=True),
        _address("/v1/holds", reason="T-1"),
    ),
    "suppression": (
        _address("/v1/check"),
        _address("/v1/opt-ins", **WORDS),
        _address("/v1/opt-outs"),
        _address("/v1/links"),
        Reach(
            method="POST",
            rule="/v1/check/batch",
            field="body addresses",
            acmes=MAIL,
            nobodys=_NO_MAIL,
            body={"channel": "email", "addresses": [THING]},
        ),
        Reach(
            method="POST",
            rule="/v1/scrub",
            field="body of a list",
            acmes=MAIL,
            nobodys=_NO_MAIL,
            query={"channel": "email", "keep": "all"},
            body=THING,
        ),
        Reach(
            method="POST",
            rule="/v1/imports",
            field="body of a list",
            acmes=MAIL,
            nobodys=_NO_MAIL,
            body=THING,
        ),
    ),
    "provider_message": "named by a signed hook alone; tests/providers/test_security.py",
    "idempotency": (
        *(
            Reach(
                method="POST",
                rule=rule,
                field="header Idempotency-Key",
                nobodys="never-used",
                headers={"Idempotency-Key": THING},
                body=body | WORDS,
            )
            for rule, body in (("/v1/opt-outs", _MAIL), ("/v1/opt-ins", _ELSE))
        ),
    ),
    "review": (
        _number("GET", "/v1/reviews/<int:number>"),
        Reach(
            method="POST",
            rule="/v1/reviews/<int:number>/decision",
            field="body address",
            path="/v1/reviews/90001/decision",
            acmes=MAIL,
            nobodys=_NO_MAIL,
            body={"decision": "opt_out", "reason": "because", "address": THING},
        ),
        _number(
            "POST", "/v1/reviews/<int:number>/decision", {"decision": "opt_out", "reason": "why"}
        ),
        _position("GET", "/v1/reviews", "query cursor"),
    ),
    "visit": "counted by message and day; nothing names one",
}
"""By the table in which it lies; a text: why no request can name it. What writes comes last."""

BY_SIGNATURE: Final = (
    Reach(
        method="POST",
        rule="/v1/clearances/verify",
        field="body clearance",
        body={"clearance": THING},
    ),
)
"""What carries its tenant inside, and is held against the caller's."""

CURSORS: Final = frozenset(
    {
        "/v1/suppressions",
        "/v1/suppressions/changes",
        "/v1/topics",
        "/v1/provider-accounts",
        "/v1/senders",
        "/v1/keys",
        "/v1/holds",
    }
)
"""The lists whose cursors are texts; ``/v1/tenants`` is the platform's alone."""

_NAMING: Final = frozenset(
    {
        *("path slug", "path number", "path account", "path address", "body account"),
        *("body address", "body addresses", "body after", "body clearance", "body topic"),
        *("body links", "query after", "query before", "query topic", "query cursor"),
        *("query said", "header Idempotency-Key", "body of a list"),
    }
)
"""The fields that can name a thing that somebody has already."""
_NOT_NAMING: Final = frozenset(
    {
        *("path provider", "body address_book", "body advanced_opt_out", "body channel"),
        *("body colour", "body contact", "body contact_url", "body dark_colour", "body decision"),
        *("body dry_run", "body expires_at", "body format", "body kind", "body language"),
        *("body limit", "body logo", "body message", "body name", "body occurred_at"),
        *("body overlap_hours", "body provider", "body purpose", "body reason", "body reference"),
        *("body role", "body said", "body slug", "body statement", "body text", "body token"),
        *("query channel", "query column", "query delimiter", "query format", "query from"),
        *("query header", "query keep", "query language", "query limit", "query purpose"),
        *("query reason", "query reference", "query safe", "query since", "query state"),
        *("query to", "query wait"),
    }
)
"""The fields that name none: values, and slugs of what is being made."""
EXCUSED: Final = frozenset({("POST", "/v1/check", "body clearance")})
"""A flag of that name."""


def fields() -> Iterator[tuple[str, str, str]]:
    """Every field of every request to the API: method, rule, and where it stands and its name."""
    for (method, rule), operation in OPERATIONS.items():
        for part in rule.split("/"):
            if part.startswith("<"):
                yield method, rule, f"path {part.strip('<>').rpartition(':')[2]}"
        for where, shape in (("body", operation.body), ("query", operation.query)):
            if isinstance(shape, type):
                yield from ((method, rule, f"{where} {name}") for name in _names(shape))
            elif shape is not None:
                yield method, rule, f"{where} of a list"
        yield from ((method, rule, f"header {name}") for name in operation.headers)


def naming() -> set[tuple[str, str, str]]:
    """Those of them that name something, and none that nobody has thought about."""
    found = set(fields())
    strange = {name for *_, name in found} - _NAMING - _NOT_NAMING
    assert not strange, f"does this name a thing of a tenant's? {strange}"
    return {one for one in found if one[2] in _NAMING} - EXCUSED


def reaches() -> list[Reach]:
    """All rows."""
    rows = [row for rows in BY_TABLE.values() if not isinstance(rows, str) for row in rows]
    return [*rows, *BY_SIGNATURE]


def filled(given: Any, thing: Any) -> Any:
    """A part of a request with the thing in its place."""
    if given == THING:
        return thing
    if isinstance(given, str):
        return given.replace(THING, str(thing))
    if isinstance(given, Mapping):
        return {name: filled(part, thing) for name, part in given.items()}
    return [filled(part, thing) for part in given] if isinstance(given, list) else given


def path(reach: Reach, thing: Any) -> str:
    """The path of a row's request."""
    return str(filled(reach.path or path_of(reach.rule), thing))


def _names(shape: type[Struct]) -> list[str]:
    found = inspect.type_info(shape)
    assert isinstance(found, inspect.StructType)
    return [one.encode_name for one in found.fields]
