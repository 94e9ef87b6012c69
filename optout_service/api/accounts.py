"""A tenant's accounts with providers. Their tokens prove the hooks, and never come back out."""

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller, own_tenant
from optout_service.api.bodies import setup as bodies
from optout_service.core.sender import parse_account, parse_token
from optout_service.store import senders
from optout_service.store.senders import Account
from optout_service.web import runtime


def list_accounts(caller: Caller) -> Response:
    """A page of the tenant's accounts."""
    asked = binding.query(bodies.Page)
    rt = runtime()
    with rt.reading() as connection:
        rows, following = senders.page_accounts(
            connection, caller.tenant, keys=rt.keys, cursor=asked.cursor, limit=asked.limit
        )
    return answers.answer(bodies.AccountsAnswer([_shape(row) for row in rows], following))


def put_account(caller: Caller) -> Response:
    """Add an account, or put a new auth token in front of those of one that is there.

    All of them prove a hook until the older ones are retired. 201 for the first token, else 200.
    """
    tenant = own_tenant(caller)
    asked = binding.body(bodies.ACCOUNT)
    account = parse_account(asked.provider, asked.account)
    token = parse_token(asked.provider, asked.token)
    rt = runtime()
    with rt.writing() as connection:
        made = senders.put_account(connection, tenant, asked.provider, account, token, keys=rt.keys)
    _note(caller, "provider account put", made)
    return answers.answer(_shape(made), 201 if len(made.tokens) == 1 else 200)


def retire_tokens(caller: Caller, provider: str, account: str) -> Response:
    """Keep the newest auth token alone: the others prove nothing any more. Safe to run again."""
    rt = runtime()
    with rt.writing() as connection:
        kept = senders.retire_tokens(connection, caller.tenant, provider, account, keys=rt.keys)
    _note(caller, "provider account's older tokens retired", kept)
    return answers.answer(_shape(kept))


def _note(caller: Caller, act: str, one: Account) -> None:
    audit.note(caller, act, provider=one.provider, account=one.account, tokens=len(one.tokens))


def _shape(row: Account) -> bodies.AccountShape:
    return bodies.AccountShape(row.provider, row.account, len(row.tokens))
