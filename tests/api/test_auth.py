"""Who may come in, and for whom they then act."""

import re
from datetime import timedelta
from typing import Any

import pytest

from optout_service.api import FACE
from optout_service.api.auth import MAY, Caller, Permission, Remembered
from optout_service.core.evidence import Authority
from optout_service.runtime import Runtime
from optout_service.store import keys
from optout_service.store.keys import Role
from tests import stage
from tests.api.asking import MAIL, WORDS, Asker, path_of
from tests.stage import Cast

SENDERS = {"sender", "integration", "admin", "platform"}
RECORDERS = {"integration", "agent", "admin", "platform"}
IMPORTERS = {"integration", "admin", "platform"}
READERS = {"integration", "auditor", "admin", "platform"}
ADMINS = {"admin", "platform"}
DECIDERS = {"agent", "admin", "platform"}
KNOWERS = {"agent", "admin", "platform"}
PROVERS = {"auditor", "admin", "platform"}
ALL = {role.value for role in Role}

WHO_MAY: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/check"): SENDERS,
    ("POST", "/v1/check/batch"): SENDERS,
    ("POST", "/v1/scrub"): SENDERS,
    ("POST", "/v1/links"): SENDERS,
    ("POST", "/v1/links/batch"): SENDERS,
    ("GET", "/v1/link-key"): ADMINS,
    ("POST", "/v1/opt-outs"): RECORDERS,
    ("POST", "/v1/opt-ins"): RECORDERS,
    ("POST", "/v1/imports"): IMPORTERS,
    ("POST", "/v1/clearances/verify"): ALL,
    ("GET", "/v1/events"): READERS,
    ("GET", "/v1/suppressions"): READERS,
    ("GET", "/v1/suppressions/export"): READERS,
    ("GET", "/v1/suppressions/changes"): IMPORTERS,
    ("POST", "/v1/recipients/lookup"): KNOWERS,
    ("POST", "/v1/recipients/evidence"): KNOWERS | PROVERS,
    ("POST", "/v1/recipients/erase"): KNOWERS,
    ("GET", "/v1/holds"): ADMINS,
    ("POST", "/v1/holds"): ADMINS,
    ("POST", "/v1/holds/<int:number>/end"): ADMINS,
    ("GET", "/v1/checkpoints"): PROVERS,
    ("GET", "/v1/stats"): ALL - {"sender"},
    ("GET", "/v1/texts"): ADMINS,
    ("PUT", "/v1/texts"): ADMINS,
    ("DELETE", "/v1/texts"): ADMINS,
    ("GET", "/v1/reviews"): DECIDERS | {"auditor"},
    ("GET", "/v1/reviews/<int:number>"): DECIDERS | {"auditor"},
    ("POST", "/v1/reviews/<int:number>/decision"): DECIDERS,
    ("GET", "/v1/tenants"): {"platform"},
    ("POST", "/v1/tenants"): {"platform"},
    ("GET", "/v1/tenants/<slug>"): ADMINS,
    ("PATCH", "/v1/tenants/<slug>"): ADMINS,
    ("GET", "/v1/brand"): ADMINS,
    ("PUT", "/v1/brand"): ADMINS,
    ("GET", "/v1/topics"): ADMINS,
    ("POST", "/v1/topics"): ADMINS,
    ("PATCH", "/v1/topics/<slug>"): ADMINS,
    ("GET", "/v1/provider-accounts"): ADMINS,
    ("POST", "/v1/provider-accounts"): ADMINS,
    ("POST", "/v1/provider-accounts/<provider>/<account>/retire-tokens"): ADMINS,
    ("GET", "/v1/senders"): ADMINS,
    ("POST", "/v1/senders"): ADMINS,
    ("GET", "/v1/senders/<provider>/<account>/<address>"): ADMINS,
    ("PATCH", "/v1/senders/<provider>/<account>/<address>"): ADMINS,
    ("DELETE", "/v1/senders/<provider>/<account>/<address>"): ADMINS,
    ("GET", "/v1/keys"): ADMINS,
    ("POST", "/v1/keys"): ADMINS,
    ("POST", "/v1/keys/<int:number>/rotate"): ADMINS,
    ("POST", "/v1/keys/<int:number>/revoke"): ADMINS,
}
# Acme's, of January 2026: expired, and still its word.
CLEARANCE = (
    "AQAAAAGXxBDD4CNlZEJ-hO-rs96BFtrGpWVtYWlsoSqpbWFya2V0aW5nEdf_HW8oAGl97sDX_x1vKABpffJE~"
    "itLnG72a2NQgYPNRNbn-T39u45S2IVMDCwXEm99So1XcQ0sSPO5b_li1Ef6Hkn9Vty2e1vTXAL7oxl72Ipm4DQ"
)
ONE: dict[str, Any] = {"channel": "email", "address": MAIL}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/check": ONE,
    "/v1/check/batch": {"channel": "email", "addresses": [MAIL]},
    "/v1/links": ONE,
    "/v1/links/batch": {"links": [ONE]},
    "/v1/opt-outs": ONE | WORDS,
    "/v1/opt-ins": ONE | WORDS,
    "/v1/texts": {"said": "stop", "text": "{brand}: no more. START comes back."},
    "/v1/reviews/1/decision": {"decision": "opt_out", "reason": "plain enough"},
    "/v1/clearances/verify": {"clearance": CLEARANCE},
    "/v1/recipients/lookup": ONE,
    "/v1/recipients/evidence": ONE,
    "/v1/recipients/erase": ONE | {"reason": "T-17"},
    "/v1/holds": ONE | {"reason": "case 7"},
    "/v1/brand": {"name": "Acme", "colour": "#a3182a"},
    "/v1/topics": {"slug": "recipes"},
    "/v1/provider-accounts": {"provider": "twilio", "account": stage.ACCOUNT, "token": "new"},
    "/v1/senders": {
        "provider": "twilio",
        "account": stage.ACCOUNT,
        "address": "+15005550007",
        "kind": "toll_free",
    },
    "/v1/keys": {"role": "sender"},
}
OTHERS: dict[str, dict[str, Any]] = {
    "/v1/tenants": {"slug": "cargo", "name": "Cargo"},
    "/v1/tenants/acme": {"contact": "us@acme.example"},
    "/v1/topics/newsletter": {"name": "Our news"},
    f"/v1/senders/twilio/{stage.ACCOUNT}/{stage.LONG_CODE}": {"topic": "offers"},
    "/v1/keys/1/rotate": {},
}
QUERIES = {("DELETE", "/v1/texts"): {"said": "stop"}}
LISTS = {"/v1/scrub": "/v1/scrub?channel=email", "/v1/imports": "/v1/imports"}
SET_UP = {
    rule
    for _, rule in WHO_MAY
    if rule.startswith(("/v1/brand", "/v1/topics", "/v1/prov", "/v1/send", "/v1/keys"))
    or rule in ("/v1/link-key", "/v1/suppressions/changes")
}
"""What a platform key does for the tenant that it names."""
ROUTES = [(method, route.rule) for route in FACE.routes for method in route.methods]
METHOD_OF = {path_of(rule): method for method, rule in ROUTES if method in ("POST", "PUT", "PATCH")}
"""The method by which a path takes its body."""


def send(ask: Asker, method: str, rule: str, by: str | None, **headers: str) -> Any:
    path = path_of(rule)
    if (rule in SET_UP or path == "/v1/clearances/verify") and by == "platform":
        headers.setdefault("Optout_Tenant", "acme")  # whose things they are
    if method == "GET":
        return ask.get(path, by=by, **headers)
    if path in LISTS:
        shown = ask.headers(by, headers)
        return ask.client.post(LISTS[path], data=MAIL, content_type="text/plain", headers=shown)
    if method == "DELETE":
        return ask.send(method, path, by=by, query=QUERIES.get((method, rule)), **headers)
    return ask.send(method, path, BODIES.get(path, OTHERS.get(path)), by=by, **headers)


def test_every_route_is_in_the_table_of_who_may() -> None:
    assert set(ROUTES) == set(WHO_MAY)


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("role", [role.value for role in Role])
def test_a_role_opens_what_the_contract_says_and_nothing_else(ask: Asker, role: str) -> None:
    opened = set()
    for method, path in ROUTES:
        answer = send(ask, method, path, role)
        if answer.status_code in (200, 201, 204):
            opened.add((method, path))
        else:
            assert (answer.status_code, answer.json["kind"]) == (
                403,
                "not-permitted",
            ), path
            assert set(answer.json["roles"]) == WHO_MAY[method, path]
    assert opened == {route for route, roles in WHO_MAY.items() if role in roles}


def test_without_a_key_nothing_opens(ask: Asker) -> None:
    for method, path in ROUTES:
        answer = send(ask, method, path, None)
        assert (answer.status_code, answer.json["kind"]) == (401, "unauthenticated"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/check"), ("GET", "/v1/events")])
def test_what_is_no_key_of_ours_opens_nothing(ask: Asker, method: str, path: str) -> None:
    for header in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer oo_",
        "Bearer oo_unknown",
        "Bearer \u00fc\u00df",
        "Bearer oo_\u00fc",
        "Basic b29fOng=",
        "oo_unknown",
    ):
        answer = send(ask, method, path, None, Authorization=header)
        assert answer.status_code == 401, header


def test_a_key_is_shown_in_one_way_only(ask: Asker) -> None:
    secret = ask.keys["sender"]
    for header in (secret, f"Basic {secret}", f"Bearer {secret}x", f"Bearer  {secret}"):
        assert send(ask, "POST", "/v1/check", None, Authorization=header).status_code == 401
    lower = send(ask, "POST", "/v1/check", None, Authorization=f"bearer {secret}")
    assert lower.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "by"),
    [("GET", "/v1/events", "auditor"), ("POST", "/v1/opt-outs", "agent")],
)
def test_a_revoked_key_opens_nothing(
    rt: Runtime, ask: Asker, method: str, path: str, by: str
) -> None:
    assert send(ask, method, path, by).status_code in (200, 201)
    with rt.writing() as connection:
        found = keys.find(connection, ask.keys[by], rt.keys)
        assert found is not None
        keys.revoke(connection, found.tenant, found.id, at=rt.now())
    assert send(ask, method, path, by).status_code == 401


@pytest.mark.parametrize("path", ["/v1/check", "/v1/links"])
def test_an_expired_key_opens_nothing(rt: Runtime, ask: Asker, cast: Cast, path: str) -> None:
    with rt.writing() as connection:
        _, secret = keys.create(
            connection,
            cast.acme,
            Role.SENDER,
            name="old",
            at=rt.now(),
            keys=rt.keys,
            expires_at=rt.now() - timedelta(seconds=1),
        )
    assert send(Asker(ask.client, {"old": secret}), "POST", path, "old").status_code == 401


@pytest.mark.parametrize("path", ["/v1/check", "/v1/links"])
class TestTheTenantHeader:
    """Which tenant a key acts for."""

    def test_a_key_may_name_its_own_tenant(self, ask: Asker, path: str) -> None:
        answer = send(ask, "POST", path, "sender", Optout_Tenant="acme")
        assert answer.status_code in (200, 201)

    def test_another_tenant_does_not_exist_for_it(self, ask: Asker, path: str) -> None:
        for by in ("sender", "admin"):
            for named in ("bolt", "platform", "nobody", "", "ACME"):
                answer = send(ask, "POST", path, by, Optout_Tenant=named)
                assert (answer.status_code, answer.json["kind"]) == (404, "not-found"), named

    def test_a_platform_key_names_any_tenant(self, ask: Asker, path: str) -> None:
        for named in ("acme", "bolt", "platform"):
            answer = send(ask, "POST", path, "platform", Optout_Tenant=named)
            assert answer.status_code in (200, 201), named

    def test_what_is_not_there_is_not_found_by_the_platform_either(
        self, ask: Asker, path: str
    ) -> None:
        for named in ("nobody", "", "\u00fc", "x" * 500):
            answer = send(ask, "POST", path, "platform", Optout_Tenant=named)
            assert (answer.status_code, answer.json["kind"]) == (404, "not-found"), named


def test_a_platform_key_acts_in_the_tenant_it_names(ask: Asker) -> None:
    ask.opt_out(by="platform", tenant="bolt")
    assert (ask.suppressed(by="bolt-sender"), ask.suppressed(by="sender")) == (
        True,
        False,
    )
    body = {"channel": "email", "address": MAIL}
    asked = {
        name: ask.post("/v1/check", body, by="platform", Optout_Tenant=name).json["suppressed"]
        for name in ("bolt", "acme", "platform")
    }
    assert asked == {"bolt": True, "acme": False, "platform": False}


def test_without_the_header_a_platform_key_acts_for_all_tenants(ask: Asker) -> None:
    made = ask.opt_out(by="platform")
    assert made["suppression"]["scope"]["tenant"] == "platform"
    assert ask.suppressed(by="sender")
    assert ask.suppressed(by="bolt-sender")


def test_topics_are_the_tenants_own(ask: Asker) -> None:
    assert [t["slug"] for t in ask.get("/v1/topics", by="admin").json["items"]] == [
        "events",
        "newsletter",
        "offers",
    ]
    assert [t["slug"] for t in ask.get("/v1/topics", by="bolt-admin").json["items"]] == ["news"]


@pytest.mark.parametrize("role", list(Role))
def test_whoever_may_record_acts_on_somebodys_authority(role: Role) -> None:
    caller = Caller(1, 1, "acme", role)
    if caller.may(Permission.RECORD):
        assert caller.authority is Authority(role.value)
    else:
        with pytest.raises(KeyError):
            _ = caller.authority


def test_every_role_is_in_the_table() -> None:
    assert set(MAY) == set(Role)


def test_the_memory_of_keys_forgets_the_longest_unused() -> None:
    memory = Remembered(most=2)
    callers = {name: Caller(n, 1, "acme", Role.SENDER) for n, name in enumerate("abc")}
    for name in "ab":
        memory.put(name.encode(), None, callers[name])
    memory.find(b"a", None)
    memory.put(b"c", None, callers["c"])
    assert [memory.find(name.encode(), None) for name in "abc"] == [
        callers["a"],
        None,
        callers["c"],
    ]


def test_no_secret_comes_back_in_an_answer(ask: Asker) -> None:
    for by in ("agent", "sender"):
        for method, path in ROUTES:
            text = send(ask, method, path, by).text
            assert not re.search(r"oo_[\w-]+", text)
