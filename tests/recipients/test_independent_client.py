"""A client that somebody else wrote, over HTTPS, by nothing but the headers of the mail."""

import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import httpx
import listunsub
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.runtime import Runtime
from tests.cast import ANA
from tests.certificate import self_signed
from tests.stage import PUBLIC_URL, Cast


@pytest.fixture
def https(app: Flask, tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """The application over TLS on loopback, and what trusts it."""
    certificate, key = self_signed(tmp_path)
    server = make_server("127.0.0.1", 0, app, ssl_context=(str(certificate), str(key)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    trust = ssl.create_default_context(cafile=str(certificate))
    yield f"https://127.0.0.1:{server.server_port}", trust
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_independent_client_unsubscribes_by_the_headers_alone(
    rt: Runtime,
    cast: Cast,
    client: FlaskClient,
    api_keys: dict[str, str],
    https: tuple[str, ssl.SSLContext],
) -> None:
    made = client.post(
        "/v1/links",
        json={"address": ANA.email, "topic": "newsletter"},
        headers={"Authorization": f"Bearer {api_keys['sender']}"},
    ).get_json()
    mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
    for name, value in made["headers"].items():
        mail[name] = value
    header, post = mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]
    assert listunsub.audit(header, post, dkim_signatures=_signature()) == []
    chosen = listunsub.choose(header, post, dkim_verified=True)
    assert chosen is not None
    assert chosen.kind == "one-click"
    request = listunsub.one_click_request(chosen.uri)
    assert request.url.startswith(PUBLIC_URL)
    base, trust = https
    answer = httpx.post(
        request.url.replace(PUBLIC_URL, base),
        content=request.body,
        headers=request.headers,
        verify=trust,
        follow_redirects=False,
    )
    assert answer.status_code == 200
    mailbox = Address.parse(Kind.EMAIL, ANA.email)
    assert rt.check(cast.acme, mailbox, Scope("email", "newsletter", "marketing")).suppressed


def _signature() -> str:
    return "v=1; d=acme.example; h=from:list-unsubscribe:list-unsubscribe-post; bh=; b="
