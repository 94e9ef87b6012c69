"""A tenant's API keys. A secret is shown once; nobody makes a key that may more than its maker."""

from datetime import datetime, timedelta

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import setup as bodies
from optout_service.core.errors import InvalidRequest
from optout_service.store import keys
from optout_service.store.keys import ApiKey
from optout_service.web import runtime


def list_keys(caller: Caller) -> Response:
    """A page of the tenant's keys, oldest first, with those that were revoked; no secrets."""
    asked = binding.query(bodies.Page)
    with runtime().reading() as connection:
        rows, following = keys.page(
            connection, caller.tenant, cursor=asked.cursor, limit=asked.limit
        )
    return answers.answer(bodies.KeysAnswer([_shape(row) for row in rows], following))


def create_key(caller: Caller) -> Response:
    """Make a key, and show its secret this one time.

    A platform key is made by a platform key that names no tenant; every other key is its tenant's.
    """
    asked = binding.body(bodies.KEY)
    rt = runtime()
    _require_future(asked.expires_at, rt.now())
    with rt.writing() as connection:
        made, secret = keys.create(
            connection,
            caller.tenant,
            asked.role,
            name=asked.name,
            at=rt.now(),
            keys=rt.keys,
            expires_at=asked.expires_at,
            most_days=rt.settings.key_days,
        )
    audit.note(caller, "key created", key=made.id, role=made.role, expires_at=made.expires_at)
    return answers.answer(bodies.MadeKey(_shape(made), secret), 201)


def rotate_key(caller: Caller, number: int) -> Response:
    """Make a key in the place of another, which stays good for the overlap.

    The new one has an id of its own: acts name it in the ledger, and its Idempotency-Keys are its
    own. 409 for a key that was revoked or has expired.
    """
    asked = binding.body(bodies.ROTATE)
    rt = runtime()
    _require_future(asked.expires_at, rt.now())
    with rt.writing() as connection:
        made, secret, old = keys.rotate(
            connection,
            caller.tenant,
            number,
            overlap=timedelta(hours=asked.overlap_hours),
            at=rt.now(),
            keys=rt.keys,
            expires_at=asked.expires_at,
            most_days=rt.settings.key_days,
        )
    audit.note(caller, "key rotated", key=made.id, replaces=old.id, until=old.expires_at)
    return answers.answer(bodies.RotatedKey(_shape(made), secret, _shape(old)), 201)


def revoke_key(caller: Caller, number: int) -> Response:
    """From now on the key opens nothing, not even the next check. Safe to send again.

    Also the key that asks, and the last admin's: what has leaked must go, and the command line
    makes another.
    """
    rt = runtime()
    with rt.writing() as connection:
        gone = keys.revoke(connection, caller.tenant, number, at=rt.now())
    audit.note(caller, "key revoked", key=gone.id, role=gone.role)
    return answers.answer(_shape(gone))


def _require_future(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("A key expires in the future, or never.", field="expires_at")


def _shape(row: ApiKey) -> bodies.KeyShape:
    return bodies.KeyShape(
        row.id,
        row.role,
        row.name,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
    )
