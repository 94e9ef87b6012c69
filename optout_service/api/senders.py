"""By which numbers and messaging services a tenant writes: whose STOP is whose."""

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller, own_tenant
from optout_service.api.bodies import setup as bodies
from optout_service.core.sender import parse_account, parse_sender
from optout_service.store import senders, tenants
from optout_service.store.senders import Sender, SenderKind
from optout_service.web import runtime


def list_senders(caller: Caller) -> Response:
    """A page of the tenant's senders."""
    asked = binding.query(bodies.Page)
    with runtime().reading() as connection:
        rows, following = senders.page(
            connection, caller.tenant, cursor=asked.cursor, limit=asked.limit
        )
    return answers.answer(bodies.SendersAnswer([_shape(row) for row in rows], following))


def create_sender(caller: Caller) -> Response:
    """Register a sender. 404 without its provider account, 409 if it is registered already."""
    tenant = own_tenant(caller)
    asked = binding.body(bodies.SENDER)
    made = Sender(
        tenant,
        asked.provider,
        parse_account(asked.provider, asked.account),
        parse_sender(asked.provider, asked.kind, asked.address),
        SenderKind(asked.kind),
        asked.topic,
        asked.advanced_opt_out,
        asked.channel,
        asked.language,
    )
    with runtime().writing() as connection:
        tenants.require_topics(connection, tenant, [made.topic])
        made = senders.create(connection, made)
    _note(caller, "sender created", made)
    return answers.answer(_shape(made), 201)


def show_sender(caller: Caller, provider: str, account: str, address: str) -> Response:
    """One sender. In a path, + is written as it is or as %2B."""
    with runtime().reading() as connection:
        found = senders.get(connection, caller.tenant, provider, account, address)
    return answers.answer(_shape(found))


def change_sender(caller: Caller, provider: str, account: str, address: str) -> Response:
    """Change what a sender is, what a STOP to it stops, what it speaks, or who answers it.

    It counts from the next text on. What was recorded before stays as it was recorded.
    """
    asked = binding.body(bodies.SENDER_CHANGE)
    with runtime().writing() as connection:
        old = senders.get(connection, caller.tenant, provider, account, address)
        made = senders.changed(
            old,
            kind=asked.kind,
            topic=asked.topic,
            channel=asked.channel,
            language=asked.language,
            advanced_opt_out=asked.advanced_opt_out,
        )
        tenants.require_topics(connection, caller.tenant, [made.topic])
        made = senders.change(connection, made)
    _note(caller, "sender changed", made)
    return answers.answer(_shape(made))


def remove_sender(caller: Caller, provider: str, account: str, address: str) -> Response:
    """Forget a sender; it is answered this one time.

    Nothing that stands is lifted. A STOP to it then counts for every tenant that has its account.
    """
    with runtime().writing() as connection:
        gone = senders.get(connection, caller.tenant, provider, account, address)
        senders.remove(connection, gone)
    _note(caller, "sender removed", gone)
    return answers.answer(_shape(gone))


def _note(caller: Caller, act: str, one: Sender) -> None:
    # A whole number would be masked as a recipient's is.
    audit.note(
        caller, act, provider=one.provider, account=one.account, address_ends=one.address[-4:]
    )


def _shape(row: Sender) -> bodies.SenderShape:
    return bodies.SenderShape(
        row.provider,
        row.account,
        row.address,
        row.kind,
        row.topic,
        row.channel,
        row.language,
        row.advanced_opt_out,
    )
