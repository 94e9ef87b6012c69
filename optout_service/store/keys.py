"""API keys: shown once, kept as keyed hashes, each of one tenant and one role."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select, update

from optout_service.core.errors import InvalidRequest, NotFound
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM
from optout_service.store.tables import api_key

PREFIX: Final = "oo_"
"""Every key starts with it, so that secret scanners and our own log masker know one."""


class Role(StrEnum):
    """What a key may do; the table stands in ``api.auth``."""

    SENDER = "sender"
    INTEGRATION = "integration"
    AGENT = "agent"
    AUDITOR = "auditor"
    ADMIN = "admin"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: everything but the secret. Times are aware UTC."""

    id: int
    tenant: int
    role: Role
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def valid_at(self, at: datetime) -> bool:
        """Whether the key opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


_FIELDS: Final = (
    api_key.c.id,
    api_key.c.tenant,
    api_key.c.role,
    api_key.c.name,
    api_key.c.created_at,
    api_key.c.expires_at,
    api_key.c.revoked_at,
)


def create(
    conn: Connection,
    tenant_id: int,
    role: Role,
    *,
    name: str,
    at: datetime,
    keys: KeyRing,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key, and give its secret this one time: 256 random bits behind ``oo_``.

    A platform key belongs to tenant 0, and only a platform key does. Raises InvalidRequest.
    """
    if (role is Role.PLATFORM) != (tenant_id == PLATFORM):
        raise InvalidRequest(
            "A platform key belongs to no tenant; every other key belongs to one.",
            field="role",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    made = conn.execute(
        insert(api_key).returning(api_key.c.id),
        {
            "digest": keys.api_key_digest(secret),
            "tenant": tenant_id,
            "role": role,
            "name": name[:200],
            "created_at": at,
            "expires_at": expires_at,
        },
    ).scalar_one()
    return ApiKey(made, tenant_id, role, name[:200], at, expires_at, None), secret


def find(conn: Connection, secret: str, keys: KeyRing) -> ApiKey | None:
    """The key of this secret, valid or not, or None. The look-up is by keyed hash."""
    row = conn.execute(
        select(*_FIELDS).where(api_key.c.digest == keys.api_key_digest(secret))
    ).one_or_none()
    return None if row is None else _key(*row)


def list_all(conn: Connection, tenant_id: int) -> list[ApiKey]:
    """All keys of a tenant, oldest first, revoked ones too."""
    query = select(*_FIELDS).where(api_key.c.tenant == tenant_id).order_by(api_key.c.id)
    return [_key(*row) for row in conn.execute(query)]


def revoke(conn: Connection, tenant_id: int, key_id: int, *, at: datetime) -> None:
    """From now on the key opens nothing, not even the next check. Raises NotFound."""
    done = conn.execute(
        update(api_key)
        .where(api_key.c.tenant == tenant_id, api_key.c.id == key_id)
        .values(revoked_at=at)
    )
    if done.rowcount != 1:
        raise NotFound(f"This tenant has no key {key_id}.")


def _key(
    number: int,
    tenant_id: int,
    role: str,
    name: str,
    created_at: datetime,
    expires_at: datetime | None,
    revoked_at: datetime | None,
) -> ApiKey:
    return ApiKey(number, tenant_id, Role(role), name, created_at, expires_at, revoked_at)
