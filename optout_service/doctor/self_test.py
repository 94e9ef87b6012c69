"""One click at our own public URL, in every form that mail clients send, by a link of nobody's.

The address is at a reserved domain (RFC 2606, 2: .invalid), so that nobody is ever written to
there, and the tenant is the platform: no tenant's ledger, feed or figures have anything of it. The
opt-out is not taken back. To write down that its owner came back would be untrue, and it hurts
nobody; the next self-test finds it standing, and writes only that it was said again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from optout_service.core.address import Address
from optout_service.core.policy import PLATFORM
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.doctor import front
from optout_service.doctor.asking import Answer, ask
from optout_service.doctor.finding import Finding, mend, ok
from optout_service.runtime import Runtime
from optout_service.store import chain, feed

ADDRESS: Final = Address.parse(Kind.EMAIL, "self-test@optout.invalid")

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
    """A finding for each form (RFC 8058, 3.1 and 3.2), then for the proxies that it came through.

    Raises StoreUnavailable.
    """
    token = rt.links.mint(Claim(PLATFORM, "email", ADDRESS, message="optout-doctor"))
    url = f"{rt.settings.public_url}/u/{token}"
    through: tuple[Answer, str] | None = None
    for click in _CLICKS:
        before = _position(rt)
        subject = f"one click, {click.name}"
        headers = {"X-Forwarded-For": front.INVENTED}
        if click.content_type:
            headers["Content-Type"] = click.content_type
        answer = ask(subject, url, click.method, click.body, headers)
        if isinstance(answer, Finding):
            yield answer
            continue
        written = _written_after(rt, before)
        yield _judged(subject, click, answer.status, written is not None)
        if written is not None:
            through = answer, written.evidence.get("ip", "")
    if through is not None:
        yield from front.examine(rt.settings, *through)


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


def _position(rt: Runtime) -> int:
    with rt.reading() as connection:
        return chain.position(connection, PLATFORM).seq


def _written_after(rt: Runtime, number: int) -> feed.Event | None:
    """What was written down of us since, with its evidence."""
    with rt.reading() as connection:
        found = feed.history(connection, PLATFORM, ADDRESS, rt.keys, after=number, limit=1)
    return found[0] if found else None
