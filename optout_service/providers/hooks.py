"""The proof at the provider's door, the same for every provider: what is not proven is not read.

A provider's own part is its ``Dialect``; which of them stands behind which path is said in the
table of this face.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote_to_bytes

from flask import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from optout_service.core.errors import (
    BadSignature,
    Malformed,
    OptOutError,
    Stale,
    TooLarge,
    UnsupportedMediaType,
)
from optout_service.providers.dialect import Dialect, Request, Unproven, signed_url
from optout_service.providers.inbound import Hook, Told
from optout_service.providers.jsonbody import MOST_FIELDS
from optout_service.providers.sns_host import SnsHost
from optout_service.store import senders
from optout_service.store.senders import Account
from optout_service.web import Proof, runtime

SNS_HOST: Final = "optout_sns_host"
"""Where among the application's extensions Amazon's side of SNS is reached."""

_log = logging.getLogger(__name__)


def proven(name: str, dialect: Dialect[Told]) -> Proof:
    """The proof of one kind of hook; the view gets what it tells, and for whom it is proven."""

    def check() -> Hook[Told]:
        with _counted(dialect.provider):
            unproven = dialect.read(_received(dialect))
            tenants = _tenants(dialect.provider, unproven)
            return Hook(tenants, unproven.told(), dialect.answers)

    return Proof(name, check)


@contextmanager
def _counted(provider: str) -> Iterator[None]:
    """Count a refusal for its form. ``_tenants`` counts those of its proof."""
    try:
        yield
    except (RequestEntityTooLarge, TooLarge):
        runtime().metrics.hook_refused(provider, "size")
        raise
    except (Malformed, UnsupportedMediaType):
        runtime().metrics.hook_refused(provider, "form")
        raise


def _received(dialect: Dialect[Told]) -> Request:
    """The request, read whole before it is taken apart: what is signed are these very bytes.

    Raises UnsupportedMediaType, TooLarge for too many fields, Malformed for a form that is not
    UTF-8.
    """
    if dialect.media_types is not None and request.mimetype not in dialect.media_types:
        raise UnsupportedMediaType(
            f"The body of this hook is of type {' or '.join(sorted(dialect.media_types))}."
        )
    body = request.get_data()
    if request.mimetype == "application/x-www-form-urlencoded":
        _check_form(body)
    rt = runtime()
    return Request(
        url=signed_url(rt.settings.public_url, _raw_target()),
        headers=request.headers,
        body=body,
        form=request.form,
        query=request.args,
        at=rt.now(),
    )


def _check_form(body: bytes) -> None:
    if body.count(b"&") >= MOST_FIELDS:
        raise TooLarge(f"A hook has at most {MOST_FIELDS} fields.")
    try:
        unquote_to_bytes(body).decode()
    except UnicodeDecodeError:
        raise Malformed("The fields of this hook are not UTF-8.") from None


def _tenants(provider: str, unproven: Unproven[Told]) -> tuple[int, ...]:
    """The tenants for whom this request is proven.

    Raises BadSignature or Stale for whatever is not, and reads nothing else of it.
    """
    rt = runtime()
    with rt.reading() as connection:
        known = senders.accounts(connection, provider, unproven.account, keys=rt.keys)
    refusals: list[OptOutError] = []
    tenants = []
    for row in known:
        try:
            _note_place(row, unproven.signer(row.tokens))
        except (BadSignature, Stale) as refusal:
            refusals.append(refusal)
        else:
            tenants.append(row.tenant)
    if not tenants:
        raise _refused(provider, refusals)
    return tuple(tenants)


def _refused(provider: str, refusals: list[OptOutError]) -> OptOutError:
    stale = next((one for one in refusals if isinstance(one, Stale)), None)
    why = "stale" if stale else "signature" if refusals else "account"
    runtime().metrics.hook_refused(provider, why)
    # An alert: with a wrong URL or token every STOP is lost, and nobody else notices.
    _log.warning(
        "a hook was refused",
        extra={"provider": provider, "account_known": bool(refusals), "why": why},
    )
    return stale or BadSignature("The signature of this request is not valid for its account.")


def _note_place(known: Account, place: int) -> None:
    if place > 0:
        # A provider signs with its newest secret alone: the newest that we have is not in use yet,
        # or an old one is in other hands.
        _log.warning(
            "a hook was signed with an old token",
            extra={"provider": known.provider, "account": known.account},
        )


def _raw_target() -> str:
    """The request target as it came over the wire: the decoded path would not match (%27, %7E).

    gunicorn keeps it as RAW_URI, other servers as REQUEST_URI.
    """
    target: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    return target or request.full_path.removesuffix("?")


def sns_host() -> SnsHost:
    """Amazon's side of SNS, for this application."""
    host: SnsHost = current_app.extensions[SNS_HOST]
    return host


NOBODY: Final = Proof("none: knows nobody and stores nothing", lambda: None)
