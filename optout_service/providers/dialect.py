"""What a provider's file says of its hooks: how one is read, and how it is proven.

``hooks`` does the rest, alike for all of them. No dialect knows Flask or the store.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol
from urllib.parse import urlsplit

from optout_service.providers.inbound import Answers, Told


class Fields(Protocol):
    """Fields by name."""

    def get(self, key: str, default: str, /) -> str: ...


class Parameters(Fields, Protocol):
    """Form fields that may repeat, as Werkzeug's MultiDict has them."""

    def getlist(self, key: str, /) -> list[str]: ...
    def __iter__(self) -> Iterator[str]: ...


class Headers(Protocol):
    """Header fields by name, in any case."""

    def get(self, key: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """A hook's request as it came over the wire; nothing of it is proven.

    ``url``: by ``signed_url``. ``form``: its fields, none where the
    body is no form. ``query``: those of the URL. ``at``: when it came; aware, UTC.
    """

    url: str
    headers: Headers
    body: bytes
    form: Parameters
    query: Fields
    at: datetime


@dataclass(frozen=True, slots=True)
class Unproven(Generic[Told]):
    """Whom a request says it is from, and how to find out.

    ``account``: whose tokens are to be tried. ``signer`` gives the place, among a tenant's tokens,
    newest first, of the one that proves the request; it raises BadSignature, or Stale for one that
    is proven and too old. ``told`` reads what it says, once it is proven; it raises Malformed.
    """

    account: str
    signer: Callable[[Sequence[str]], int]
    told: Callable[[], Told]


@dataclass(frozen=True, slots=True)
class Dialect(Generic[Told]):
    """One kind of hook of one provider.

    ``media_types``: of the bodies that it sends; None: any, and the signature is to tell. ``read``
    takes a request apart as far as need be to prove it. It raises Malformed and TooLarge.
    """

    provider: str
    media_types: frozenset[str] | None
    answers: Answers
    read: Callable[[Request], Unproven[Told]]


def signed_url(public_url: str, raw_target: str) -> str:
    """What a provider signed: our public base, then path and query as they came on the wire.

    ``raw_target``: the undecoded request target, in origin or absolute form (RFC 9112, 3.2).
    """
    if not raw_target.startswith("/"):
        parts = urlsplit(raw_target)
        raw_target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return f"{public_url}{raw_target}"
