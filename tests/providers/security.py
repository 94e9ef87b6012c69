"""Every provider, played: what its hook's tests need of it, to pass one contract with the others.

A new provider is one more player here, and one more name in ``PLAYERS``.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from optout_service.providers import telnyx, twilio
from optout_service.providers.hooks import SNS_HOST
from optout_service.providers.sns_host import SnsHost
from tests import payloads, stage
from tests.cast import ANA
from tests.providers import amazon
from tests.providers.playing import fields


@dataclass(frozen=True)
class Sent:
    """A request, as a provider would post it."""

    path: str
    body: bytes
    content_type: str
    proof: Mapping[str, str]
    """The headers that prove it."""

    def post(self, client: FlaskClient) -> TestResponse:
        """Post it."""
        return client.post(
            self.path, data=self.body, content_type=self.content_type, headers=dict(self.proof)
        )

    def less(self, header: str) -> "Sent":
        """The same without a part of its proof."""
        return replace(self, proof={k: v for k, v in self.proof.items() if k != header})


class Player(Protocol):
    """One provider. A *secret* is what a test knows; its *token* is what a tenant registers."""

    name: str
    accounts: tuple[str, str]
    sender: str
    says_when: bool
    """Whether the signature is of a time, so that a request can be too old."""

    def token(self, secret: str) -> str: ...
    def set_up(self, app: Flask) -> None: ...
    def body(self, text: str, message: str, account: str, at: datetime, **more: str) -> bytes: ...
    def sign(self, body: bytes, secret: str, at: datetime) -> Sent: ...


class Twilio:
    """HMAC under a shared token, over the URL and the form. It is of no time."""

    name = "twilio"
    accounts = (stage.ACCOUNT, "AC00000000000000000000000000000009")
    sender = stage.LONG_CODE
    says_when = False

    def token(self, secret: str) -> str:
        return secret

    def set_up(self, app: Flask) -> None:
        pass

    def body(self, text: str, message: str, account: str, at: datetime, **more: str) -> bytes:
        changes = {"Body": text, "MessageSid": message, "AccountSid": account}
        if person := more.pop("person", ""):
            changes["From"] = person
        return urlencode(fields("stop_long_code", **changes, **more)).encode()

    def sign(self, body: bytes, secret: str, at: datetime) -> Sent:
        path = "/hooks/twilio/messages"
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        signature = twilio.sign(secret, f"{stage.PUBLIC_URL}{path}", form)
        return Sent(
            path,
            body,
            "application/x-www-form-urlencoded",
            {"X-Twilio-Signature": signature},
        )


class Telnyx:
    """Ed25519 over time and body; the token is the public key."""

    name = "telnyx"
    accounts = ("0f512bda-ae1e-4597-8e11-e5f5686b97d3", "0f512bda-ae1e-4597-8e11-000000000009")
    sender = "+18445550001"
    says_when = True

    def token(self, secret: str) -> str:
        return b64encode(_private_key(secret).public_key().public_bytes_raw()).decode()

    def set_up(self, app: Flask) -> None:
        pass

    def body(self, text: str, message: str, account: str, at: datetime, **more: str) -> bytes:
        event = json.loads(payloads.load("telnyx/message_received.json"))
        payload: dict[str, Any] = event["data"]["payload"]
        payload |= {"text": text, "id": message, "messaging_profile_id": account}
        payload |= {"received_at": at.isoformat()}
        payload["from"]["phone_number"] = more.pop("person", ANA.phone)
        return json.dumps(event | more).encode()

    def sign(self, body: bytes, secret: str, at: datetime) -> Sent:
        written = str(int(at.timestamp()))
        signature = _private_key(secret).sign(f"{written}|".encode() + body)
        return Sent(
            "/hooks/telnyx/messages",
            body,
            "application/json",
            {telnyx.SIGNATURE: b64encode(signature).decode(), telnyx.TIMESTAMP: written},
        )


class Aws:
    """SNS's signature over the envelope, and the password of the subscription beside it."""

    name = "aws"
    accounts = (amazon.TOPIC, "arn:aws:sns:us-west-2:123456789012:another")
    sender = "+12125550101"
    says_when = True

    def token(self, secret: str) -> str:
        return secret.ljust(24, "_")

    def set_up(self, app: Flask) -> None:
        app.extensions[SNS_HOST] = SnsHost(amazon.Host().fetch)

    def body(self, text: str, message: str, account: str, at: datetime, **more: str) -> bytes:
        inbound = json.loads(payloads.load("aws/inbound.json"))
        inbound |= {"messageBody": text, "inboundMessageId": message}
        inbound |= {"originationNumber": more.pop("person", ANA.phone)}
        return amazon.envelope(json.dumps(inbound), at=at, TopicArn=account, **more)

    def sign(self, body: bytes, secret: str, at: datetime) -> Sent:
        return Sent(
            "/hooks/aws/messages",
            amazon.signed(body),
            "text/plain; charset=UTF-8",
            amazon.password(self.token(secret)),
        )


PLAYERS: Final[Mapping[str, Callable[[], Player]]] = {
    "twilio": Twilio,
    "telnyx": Telnyx,
    "aws": Aws,
}


def _private_key(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret.encode().ljust(32, b"."))
