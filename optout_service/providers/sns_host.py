"""Amazon's side of SNS, as far as we call it: its signing certificates, and to say that we listen.

The one place that calls out while a hook waits. It is reached only by who has the password of the
subscription; it calls nothing but ``https://sns.<region>.amazonaws.com`` of a topic that a tenant
has registered; it follows no redirect; and no transaction is open meanwhile.
"""

import ssl
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from optout_service.core.errors import BadSignature, ProviderUnavailable
from optout_service.providers import sns

TIMEOUT: Final = 5
"""Seconds. SNS waits for fifteen, and comes again after a 503."""

MOST_BYTES: Final = 65_536
MOST_CERTIFICATES: Final = 16
"""There is one a region, and a new one about once a year."""

Fetch = Callable[[str], bytes]


class SnsHost:
    """Certificates are kept for the life of the process, so that one is fetched once."""

    def __init__(self, fetch: Fetch | None = None) -> None:
        """``fetch`` gives the body of a 200; it raises OSError or HTTPException for all else."""
        self._fetch = fetch or fetched
        self._certificates: dict[str, x509.Certificate] = {}

    def key(self, envelope: sns.Envelope, now: datetime) -> RSAPublicKey:
        """The public key under which an envelope says that it is signed.

        Raises BadSignature where its certificate is none of SNS's or not valid now,
        ProviderUnavailable where it could not be fetched: then SNS is to come again.
        """
        url = envelope.certificate_url
        if not sns.is_certificate_of(url, sns.host_of(envelope.topic)):
            raise BadSignature("The certificate of this message is not on SNS's own host.")
        certificate = self._certificates.get(url)
        if certificate is None:
            certificate = self._certificate(url)
            if len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = certificate
        return sns.check_certificate(certificate, now)

    def confirm(self, topic: str, token: str) -> None:
        """Say that we want what is published to a topic. Again, nothing changes.

        The URL is made here; the one in the message is not followed. Raises ProviderUnavailable.
        """
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
        self._get(f"https://{sns.host_of(topic)}/?{query}")

    def _certificate(self, url: str) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificate(self._get(url))
        except ValueError:
            raise ProviderUnavailable("What SNS gave for its certificate is none.") from None

    def _get(self, url: str) -> bytes:
        try:
            return self._fetch(url)
        except (OSError, HTTPException):
            raise ProviderUnavailable("SNS's own host could not be reached.") from None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None: a redirect is an error like any other status than 200."""


def fetched(url: str) -> bytes:
    """The body of a 200. Raises OSError or HTTPException for all else, and for one too long."""
    opener = build_opener(_NoRedirect, HTTPSHandler(context=ssl.create_default_context()))
    with opener.open(url, timeout=TIMEOUT) as answer:
        body: bytes = answer.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise OSError("more than a certificate")
    return body
