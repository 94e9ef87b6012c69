"""Does the signature of a captured request hold, and if not, why? The causes are tried.

Twilio signs the URL it called and the form it sent (see ``twilio``). Whatever stands between it and
us may change either: each change is undone here, alone and in pairs, until a signature fits.
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import SplitResult, urlsplit

from werkzeug.datastructures import Headers

from optout_service.core.errors import BadSignature
from optout_service.providers import distortions, twilio
from optout_service.providers.captured import Captured
from optout_service.providers.dialect import signed_url
from optout_service.providers.distortions import Fields

_SETTINGS: Final = "X-Twilio-Webhooks-Signature-Settings"
_NEWER: Final = "key=unknown,algorithm=HMAC_SHA256"

MENDS: Final = {
    "no signature": "The request carries no X-Twilio-Signature. Let the proxy pass that header on; "
    "if it never came, this is not from Twilio.",
    "scheme": "Twilio called http where this says https, or the other way round. Begin "
    "OPTOUT_PUBLIC_URL with the scheme that is set at Twilio.",
    "port": "Twilio called another port. Put the port that is set at Twilio into "
    "OPTOUT_PUBLIC_URL, or leave it out there and here.",
    "host": "Twilio called another host. Set OPTOUT_PUBLIC_URL to the host that is set at Twilio.",
    "credentials": "The URL that is set at Twilio holds a user and a password. Put them into "
    "OPTOUT_PUBLIC_URL too.",
    "path prefix": "A proxy added or took away the beginning of the path. End OPTOUT_PUBLIC_URL "
    "with that prefix, or let the proxy pass the path on as it came.",
    "trailing slash": "The path ends with a slash at Twilio and without one here, or the other way "
    "round. Write it the same at Twilio, and let no proxy redirect it.",
    "decoded URL": "A proxy or a framework decoded the URL. Let it pass the URL on as it came.",
    "query order": "A proxy sorted the query. Let it pass the query on as it came.",
    "added query": "Something added to the query after Twilio had signed it. Take that away.",
    "dropped query": "The query is gone, and with it the hash of the body (bodySHA256). Let the "
    "proxy pass the query on.",
    "dropped blank field": "Blank fields are gone, and they are signed too. Keep them: parse_qs "
    "needs keep_blank_values, and proxies must not rewrite the body.",
    "added field": "A field was added to the form after Twilio had signed it. Take it away.",
    "trimmed whitespace": "White space at the ends of a field is gone. Pass the form on untrimmed.",
    "plus decoded twice": "A plus sign came out as a space: the form was decoded twice.",
    "line ends": "The ends of lines were changed. Pass the body on as it came.",
    "character set": "The form was read in another character set. It is UTF-8.",
    "algorithm": "It is signed by HMAC-SHA256, and the header that says so is gone: let the proxy "
    "pass X-Twilio-Webhooks-Signature-Settings on.",
    "unproven body": "The body is no form, and the URL carries no bodySHA256: nothing speaks for "
    "it. Twilio adds that to the URL; let the proxy pass the query on.",
    "changed body": "The body is not the one whose hash the URL carries. Pass it on byte for byte.",
    "token": "No token that was tried has signed this, whatever may have happened on the way. Most "
    "likely the token is another account's, or was replaced at Twilio: give the primary auth token "
    "of the account that the request names.",
}
"""What to do, by cause. No text here names a value of the request."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``holds``: the service takes the request as it is. ``token``: the place of the one that fits.

    ``causes``: else what has to be undone for it to fit, in the words of ``MENDS``; none if holds.
    """

    holds: bool
    token: int | None
    causes: tuple[str, ...] = ()


def diagnose(captured: Captured, tokens: Sequence[str], public_url: str = "") -> Finding:
    """Check a request as the service would, then look for what would make it fit.

    ``public_url``: what the service takes its own URL to be; else the captured one stands. Takes a
    second at most. Raises nothing: what cannot be read does not hold.
    """
    if not captured.headers.get("X-Twilio-Signature"):
        return Finding(False, None, ("no signature",))
    url = _as_served(captured, public_url)
    fields = captured.fields
    try:
        return Finding(True, twilio.verify(url, fields, captured.body, captured.headers, tokens))
    except BadSignature:
        pass
    for causes, candidate, as_sent, headers in _candidates(captured, url, fields):
        if (place := _signer(candidate, as_sent, headers, tokens)) is not None:
            return Finding(False, place, causes)
    return Finding(False, None, ("token",))


def _as_served(captured: Captured, public_url: str) -> str:
    if not public_url or captured.url.startswith(public_url):
        return captured.url
    return signed_url(public_url, captured.url)


def _candidates(
    captured: Captured, url: str, fields: Fields
) -> Iterator[tuple[tuple[str, ...], str, Fields, Headers]]:
    """What Twilio may have signed, the likelier first, each with what then went wrong."""
    newer = Headers([*captured.headers, (_SETTINGS, _NEWER)])
    parts = urlsplit(url)
    body_faults = _body_faults(captured, parts)
    yield body_faults, url, fields, captured.headers
    yield ("algorithm",), url, fields, newer
    elsewhere = list(distortions.origins(parts, _hosts(captured), _credentials(captured.headers)))
    for faults, moved in elsewhere:
        for path_faults, by_path in distortions.paths(moved, _prefixes(captured)):
            causes = (*faults, *path_faults, *body_faults)
            yield causes, by_path.geturl(), fields, captured.headers
    sent = list(distortions.fields_as_sent(fields))
    for field_faults, as_sent in sent:
        yield field_faults, url, as_sent, captured.headers
    for faults, moved in elsewhere:
        for query_faults, by_query in distortions.queries(moved):
            yield (*faults, *query_faults), by_query.geturl(), fields, captured.headers
        if not captured.is_form and captured.body:
            yield (*faults, "dropped query"), _hashed(moved, captured.body), fields, newer
            yield (
                (*faults, "dropped query"),
                _hashed(moved, captured.body),
                fields,
                captured.headers,
            )
        if len(faults) == 1:
            for field_faults, as_sent in sent:
                yield (*faults, *field_faults), moved.geturl(), as_sent, captured.headers


def _signer(url: str, fields: Fields, headers: Headers, tokens: Sequence[str]) -> int | None:
    try:
        return twilio.signer(url, fields, headers, tokens)
    except BadSignature:
        return None


def _body_faults(captured: Captured, parts: SplitResult) -> tuple[str, ...]:
    """What is wrong with a body that its URL is to speak for."""
    if "bodySHA256=" in parts.query:
        proven = sha256(captured.body).hexdigest() in parts.query.lower()
        return () if proven else ("changed body",)
    return () if captured.is_form or not captured.body else ("unproven body",)


def _hashed(parts: SplitResult, body: bytes) -> str:
    return parts._replace(query=f"bodySHA256={sha256(body).hexdigest()}").geturl()


def _hosts(captured: Captured) -> list[str]:
    names = ("Host", "X-Forwarded-Host", "X-Original-Host")
    hosts = [urlsplit(captured.url).netloc.rpartition("@")[2]]
    hosts += [captured.headers.get(name, "").partition(",")[0].strip() for name in names]
    port = captured.headers.get("X-Forwarded-Port", "")
    hosts += [f"{host}:{port}" for host in hosts if host and port.isdecimal() and ":" not in host]
    return list(dict.fromkeys(filter(None, hosts)))


def _prefixes(captured: Captured) -> list[str]:
    names = ("X-Forwarded-Prefix", "X-Forwarded-Path", "X-Script-Name")
    found = [captured.headers.get(name, "") for name in names]
    before, hooks, _ = urlsplit(captured.url).path.partition("/hooks/")
    return [prefix for prefix in (*found, before if hooks else "") if prefix.startswith("/")]


def _credentials(headers: Headers) -> str:
    kind, _, encoded = headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""
