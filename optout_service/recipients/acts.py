"""Writing down what was done by a link: who, what, in which form, and no more than is needed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from optout_service.core.errors import BadToken, NotFound
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.scope import Scope
from optout_service.recipients.link import Visit
from optout_service.runtime import Connection, Runtime
from optout_service.store.ledger import Outcome

_LONGEST_IP: Final = 45
"""Characters of an IPv6 address that holds an IPv4 one (RFC 4291, 2.2)."""


@dataclass(frozen=True, slots=True)
class Act:
    """What to write down: the scope, where it came from, and in which form of body.

    ``action`` and ``undoes`` are those of the evidence.
    """

    scope: Scope
    source: Source
    form: str
    action: Action = Action.OPT_OUT
    undoes: int | None = None


@contextmanager
def writing(rt: Runtime, visit: Visit) -> Iterator[Connection]:
    """A transaction for the acts of one visit. When the block has ended, they are on the disk.

    Raises BadToken for a link to a tenant that is gone, and StoreUnavailable.
    """
    try:
        with rt.writing(visit.claim.tenant) as connection:
            yield connection
    except NotFound:
        raise BadToken("This link leads to nobody.") from None


def record(rt: Runtime, visit: Visit, act: Act, environ: Mapping[str, Any]) -> Outcome:
    """Write one act down. When this returns it is on the disk. Raises as ``writing`` does."""
    with writing(rt, visit) as connection:
        return write(rt, connection, visit, act, environ)


def write(
    rt: Runtime, connection: Connection, visit: Visit, act: Act, environ: Mapping[str, Any]
) -> Outcome:
    """Write an act down in a transaction of ``writing``.

    ``environ``: the WSGI environment of the request, for the traces that are kept of it.
    """
    evidence = Evidence(
        tenant=visit.claim.tenant,
        action=act.action,
        address=visit.claim.address,
        scope=act.scope,
        source=act.source,
        authority=Authority.RECIPIENT_PAGE,
        actor="recipient",
        private={"message": visit.claim.message, "body_form": act.form}
        | _traces(environ, rt.settings.proxies),
        undoes=act.undoes,
    )
    return rt.record(connection, evidence)


def is_private(environ: Mapping[str, Any]) -> bool:
    """Whether somebody asks not to be tracked (DNT, Sec-GPC)."""
    return environ.get("HTTP_DNT") == "1" or environ.get("HTTP_SEC_GPC") == "1"


def _traces(environ: Mapping[str, Any], proxies: int) -> dict[str, str]:
    """Who asks not to be tracked leaves no more than the act itself."""
    if is_private(environ):
        return {}
    return {
        "ip": _client(environ, proxies),
        "user_agent": environ.get("HTTP_USER_AGENT", "")[:300],
    }


def _client(environ: Mapping[str, Any], proxies: int) -> str:
    """Who called the outermost of our proxies: what stands left of their own entries is hearsay."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < proxies <= len(forwarded) and (named := forwarded[-proxies].strip()):
        return str(named)[:_LONGEST_IP]
    return environ.get("REMOTE_ADDR") or ""
