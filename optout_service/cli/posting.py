"""Posts recorded requests with fresh signatures, as Twilio would: for ``optout twilio replay``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

from werkzeug.datastructures import Headers

from optout_service.core.errors import InvalidRequest
from optout_service.providers import twilio
from optout_service.providers.captured import FORM, Captured
from optout_service.providers.dialect import signed_url

_TIMEOUT_SECONDS: Final = 15
"""As long as Twilio itself waits."""
_MOST_SHOWN: Final = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said."""

    status: int
    body: str


def require_ours(to: str, public_url: str, *, yes: bool) -> None:
    """Raises InvalidRequest for what is no http URL, or, without ``yes``, for a host not ours."""
    try:
        parts = urlsplit(to)
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        raise InvalidRequest("--to is a URL such as http://127.0.0.1:8000.", field="to")
    if not yes and not is_loopback(to) and _origin(parts) != _origin(urlsplit(public_url)):
        raise InvalidRequest(
            "--to is neither this machine nor OPTOUT_PUBLIC_URL. What is posted is recorded there "
            "as a recipient's own act; add --yes if that is meant.",
            field="to",
        )


def is_loopback(to: str) -> bool:
    """Whether a URL stays on this machine."""
    host = urlsplit(to).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def recorded(files: Sequence[Path], changes: Mapping[str, str]) -> Iterator[tuple[str, Captured]]:
    """The requests in these files, each with where it stood; ``changes`` are made to forms.

    Raises Malformed for a line that is no captured request.
    """
    for path in files:
        content = path.read_bytes()
        if not content.lstrip().startswith(b"{"):
            body = Captured("POST", "", Headers({"Content-Type": FORM}), content.strip())
            yield path.name, _changed(body, changes)
            continue
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield f"{path.name}:{number}", _changed(Captured.parse(line), changes)


def post(request: Captured, to: str, signed_as: str, token: str) -> Answer:
    """Send one request to ``to``, signed anew; ``signed_as`` is the base URL that is signed, if
    that is another.

    Raises InvalidRequest when nobody answers there.
    """
    url = _hashed(_target(request, to), request)
    signed = signed_url(signed_as, url) if signed_as else url
    headers = {
        "Content-Type": request.headers.get("Content-Type", FORM),
        "X-Twilio-Signature": twilio.sign(token, signed, request.fields),
    }
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        line.request("POST", f"{parts.path}?{parts.query}".removesuffix("?"), request.body, headers)
        answer = line.getresponse()
        body = answer.read(_MOST_SHOWN).decode("utf-8", "replace")
    except (OSError, HTTPException):
        raise InvalidRequest("Nobody answers at the URL of --to.", field="to") from None
    finally:
        line.close()
    return Answer(answer.status, body)


def _target(request: Captured, to: str) -> str:
    """``to`` itself where it names a hook, else with the path that the request has or needs."""
    if "/hooks/" in urlsplit(to).path:
        return to
    parts = urlsplit(request.url)
    path = f"{parts.path}?{parts.query}".removesuffix("?") if request.url else _path(request)
    return f"{to.rstrip('/')}{path}"


def _path(request: Captured) -> str:
    fields = request.fields
    if "CallSid" in fields:
        return "/hooks/twilio/voice"
    return "/hooks/twilio/status" if "MessageStatus" in fields else "/hooks/twilio/messages"


def _changed(request: Captured, changes: Mapping[str, str]) -> Captured:
    if not changes or not request.is_form:
        return request
    kept = [(name, changes.get(name, was)) for name, was in request.fields.items(multi=True)]
    kept += [(name, changes[name]) for name in changes if name not in dict(kept)]
    return Captured(request.method, request.url, request.headers, urlencode(kept).encode())


def _hashed(url: str, request: Captured) -> str:
    """The URL with the hash of a body that is no form, as Twilio adds it."""
    if request.is_form or not request.body:
        return url
    parts = urlsplit(url)
    others = [part for part in parts.query.split("&") if part and "bodySHA256=" not in part]
    query = "&".join((*others, f"bodySHA256={sha256(request.body).hexdigest()}"))
    return parts._replace(query=query).geturl()


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return (
        parts.scheme,
        parts.hostname or "",
        parts.port or (443 if parts.scheme == "https" else 80),
    )
