"""Amazon SNS's envelope: its fields, and its signature over some of them. No Flask, no store.

Source: AWS, "HTTP/HTTPS notification JSON format", "HTTP/HTTPS subscription confirmation JSON
format", "Verifying the signatures of Amazon SNS messages".
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509.oid import NameOID

from optout_service.core.errors import BadSignature, Malformed
from optout_service.providers import jsonbody


class Type(StrEnum):
    """What an envelope holds."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    END = "UnsubscribeConfirmation"


_SIGNED: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_TO_CONFIRM: Final = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
)
_HASHES: Final[Mapping[str, HashAlgorithm]] = {"1": SHA1(), "2": SHA256()}
_TOPIC: Final = re.compile(
    r"arn:(aws(?:-cn|-us-gov)?):sns:([a-z]{2}(?:-[a-z]+)+-[0-9]):[0-9]{12}:[A-Za-z0-9_-]{1,256}",
    re.ASCII,
)
_COMMON_NAME: Final = re.compile(r"sns(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of SNS, as it came."""

    type: Type
    message_id: str
    topic: str
    timestamp: str
    certificate_url: str
    fields: Mapping[str, Any]

    @property
    def message(self) -> str:
        """What was published."""
        return jsonbody.text(self.fields, "Message")


def parse(body: bytes) -> Envelope:
    """The envelope in a body. Raises Malformed and TooLarge."""
    fields = jsonbody.parse(body)
    kind = jsonbody.name(fields, "Type")
    if kind not in list(Type):
        raise Malformed("The body of this hook is no message of Amazon SNS.")
    return Envelope(
        type=Type(kind),
        message_id=jsonbody.name(fields, "MessageId"),
        topic=jsonbody.name(fields, "TopicArn"),
        timestamp=jsonbody.name(fields, "Timestamp"),
        certificate_url=jsonbody.name(fields, "SigningCertURL"),
        fields=fields,
    )


def host_of(topic: str) -> str:
    """The name of SNS's own host in a topic's region. Raises BadSignature for what is no topic."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise BadSignature("This message is of no SNS topic.")
    partition, region = found.groups()
    return f"sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"


def is_certificate_of(url: str, host: str) -> bool:
    """Whether a URL is that of a signing certificate on this very host, and nothing besides.

    The whole text is compared: there is no place for a user, a port, a path of another form, or
    whatever else two parsers may read in two ways.
    """
    form = rf"https://{re.escape(host)}/SimpleNotificationService-[0-9a-f]{{32}}\.pem"
    return re.fullmatch(form, url, re.ASCII) is not None


def check_certificate(certificate: x509.Certificate, now: datetime) -> RSAPublicKey:
    """The key of a certificate that is SNS's, and valid at this time. Raises BadSignature."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    key = certificate.public_key()
    if (
        len(names) == 1
        and _COMMON_NAME.fullmatch(str(names[0].value))
        and certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        and isinstance(key, RSAPublicKey)
    ):
        return key
    raise BadSignature("This message is signed under no certificate of Amazon SNS that is valid.")


def verify(envelope: Envelope, key: RSAPublicKey) -> None:
    """Raises BadSignature unless the envelope is signed under this key (version 1 or 2)."""
    algorithm = _HASHES.get(jsonbody.name(envelope.fields, "SignatureVersion"))
    if algorithm is None:
        raise BadSignature("This signature is of a version that is not known here.")
    try:
        signature = b64decode(jsonbody.text(envelope.fields, "Signature"), validate=True)
        key.verify(signature, signed_bytes(envelope), PKCS1v15(), algorithm)
    except (InvalidSignature, NotBase64, ValueError):
        raise BadSignature("The signature of this message is not SNS's.") from None


def signed_bytes(envelope: Envelope) -> bytes:
    """What SNS signs: each name and each value on a line of its own; no line for what is absent."""
    names = _SIGNED if envelope.type is Type.NOTIFICATION else _SIGNED_TO_CONFIRM
    given = ((name, jsonbody.at(envelope.fields, name)) for name in names)
    lines = (f"{name}\n{value}\n" for name, value in given if isinstance(value, str))
    return "".join(lines).encode("utf-8", "replace")
