"""The tests play Amazon SNS: its envelopes, its key and certificate, and its host."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from optout_service.providers import sns
from tests import payloads

TOPIC: Final = "arn:aws:sns:us-west-2:123456789012:two-way"
CERTIFICATE_URL: Final = json.loads(payloads.load("aws/notification.json"))["SigningCertURL"]
HASHES: Final = {"1": SHA1(), "2": SHA256()}


@cache
def key() -> RSAPrivateKey:
    """SNS's key."""
    return generate_private_key(65537, 2048)


@cache
def another_key() -> RSAPrivateKey:
    """Somebody's who is not SNS."""
    return generate_private_key(65537, 2048)


def certificate(
    name: str = "sns.amazonaws.com", *, since: int = -30, until: int = 30, own: bool = True
) -> bytes:
    """A certificate in PEM; ``since`` and ``until`` in days from now."""
    holder = key() if own else another_key()
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(holder.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=since))
        .not_valid_after(now + timedelta(days=until))
        .sign(holder, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


class Host:
    """SNS's own host, as far as the service calls it; it remembers what it was asked for."""

    def __init__(self, pem: bytes | None = None, *, down: bool = False) -> None:
        self.asked: list[str] = []
        self.pem = certificate() if pem is None else pem
        self.down = down

    def fetch(self, url: str) -> bytes:
        """What stands at a URL."""
        self.asked.append(url)
        if self.down:
            raise TimeoutError
        return self.pem


def envelope(message: str, *, at: datetime, kind: str = "notification", **changes: Any) -> bytes:
    """A recorded envelope around another message, not signed yet."""
    fields = json.loads(payloads.load(f"aws/{kind}.json"))
    if kind == "notification":
        fields["Message"] = message
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(fields | {"Timestamp": stamp} | changes).encode()


def signed(body: bytes, *, own: bool = True) -> bytes:
    """The envelope with its signature; as it is, where it is none."""
    try:
        made = sns.parse(body)
    except Exception:
        return body
    fields = dict(made.fields)
    holder = key() if own else another_key()
    algorithm = HASHES.get(fields["SignatureVersion"], HASHES["1"])
    signature = holder.sign(sns.signed_bytes(made), PKCS1v15(), algorithm)
    return json.dumps(fields | {"Signature": b64encode(signature).decode()}).encode()


def password(secret: str, user: str = "optout") -> dict[str, str]:
    """The header by which SNS gives what stands in the subscription's URL."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"}
