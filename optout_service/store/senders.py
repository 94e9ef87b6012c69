"""By which numbers a tenant writes, and the secrets that prove a provider's hook."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from optout_service.core.errors import Conflict, InvalidRequest, NotFound
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import ANY, KIND_OF, Kind
from optout_service.core.texts import parse_language
from optout_service.store.prepared import Prepared, run
from optout_service.store.tables import provider_account, sender

PROVIDERS: Final = ("twilio",)


class SenderKind(StrEnum):
    """What a sender is; who answers a STOP depends on it."""

    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    MESSAGING_SERVICE = "messaging_service"
    WHATSAPP = "whatsapp"
    RCS = "rcs"
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
    """One of a tenant's numbers or messaging services.

    ``topic`` and ``channel``: what a STOP to it stops, where the tenant has narrowed that.
    ``language``: the tag of what its recipients read, "" if nobody said.
    """

    tenant: int
    provider: str
    account: str
    address: str
    kind: SenderKind
    topic: str
    advanced_opt_out: bool
    channel: str = ANY
    language: str = ""


_REACHED = Prepared(
    select(sender)
    .where(
        sender.c.provider == bindparam("provider"),
        sender.c.account == bindparam("account"),
        sender.c.address.in_([bindparam("own"), bindparam("number"), bindparam("service")]),
    )
    .order_by(sender.c.tenant)
)


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


def account_ids(conn: Connection, provider: str, tenant_id: int | None = None) -> list[str]:
    """The accounts with a provider, of one tenant or of all."""
    query = select(provider_account.c.account).where(provider_account.c.provider == provider)
    if tenant_id is not None:
        query = query.where(provider_account.c.tenant == tenant_id)
    return list(conn.scalars(query.distinct().order_by(provider_account.c.account)))


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
    """Register a sender.

    Raises NotFound without its provider account, Conflict if it is there, InvalidRequest for a
    channel that reaches no phone or a language that is no tag.
    """
    if made.channel != ANY and KIND_OF.get(made.channel) is not Kind.PHONE:
        raise InvalidRequest(
            "A sender's channel is *, or one that reaches phones.", field="channel"
        )
    if made.language:
        made = replace(made, language=parse_language(made.language))
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
            "channel": made.channel,
            "language": made.language,
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
    return [_sender(row) for row in conn.execute(query.order_by(sender.c.address))]


def reached(
    conn: Connection,
    tenants: Sequence[int],
    provider: str,
    account: str,
    *,
    number: str,
    channel: str,
    service: str,
) -> list[Sender]:
    """Whose sender was written to: at most one for each of ``tenants``, in their order.

    By the number under the name of its channel (``whatsapp:+1...``), else by the number, else by
    the service it belongs to: the first that any of them has registered counts, and only that.
    Several tenants can share a number; then all of them were.
    """
    known_as = [name for name in (f"{channel}:{number}", number, service) if name]
    asked = {"own": f"{channel}:{number}", "number": number, "service": service}
    (rows,) = run(conn, (_REACHED, {"provider": provider, "account": account, **asked}))
    made = [_sender(row) for row in rows]
    found = [one for one in made if one.tenant in tenants and one.address in known_as]
    best = min((known_as.index(one.address) for one in found), default=0)
    return [one for one in found if one.address == known_as[best]]


def get(conn: Connection, tenant_id: int, provider: str, account: str, address: str) -> Sender:
    """One of a tenant's senders. Raises NotFound."""
    for found in of_account(conn, tenant_id, provider, account):
        if found.address == address:
            return found
    raise NotFound("This tenant has no such sender. Register it first: optout sender create")


def list_all(conn: Connection, tenant_id: int) -> list[Sender]:
    """All senders of a tenant."""
    query = select(sender).where(sender.c.tenant == tenant_id)
    return [
        _sender(row) for row in conn.execute(query.order_by(sender.c.provider, sender.c.address))
    ]


def _sender(row: Sequence[Any]) -> Sender:
    tenant_id, provider, account, address, kind, *rest = row
    return Sender(tenant_id, provider, account, address, SenderKind(kind), *rest)


def _context(tenant_id: int, provider: str, account: str) -> str:
    return f"provider-account/{tenant_id}/{provider}/{account}"
