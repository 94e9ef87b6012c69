"""API keys: shown once, kept as keyed hashes, each of one tenant and one role."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from optout_service.core.errors import Conflict, InvalidRequest, NotFound
from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM
from optout_service.store import pages
from optout_service.store.tables import api_key

PREFIX: Final = "oo_"
"""Every key starts with it, so that secret scanners and our own log masker know one."""

USE_KNOWN_TO: Final = timedelta(hours=1)
"""How exactly we know when a key was used last: a write for each use would cost more than a check.
"""

ENDS_SOON: Final = timedelta(days=14)
"""Time enough to give another one to whoever asks by it."""

UNUSED_LONG: Final = timedelta(days=90)
"""After so long nobody misses a key, unless it is kept for a campaign a year."""

_LARGEST: Final = 2**31 - 1
"""The largest id that the column holds."""


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
    """A key as it is listed: everything but the secret. Times are aware UTC.

    ``last_used_at``: to the hour; None where it was not used, or was not asked for.
    """

    id: int
    tenant: int
    role: Role
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = None

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
_LISTED: Final = (*_FIELDS, api_key.c.last_used_at)


def create(
    conn: Connection,
    tenant_id: int,
    role: Role,
    *,
    name: str,
    at: datetime,
    keys: KeyRing,
    expires_at: datetime | None = None,
    most_days: int = 0,
) -> tuple[ApiKey, str]:
    """Make a key, and give its secret this one time: 256 random bits behind ``oo_``.

    ``most_days``: how long a key may be good for, and is unless ``expires_at`` says less; 0: for
    ever. A platform key belongs to tenant 0, and only a platform key does. Raises
    InvalidRequest.
    """
    expires_at = _end(expires_at, at, most_days)
    if not name.isprintable():
        raise InvalidRequest("A key's name is text in one line.", field="name")
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


def get(conn: Connection, tenant_id: int, key_id: int) -> ApiKey:
    """One of a tenant's keys. Raises NotFound, also for another tenant's."""
    if 0 <= key_id <= _LARGEST:
        row = conn.execute(
            select(*_LISTED).where(api_key.c.tenant == tenant_id, api_key.c.id == key_id)
        ).one_or_none()
        if row is not None:
            return _key(*row)
    raise NotFound(f"This tenant has no key {key_id}.")


def list_all(conn: Connection, tenant_id: int) -> list[ApiKey]:
    """All keys of a tenant, oldest first, revoked ones too."""
    query = select(*_LISTED).where(api_key.c.tenant == tenant_id).order_by(api_key.c.id)
    return [_key(*row) for row in conn.execute(query)]


def page(
    conn: Connection, tenant_id: int, *, cursor: str | None, limit: int
) -> tuple[list[ApiKey], str | None]:
    """A page of ``list_all``, and the cursor of the next one. Raises Malformed."""
    query = select(*_LISTED).where(api_key.c.tenant == tenant_id)
    rows, following = pages.page(conn, query, [api_key.c.id], cursor=cursor, limit=limit)
    return [_key(*row) for row in rows], following


def rotate(
    conn: Connection,
    tenant_id: int,
    key_id: int,
    *,
    overlap: timedelta,
    at: datetime,
    keys: KeyRing,
    expires_at: datetime | None = None,
    most_days: int = 0,
) -> tuple[ApiKey, str, ApiKey]:
    """Make a key that takes another's place; give it, its secret this one time, and the old one.

    The old one stays good for ``overlap``, never for longer than it was. The new one is good until
    ``expires_at``, or for as long as the old one was made for; ``most_days`` is as in ``create``.
    Raises NotFound, InvalidRequest, and Conflict for a key that is no longer good: what was revoked
    does not come back.
    """
    old = get(conn, tenant_id, key_id)
    if not old.valid_at(at):
        raise Conflict("This key was revoked, or has expired. Make a new one.")
    if expires_at is None and old.expires_at is not None:
        life = old.expires_at - old.created_at
        expires_at = at + (min(life, timedelta(most_days)) if most_days else life)
    made, secret = create(
        conn,
        tenant_id,
        old.role,
        name=old.name,
        at=at,
        keys=keys,
        expires_at=expires_at,
        most_days=most_days,
    )
    ends = min(at + overlap, old.expires_at or at + overlap)
    conn.execute(update(api_key).where(api_key.c.id == key_id).values(expires_at=ends))
    return made, secret, get(conn, tenant_id, key_id)


def revoke(conn: Connection, tenant_id: int, key_id: int, *, at: datetime) -> ApiKey:
    """From now on the key opens nothing, not even the next check; again, nothing changes.

    Raises NotFound.
    """
    get(conn, tenant_id, key_id)
    conn.execute(
        update(api_key)
        .where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return get(conn, tenant_id, key_id)


def ending(conn: Connection, at: datetime, within: timedelta = ENDS_SOON) -> list[ApiKey]:
    """The good keys of all tenants that end so soon, and that no other has replaced.

    Another one replaces it that is of the same tenant, role and name, and ends later.
    """
    other = api_key.alias()
    replaced = exists().where(
        other.c.tenant == api_key.c.tenant,
        other.c.role == api_key.c.role,
        other.c.name == api_key.c.name,
        other.c.id > api_key.c.id,
        other.c.revoked_at.is_(None),
        or_(other.c.expires_at.is_(None), other.c.expires_at > at + within),
    )
    return _good(conn, at, api_key.c.expires_at <= at + within, ~replaced)


def unused(conn: Connection, at: datetime, since: timedelta = UNUSED_LONG) -> list[ApiKey]:
    """The good keys of all tenants that nobody has used for so long."""
    seen = func.coalesce(api_key.c.last_used_at, api_key.c.created_at)
    return _good(conn, at, seen < at - since)


def lasting(conn: Connection, at: datetime, most_days: int) -> list[ApiKey]:
    """The good keys of all tenants that last longer than one that is made now; none for 0."""
    ends = api_key.c.expires_at
    late = or_(ends.is_(None), ends > at + timedelta(days=most_days))
    return _good(conn, at, late) if most_days else []


def note_use(conn: Connection, used: Iterable[int], *, at: datetime) -> None:
    """Write down that these keys were used about now, where that is news."""
    rows = [{"key": number} for number in sorted(used)]
    if rows:
        known = api_key.c.last_used_at
        conn.execute(
            update(api_key)
            .where(
                api_key.c.id == bindparam("key"),
                or_(known.is_(None), known < at - USE_KNOWN_TO),
                or_(api_key.c.revoked_at.is_(None), api_key.c.revoked_at > at),
            )
            .values(last_used_at=at),
            rows,
        )


def _end(asked: datetime | None, at: datetime, most_days: int) -> datetime | None:
    if not most_days:
        return asked
    last = at + timedelta(days=most_days)
    if asked is not None and asked > last:
        raise InvalidRequest(
            f"A key is good for {most_days} days at most here. Rotate it before they are over.",
            field="expires_at",
        )
    return asked or last


def _good(conn: Connection, at: datetime, *wanted: ColumnElement[bool]) -> list[ApiKey]:
    ends = api_key.c.expires_at
    query = select(*_LISTED).where(
        api_key.c.revoked_at.is_(None), or_(ends.is_(None), ends > at), *wanted
    )
    return [_key(*row) for row in conn.execute(query.order_by(api_key.c.id))]


def _key(
    number: int,
    tenant_id: int,
    role: str,
    name: str,
    created_at: datetime,
    expires_at: datetime | None,
    revoked_at: datetime | None,
    last_used_at: datetime | None = None,
) -> ApiKey:
    return ApiKey(
        number, tenant_id, Role(role), name, created_at, expires_at, revoked_at, last_used_at
    )
