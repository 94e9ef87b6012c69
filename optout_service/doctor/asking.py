"""A request through the front door, at the public URL, as somebody outside would send it."""

import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from optout_service.doctor.finding import Finding, mend

_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``here``: our own address on that line, as far as it can be told from here;
    ``https_only``: what ``Strict-Transport-Security`` says, "" if it says nothing.
    """

    status: int
    https_only: str
    here: str


def ask(
    subject: str,
    url: str,
    method: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer | Finding:
    """The answer, or why there is none. Raises nothing for what is wrong."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    target = f"{parts.path}?{parts.query}".removesuffix("?")
    try:
        with closing(kind(parts.netloc, timeout=_TIMEOUT_SECONDS)) as line:
            line.connect()
            here = line.sock.getsockname()[0]
            line.request(method, target, body, {"User-Agent": "optout doctor", **(headers or {})})
            answer = line.getresponse()
            answer.read()
            said = answer.getheader("Strict-Transport-Security") or ""
    except ssl.SSLError:
        return mend(
            subject,
            "TLS fails at the public URL. See that its certificate is for that name, has not run "
            "out, comes with its chain, and is one that everybody trusts.",
        )
    except (OSError, HTTPException):
        return mend(
            subject,
            "Nobody answers at the public URL, seen from here. See that the proxy runs, that the "
            "name leads to it, and that this machine may reach it.",
        )
    return Answer(answer.status, said, here)
