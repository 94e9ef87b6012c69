"""One click at our own public URL, in every form that mail clients send, by a link of nobody's.

The address is at a reserved domain (RFC 2606, 2: .invalid), so that nobody is ever written to
there, and the tenant is the platform: no tenant's ledger, feed or figures have anything of it. The
opt-out is not taken back. To write down that its owner came back would be untrue, and it hurts
nobody; the next self-test finds it standing, and writes only that it was said again.
"""

import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from optout_service.core.address import Address
from optout_service.core.policy import PLATFORM
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.doctor.finding import Finding, mend, ok
from optout_service.runtime import Runtime
from optout_service.store import chain, feed

ADDRESS: Final = Address.parse(Kind.EMAIL, "self-test@optout.invalid")

_TIMEOUT_SECONDS: Final = 10
_MANY: Final = 10_000
_FORM: Final = "application/x-www-form-urlencoded"
_PARTS: Final = "multipart/form-data; boundary=optout"


@dataclass(frozen=True, slots=True)
class _Click:
    """A request, and whether it has to be written down."""

    name: str
    method: str
    content_type: str = ""
    body: bytes | None = None
    acts: bool = True


_CLICKS: Final = (
    _Click("form", "POST", _FORM, b"List-Unsubscribe=One-Click"),
    _Click(
        "multipart",
        "POST",
        _PARTS,
        b'--optout\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
        b"One-Click\r\n--optout--\r\n",
    ),
    _Click("bare", "POST", body=b""),
    _Click("HEAD", "HEAD", acts=False),
)


def examine(rt: Runtime) -> Iterator[Finding]:
    """A finding for each form (RFC 8058, 3.1 and 3.2). Raises StoreUnavailable."""
    token = rt.links.mint(Claim(PLATFORM, "email", ADDRESS, message="optout-doctor"))
    url = f"{rt.settings.public_url}/u/{token}"
    for click in _CLICKS:
        before = _position(rt)
        subject = f"one click, {click.name}"
        try:
            status = _ask(url, click)
        except ssl.SSLError:
            yield mend(
                subject,
                "TLS fails at the public URL. See that its certificate is for that name, has not "
                "run out, comes with its chain, and is one that everybody trusts.",
            )
        except (OSError, HTTPException):
            yield mend(
                subject,
                "Nobody answers at the public URL, seen from here. See that the proxy runs, that "
                "the name leads to it, and that this machine may reach it.",
            )
        else:
            yield _judged(subject, click, status, _recorded_after(rt, before))


def _judged(subject: str, click: _Click, status: int, recorded: bool) -> Finding:
    if 300 <= status < 400:
        return mend(
            subject,
            f"It is redirected ({status}), which RFC 8058, 3.1 forbids: a POST would become a GET, "
            "and the opt-out be lost. Let the proxy pass /u/ on as it comes.",
        )
    if status != 200:
        return mend(
            subject,
            f"It is answered with {status}. If our log has no line of it, the proxy or a firewall "
            "refuses it: let /u/ through, with any method, media type and body, without a cookie.",
        )
    if click.acts and not recorded:
        return mend(
            subject,
            "It is answered with 200, and nothing is written down here: another service, a cache, "
            "or one with another database answers at OPTOUT_PUBLIC_URL.",
        )
    if not click.acts and recorded:
        return mend(subject, "A look wrote something down, which only a POST may do.")
    return ok(subject, "Answered and written down." if click.acts else "Answered, nothing changed.")


def _ask(url: str, click: _Click) -> int:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"User-Agent": "optout doctor"}
    if click.content_type:
        headers["Content-Type"] = click.content_type
    with closing(kind(parts.netloc, timeout=_TIMEOUT_SECONDS)) as connection:
        connection.request(click.method, parts.path, click.body, headers)
        return connection.getresponse().status


def _position(rt: Runtime) -> int:
    with rt.reading() as connection:
        return chain.position(connection, PLATFORM).seq


def _recorded_after(rt: Runtime, number: int) -> bool:
    with rt.reading() as connection:
        events = feed.page(connection, PLATFORM, after=number, limit=_MANY, keys=rt.keys)
    return any(event.address == ADDRESS for event in events)
