"""The proof at the provider's door: Twilio's signature over the public URL and the whole body."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import request

from optout_service.core.errors import BadSignature
from optout_service.providers import twilio
from optout_service.store import senders
from optout_service.web import Proof, runtime


@dataclass(frozen=True, slots=True)
class Hook:
    """A genuine request of a provider, and the tenants for whom its signature speaks.

    An account can be shared. A token proves a hook only for the tenants that gave it to us: else
    one tenant could register another's account with a token of its own making, and speak for it.
    """

    account: str
    tenants: tuple[int, ...]
    inbound: twilio.Inbound


def _signed_by_twilio() -> Hook:
    """Raises BadSignature for whatever is not proven, and reads nothing else of it."""
    rt = runtime()
    # Read whole before it is taken apart: bodySHA256 speaks of these very bytes.
    body = request.get_data()
    account = request.form.get("AccountSid", "")
    with rt.reading() as connection:
        known = senders.accounts(connection, "twilio", account, keys=rt.keys)
    tenants = tuple(row.tenant for row in known if _signed_with(row.tokens, body))
    if not tenants:
        raise BadSignature("The signature of this request is not valid for its account.")
    return Hook(account, tenants, twilio.parse_inbound(request.form))


def _signed_with(tokens: Sequence[str], body: bytes) -> bool:
    try:
        twilio.verify(
            twilio.signed_url(runtime().settings.public_url, _raw_target()),
            request.form,
            body,
            request.headers,
            tokens,
        )
    except BadSignature:
        return False
    return True


def _raw_target() -> str:
    """The request target as it came over the wire: the decoded path would not match (%27, %7E).

    gunicorn keeps it as RAW_URI, other servers as REQUEST_URI.
    """
    target: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    return target or request.full_path.removesuffix("?")


TWILIO: Final = Proof("Twilio's signature", _signed_by_twilio)
