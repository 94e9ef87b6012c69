"""Who calls: an API key, its role, and the tenant for which it acts."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, Final, cast

from flask import current_app, request

from optout_service.api.limits import Limits
from optout_service.api.use import KeyUse
from optout_service.core.errors import InvalidRequest, NotFound, NotPermitted, Unauthenticated
from optout_service.core.evidence import Authority
from optout_service.core.policy import PLATFORM
from optout_service.store import keys, tenants
from optout_service.store.keys import Role
from optout_service.store.tenants import Tenant
from optout_service.web import Proof, runtime

TENANT_HEADER: Final = "Optout-Tenant"


class Permission(StrEnum):
    """What a key may be allowed to do, in the words of the contract."""

    CHECK = "check"
    LINKS = "mint links"
    LINK_KEY = "take the link key"
    RECORD = "record opt-outs and opt-ins"
    IMPORT = "import lists"
    CLEARANCES = "verify clearances"
    FEED = "read the feed"
    SUPPRESSIONS = "read suppressions"
    REPLICATE = "keep a replica"
    LOOKUP = "look a recipient up"
    EVIDENCE = "read evidence"
    ERASE = "erase a recipient"
    HOLDS = "legal holds"
    CHECKPOINTS = "read checkpoints"
    STATS = "read counts"
    TENANTS = "tenants"
    TENANT = "the tenant itself"
    TOPICS = "topics"
    SENDERS = "senders and provider accounts"
    KEYS = "API keys"
    TEXTS = "texts"
    CLEAR_ADDRESSES = "addresses in clear"
    REVIEWS = "read reviews"
    DECIDE = "decide reviews"


MAY: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.SENDER: frozenset({Permission.CHECK, Permission.LINKS, Permission.CLEARANCES}),
    Role.INTEGRATION: frozenset(
        {
            Permission.CHECK,
            Permission.LINKS,
            Permission.CLEARANCES,
            Permission.RECORD,
            Permission.IMPORT,
            Permission.FEED,
            Permission.SUPPRESSIONS,
            Permission.REPLICATE,
            Permission.STATS,
            Permission.CLEAR_ADDRESSES,
        }
    ),
    Role.AGENT: frozenset(
        {
            Permission.CLEARANCES,
            Permission.RECORD,
            Permission.LOOKUP,
            Permission.EVIDENCE,
            Permission.ERASE,
            Permission.STATS,
            Permission.REVIEWS,
            Permission.DECIDE,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.CLEARANCES,
            Permission.FEED,
            Permission.SUPPRESSIONS,
            Permission.EVIDENCE,
            Permission.CHECKPOINTS,
            Permission.STATS,
            Permission.REVIEWS,
        }
    ),
    Role.ADMIN: frozenset(Permission) - {Permission.TENANTS},
    Role.PLATFORM: frozenset(Permission),
}
"""The one table of who may do what."""

_AUTHORITY: Final[Mapping[Role, Authority]] = {
    Role.INTEGRATION: Authority.INTEGRATION,
    Role.AGENT: Authority.AGENT,
    Role.ADMIN: Authority.ADMIN,
    Role.PLATFORM: Authority.PLATFORM,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A valid key, and the tenant (number and slug) for which it acts this time.

    Nothing in it can ever change but its validity, which is why it may be remembered where the
    statement that answers proves the validity itself.
    """

    api_key: int
    tenant: int
    slug: str
    role: Role

    @property
    def actor(self) -> str:
        """Who acted, as the ledger names it."""
        return f"key:{self.api_key}"

    @property
    def authority(self) -> Authority:
        """On whose word its acts rest. Only for roles that may record."""
        return _AUTHORITY[self.role]

    def may(self, permission: Permission) -> bool:
        """Whether the role has this permission."""
        return permission in MAY[self.role]


class Remembered:
    """The callers seen last, by keyed hash of the secret and the tenant named; bounded."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._callers: OrderedDict[tuple[bytes, str | None], Caller] = OrderedDict()
        self._lock = Lock()

    def find(self, digest: bytes, named: str | None) -> Caller | None:
        """The caller of this key, valid or not by now, or None."""
        with self._lock:
            found = self._callers.get((digest, named))
            if found is not None:
                self._callers.move_to_end((digest, named))
            return found

    def put(self, digest: bytes, named: str | None, caller: Caller) -> None:
        """Remember a caller that was proven just now."""
        with self._lock:
            self._callers[digest, named] = caller
            if len(self._callers) > self._most:
                self._callers.popitem(last=False)


def key(permission: Permission, *, heavy: bool = False) -> Proof:
    """The proof that a key is valid now and its role may do this; the view gets the Caller.

    ``heavy``: whether a request takes so long that it has a limit of its own. It raises
    Unauthenticated (no key, none of ours, revoked, expired), NotFound (a tenant that is not there,
    or not this key's), NotPermitted or TooMany. The key is read from the store each time.
    """
    return _proof(permission, _read, heavy)


def key_for_checks(permission: Permission, *, heavy: bool = False) -> Proof:
    """As ``key``, without a read for a key seen before.

    Only for views that ask through ``Runtime.check`` or ``check_many`` with this caller's key:
    their statement refuses a key that has been revoked or has expired since.
    """
    return _proof(permission, _remembered, heavy)


def _proof(permission: Permission, find: Callable[[str, str | None], Caller], heavy: bool) -> Proof:
    def check(**_: Any) -> Caller:
        caller = find(_secret(), request.headers.get(TENANT_HEADER))
        if permission not in MAY[caller.role]:
            raise _not_permitted(permission)
        limits = cast(Limits, current_app.extensions["optout_limits"])
        limits.take(caller.api_key, request.environ, heavy=heavy)
        cast(KeyUse, current_app.extensions["optout_key_use"]).note(caller.api_key)
        return caller

    return Proof(f"API key: {permission}", check)


def roles_that(permission: Permission) -> list[str]:
    """The roles that have a permission."""
    return [role.value for role in Role if permission in MAY[role]]


def own_tenant(caller: Caller) -> int:
    """The tenant that is being set up. Raises InvalidRequest for the platform, which sends nothing.

    A platform key acts for the platform unless it names a tenant.
    """
    if caller.tenant == PLATFORM:
        raise InvalidRequest(f"Name the tenant in the header {TENANT_HEADER}.", field=TENANT_HEADER)
    return caller.tenant


def bearer(header: str) -> str | None:
    """The key in an Authorization header, if it has the form of one of ours (RFC 6750, 2.1)."""
    scheme, _, secret = header.partition(" ")
    return secret if scheme.lower() == "bearer" and secret.startswith(keys.PREFIX) else None


def _secret() -> str:
    secret = bearer(request.headers.get("Authorization", ""))
    if secret is None:
        raise _unauthenticated()
    return secret


def _remembered(secret: str, named: str | None) -> Caller:
    digest = runtime().keys.api_key_digest(secret)
    memory = cast(Remembered, current_app.extensions["optout_callers"])
    caller = memory.find(digest, named)
    if caller is None:
        caller = _read(secret, named)
        memory.put(digest, named, caller)
    return caller


def _read(secret: str, named: str | None) -> Caller:
    rt = runtime()
    with rt.reading() as connection:
        found = keys.find(connection, secret, rt.keys)
        if found is None or not found.valid_at(rt.now()):
            raise _unauthenticated()
        acting: Tenant | None = tenants.get_by_id(connection, found.tenant)
        if acting and named is not None and named != acting.slug:
            ours = found.role is Role.PLATFORM
            acting = tenants.find(connection, named) if ours else None
    if acting is None:
        raise NotFound(f"There is no such tenant. The header {TENANT_HEADER} takes its slug.")
    return Caller(found.id, acting.id, acting.slug, found.role)


def _unauthenticated() -> Unauthenticated:
    return Unauthenticated("Send a valid API key in the header: Authorization: Bearer <key>")


def _not_permitted(permission: Permission) -> NotPermitted:
    roles = roles_that(permission)
    return NotPermitted(
        f"This key's role may not do this. It takes a key of one of: {', '.join(roles)}.",
        roles=roles,
    )
