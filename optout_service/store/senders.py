"""By which numbers a tenant writes, and the secrets that prove a provider's hook."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select, update

from optout_service.core.errors import Conflict, InvalidRequest, NotFound
from optout_service.core.keyring import KeyRing
from optout_service.store.tables import provider_account, sender

PROVIDERS: Final = ("twilio",)


class SenderKind(StrEnum):
    """What a sender is; who answers a STOP depends on it."""

    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    MESSAGING_SERVICE = "messaging_service"
    WHATSAPP = "whatsapp"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant's account with a provider. ``tokens``: the signing secrets, newest first."""

    tenant: int
    provider: str
    account: str
    tokens: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Account({self.tenant}, {self.provider!r}, {self.account!r}, tokens=***)"


@dataclass(frozen=True, slots=True)
class Sender:
    """One of a tenant's numbers or messaging services. ``topic``: what it writes about."""

    tenant: int
    provider: str
    account: str
    address: str
    kind: SenderKind
    topic: str
    advanced_opt_out: bool


def put_account(
    conn: Connection,
    tenant_id: int,
    provider: str,
    account: str,
    token: str,
    *,
    keys: KeyRing,
) -> Account:
    """Make a provider account, or give it a new token in front of the old ones.

    The same token again changes nothing. Raises InvalidRequest for an unknown provider or an
    empty token.
    """
    if provider not in PROVIDERS:
        raise InvalidRequest(f"The provider is one of: {', '.join(PROVIDERS)}.", field="provider")
    if not account or len(account) > 64 or not token:
        raise InvalidRequest("An account needs its id and its auth token.", field="account")
    found = next(
        (a for a in accounts(conn, provider, account, keys=keys) if a.tenant == tenant_id),
        None,
    )
    made = Account(
        tenant_id,
        provider,
        account,
        tuple(dict.fromkeys((token, *(found.tokens if found else ())))),
    )
    sealed = keys.seal(json.dumps(made.tokens).encode(), _context(made.tenant, provider, account))
    if found is None:
        row = {
            "tenant": tenant_id,
            "provider": provider,
            "account": account,
            "tokens": sealed,
        }
        conn.execute(insert(provider_account), row)
    else:
        conn.execute(
            update(provider_account)
            .where(
                provider_account.c.tenant == tenant_id,
                provider_account.c.provider == provider,
                provider_account.c.account == account,
            )
            .values(tokens=sealed)
        )
    return made


def accounts(conn: Connection, provider: str, account: str, *, keys: KeyRing) -> list[Account]:
    """All tenants' rows for one account. A token proves a hook only for the tenant that gave it."""
    query = select(provider_account.c.tenant, provider_account.c.tokens).where(
        provider_account.c.provider == provider, provider_account.c.account == account
    )
    return [
        Account(
            tenant_id,
            provider,
            account,
            tuple(json.loads(keys.open(tokens, _context(tenant_id, provider, account)))),
        )
        for tenant_id, tokens in conn.execute(query.order_by(provider_account.c.tenant))
    ]


def create(conn: Connection, made: Sender) -> Sender:
    """Register a sender. Raises NotFound without its provider account, Conflict if it is there."""
    known = conn.execute(
        select(provider_account.c.account).where(
            provider_account.c.tenant == made.tenant,
            provider_account.c.provider == made.provider,
            provider_account.c.account == made.account,
        )
    ).first()
    if known is None:
        raise NotFound(
            f"This tenant has no {made.provider} account {made.account}. Add it first, with its "
            "auth token."
        )
    if any(
        s.address == made.address
        for s in of_account(conn, made.tenant, made.provider, made.account)
    ):
        raise Conflict(f"The sender {made.address} is registered already.")
    conn.execute(
        insert(sender),
        {
            "tenant": made.tenant,
            "provider": made.provider,
            "account": made.account,
            "address": made.address,
            "kind": made.kind,
            "topic": made.topic,
            "advanced_opt_out": made.advanced_opt_out,
        },
    )
    return made


def of_account(conn: Connection, tenant_id: int, provider: str, account: str) -> list[Sender]:
    """A tenant's senders in one provider account."""
    query = select(sender).where(
        sender.c.tenant == tenant_id,
        sender.c.provider == provider,
        sender.c.account == account,
    )
    return [
        Sender(row[0], row[1], row[2], row[3], SenderKind(row[4]), row[5], row[6])
        for row in conn.execute(query.order_by(sender.c.address))
    ]


def list_all(conn: Connection, tenant_id: int) -> list[Sender]:
    """All senders of a tenant."""
    query = select(sender).where(sender.c.tenant == tenant_id)
    return [
        Sender(row[0], row[1], row[2], row[3], SenderKind(row[4]), row[5], row[6])
        for row in conn.execute(query.order_by(sender.c.provider, sender.c.address))
    ]


def _context(tenant_id: int, provider: str, account: str) -> str:
    return f"provider-account/{tenant_id}/{provider}/{account}"
