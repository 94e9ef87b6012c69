"""No door without a lock: every route has a proof, and every path a face that refuses."""

from flask import Flask

from optout_service.app import FACES

# Written out: a route that is added, or whose proof changes, is read here by a person.
DOORS = {
    "GET /healthz": "none: says nothing about anybody",
    "GET /readyz": "none: says nothing about anybody",
    "GET /.well-known/gpc.json": "none: says nothing about anybody",
    "GET /openapi.json": "none: says nothing about anybody",
    "GET /docs": "none: says nothing about anybody",
    "GET /docs/<name>": "none: says nothing about anybody",
    "POST /hooks/aws/messages": "the subscription's password and SNS's signature",
    "POST /hooks/mail/inbound": "the mail server's secret",
    "POST /hooks/telnyx/messages": "Telnyx's signature",
    "GET /u/<rest:token>": "the signed link",
    "OPTIONS /u/<rest:token>": "the signed link",
    "POST /u/<rest:token>": "the signed link",
    "GET /u/-/request": "none: leaves a text for a person to read",
    "OPTIONS /u/-/request": "none: leaves a text for a person to read",
    "POST /u/-/request": "none: leaves a text for a person to read",
    "POST /hooks/twilio/messages": "Twilio's signature",
    "POST /hooks/twilio/status": "Twilio's signature",
    "POST /hooks/twilio/events": "Twilio's signature",
    "POST /hooks/twilio/voice": "Twilio's signature",
    "POST /hooks/twilio/voice/opt-out": "Twilio's signature",
    "POST /hooks/twilio/voice/number": "Twilio's signature",
    "POST /hooks/twilio/voice/fallback": "none: knows nobody and stores nothing",
    "POST /v1/check": "API key: check",
    "POST /v1/check/batch": "API key: check",
    "POST /v1/scrub": "API key: check",
    "POST /v1/opt-outs": "API key: record opt-outs and opt-ins",
    "POST /v1/opt-ins": "API key: record opt-outs and opt-ins",
    "POST /v1/imports": "API key: import lists",
    "POST /v1/links": "API key: mint links",
    "POST /v1/links/batch": "API key: mint links",
    "GET /v1/link-key": "API key: take the link key",
    "POST /v1/clearances/verify": "API key: verify clearances",
    "GET /v1/events": "API key: read the feed",
    "GET /v1/suppressions": "API key: read suppressions",
    "GET /v1/reviews": "API key: read reviews",
    "GET /v1/reviews/<int:number>": "API key: read reviews",
    "POST /v1/reviews/<int:number>/decision": "API key: decide reviews",
    "GET /v1/suppressions/changes": "API key: keep a replica",
    "GET /v1/suppressions/export": "API key: read suppressions",
    "POST /v1/recipients/lookup": "API key: look a recipient up",
    "POST /v1/recipients/evidence": "API key: read evidence",
    "POST /v1/recipients/erase": "API key: erase a recipient",
    "GET /v1/holds": "API key: legal holds",
    "POST /v1/holds": "API key: legal holds",
    "POST /v1/holds/<int:number>/end": "API key: legal holds",
    "GET /v1/checkpoints": "API key: read checkpoints",
    "GET /v1/stats": "API key: read counts",
    "GET /v1/texts": "API key: texts",
    "PUT /v1/texts": "API key: texts",
    "DELETE /v1/texts": "API key: texts",
    "GET /v1/tenants": "API key: tenants",
    "POST /v1/tenants": "API key: tenants",
    "GET /v1/tenants/<slug>": "API key: the tenant itself",
    "PATCH /v1/tenants/<slug>": "API key: the tenant itself",
    "GET /v1/brand": "API key: the tenant itself",
    "PUT /v1/brand": "API key: the tenant itself",
    "GET /v1/topics": "API key: topics",
    "POST /v1/topics": "API key: topics",
    "PATCH /v1/topics/<slug>": "API key: topics",
    "GET /v1/provider-accounts": "API key: senders and provider accounts",
    "POST /v1/provider-accounts": "API key: senders and provider accounts",
    "POST /v1/provider-accounts/<provider>/<account>/retire-tokens": (
        "API key: senders and provider accounts"
    ),
    "GET /v1/senders": "API key: senders and provider accounts",
    "POST /v1/senders": "API key: senders and provider accounts",
    "GET /v1/senders/<provider>/<account>/<address>": "API key: senders and provider accounts",
    "PATCH /v1/senders/<provider>/<account>/<address>": "API key: senders and provider accounts",
    "DELETE /v1/senders/<provider>/<account>/<address>": "API key: senders and provider accounts",
    "GET /v1/keys": "API key: API keys",
    "POST /v1/keys": "API key: API keys",
    "POST /v1/keys/<int:number>/rotate": "API key: API keys",
    "POST /v1/keys/<int:number>/revoke": "API key: API keys",
}


def test_every_door_has_this_proof() -> None:
    found = {
        f"{method} {route.rule}": route.proof.name
        for face in FACES
        for route in face.routes
        for method in route.methods
    }
    assert found == DOORS


def test_no_route_came_in_by_another_way(app: Flask) -> None:
    registered = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert registered == set(app.extensions["optout_proofs"])


def test_every_path_is_refused_by_its_own_face() -> None:
    for face in FACES:
        for route in face.routes:
            assert route.rule.startswith(face.prefixes)
