"""By which numbers a tenant writes, and the secrets that prove a provider's hook."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from optout_service.core.errors import Conflict, InvalidRequest, NotFound
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import ANY, KIND_OF, Kind
from optout_service.core.sender import parse_provider, parse_sender
from optout_service.core.texts import parse_language
from optout_service.store import pages
from optout_service.store.tables import provider_account, sender


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
    parse_provider(provider)
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
    sealed = _sealed(made, keys)
    if found is None:
        row = {
            "tenant": tenant_id,
            "provider": provider,
            "account": account,
            "tokens": sealed,
        }
        conn.execute(insert(provider_account), row)
    else:
        conn.execute(update(provider_account).where(*_is_account(made)).values(tokens=sealed))
    return made


def get_account(
    conn: Connection, tenant_id: int, provider: str, account: str, *, keys: KeyRing
) -> Account:
    """A tenant's account with a provider. Raises NotFound."""
    for found in accounts(conn, provider, account, keys=keys):
        if found.tenant == tenant_id:
            return found
    raise NotFound("This tenant has no such provider account.")


def retire_tokens(
    conn: Connection, tenant_id: int, provider: str, account: str, *, keys: KeyRing
) -> Account:
    """Keep the newest token of an account alone; again, nothing changes. Raises NotFound."""
    found = get_account(conn, tenant_id, provider, account, keys=keys)
    kept = Account(tenant_id, provider, account, found.tokens[:1])
    conn.execute(
        update(provider_account).where(*_is_account(kept)).values(tokens=_sealed(kept, keys))
    )
    return kept


def page_accounts(
    conn: Connection, tenant_id: int, *, keys: KeyRing, cursor: str | None, limit: int
) -> tuple[list[Account], str | None]:
    """A page of a tenant's accounts, and the cursor of the next one. Raises Malformed."""
    table = provider_account.c
    query = select(table.provider, table.account, table.tokens).where(table.tenant == tenant_id)
    rows, following = pages.page(
        conn, query, [table.provider, table.account], cursor=cursor, limit=limit
    )
    made = [
        _account(tenant_id, provider, account, tokens, keys) for provider, account, tokens in rows
    ]
    return made, following


def account_ids(conn: Connection, provider: str, tenant_id: int | None = None) -> list[str]:
    """The accounts with a provider, of one tenant or of all."""
    query = select(provider_account.c.account).where(provider_account.c.provider == provider)
    if tenant_id is not None:
        query = query.where(provider_account.c.tenant == tenant_id)
    return list(conn.scalars(query.distinct().order_by(provider_account.c.account)))


def accounts(conn: Connection, provider: str, account: str, *, keys: KeyRing) -> list[Account]:
    """All tenants' rows for one account. A token proves a hook only for the tenant that gave it."""
    if not f"{provider}{account}".isprintable():
        # No database takes the NUL character in a text, and no account has it.
        return []
    query = select(provider_account.c.tenant, provider_account.c.tokens).where(
        provider_account.c.provider == provider, provider_account.c.account == account
    )
    return [
        _account(tenant_id, provider, account, tokens, keys)
        for tenant_id, tokens in conn.execute(query.order_by(provider_account.c.tenant))
    ]


def create(conn: Connection, made: Sender) -> Sender:
    """Register a sender.

    Raises NotFound without its provider account, Conflict if it is there, InvalidRequest for a
    channel that reaches no phone or a language that is no tag.
    """
    made = _checked(made)
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
    conn.execute(insert(sender), asdict(made))
    return made


def get(conn: Connection, tenant_id: int, provider: str, account: str, address: str) -> Sender:
    """One of a tenant's senders. Raises NotFound."""
    # No database takes the NUL character in a text.
    if f"{provider}{account}".isprintable():
        for found in of_account(conn, tenant_id, provider, account):
            if found.address == address:
                return found
    raise NotFound("This tenant has no such sender. Register it first: optout sender create")


def changed(
    old: Sender,
    *,
    kind: str | None = None,
    topic: str | None = None,
    channel: str | None = None,
    language: str | None = None,
    advanced_opt_out: bool | None = None,
) -> Sender:
    """A sender with what is given changed. Raises InvalidRequest for a kind its address is not."""
    if kind is not None:
        parse_sender(old.provider, kind, old.address)
    given = {
        "kind": None if kind is None else SenderKind(kind),
        "topic": topic,
        "channel": channel,
        "language": language,
        "advanced_opt_out": advanced_opt_out,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(old, **changes)


def change(conn: Connection, made: Sender) -> Sender:
    """Give a sender that is there what else this one says. Raises as ``create`` does."""
    get(conn, made.tenant, made.provider, made.account, made.address)
    made = _checked(made)
    conn.execute(update(sender).where(*_is(made)).values(asdict(made)))
    return made


def remove(conn: Connection, gone: Sender) -> None:
    """Forget a sender. A STOP to it then counts for every tenant that has its account."""
    conn.execute(delete(sender).where(*_is(gone)))


def page(
    conn: Connection, tenant_id: int, *, cursor: str | None, limit: int
) -> tuple[list[Sender], str | None]:
    """A page of a tenant's senders, and the cursor of the next one. Raises Malformed."""
    order = [sender.c.provider, sender.c.account, sender.c.address]
    query = select(sender).where(sender.c.tenant == tenant_id)
    rows, following = pages.page(conn, query, order, cursor=cursor, limit=limit)
    return [from_row(row) for row in rows], following


def of_account(conn: Connection, tenant_id: int, provider: str, account: str) -> list[Sender]:
    """A tenant's senders in one provider account."""
    query = select(sender).where(
        sender.c.tenant == tenant_id,
        sender.c.provider == provider,
        sender.c.account == account,
    )
    return [from_row(row) for row in conn.execute(query.order_by(sender.c.address))]


def list_all(conn: Connection, tenant_id: int) -> list[Sender]:
    """All senders of a tenant."""
    query = select(sender).where(sender.c.tenant == tenant_id)
    rows = conn.execute(query.order_by(sender.c.provider, sender.c.address))
    return [from_row(row) for row in rows]


def from_row(row: Sequence[Any]) -> Sender:
    """The sender of a row of its table."""
    tenant_id, provider, account, address, kind, *rest = row
    return Sender(tenant_id, provider, account, address, SenderKind(kind), *rest)


def _checked(made: Sender) -> Sender:
    if made.channel != ANY and KIND_OF.get(made.channel) is not Kind.PHONE:
        raise InvalidRequest(
            "A sender's channel is *, or one that reaches phones.", field="channel"
        )
    return replace(made, language=parse_language(made.language)) if made.language else made


def _is(one: Sender) -> tuple[Any, ...]:
    return (
        sender.c.tenant == one.tenant,
        sender.c.provider == one.provider,
        sender.c.account == one.account,
        sender.c.address == one.address,
    )


def _account(tenant_id: int, provider: str, account: str, tokens: bytes, keys: KeyRing) -> Account:
    opened = keys.open(tokens, context(tenant_id, provider, account))
    return Account(tenant_id, provider, account, tuple(json.loads(opened)))


def _is_account(one: Account) -> tuple[Any, ...]:
    return (
        provider_account.c.tenant == one.tenant,
        provider_account.c.provider == one.provider,
        provider_account.c.account == one.account,
    )


def _sealed(one: Account, keys: KeyRing) -> bytes:
    tokens = json.dumps(one.tokens).encode()
    return keys.seal(tokens, context(one.tenant, one.provider, one.account))


def context(tenant_id: int, provider: str, account: str) -> str:
    """The context under which the secrets of an account are sealed."""
    return f"provider-account/{tenant_id}/{provider}/{account}"
