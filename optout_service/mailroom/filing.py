"""Where a message goes: into the ledger, to a person, or nowhere; and what is kept of it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Evidence, ProviderMessage, Source
from optout_service.core.mail.told import Mail
from optout_service.core.policy import PLATFORM
from optout_service.core.review import Why
from optout_service.core.scope import ANY, Channel, Scope
from optout_service.runtime import Runtime
from optout_service.store import mailboxes, reviews
from optout_service.store.mailboxes import Mailbox
from optout_service.store.reviews import Doubt

PROVIDER: Final = "mail"

NOBODYS: Final = Mailbox("", PLATFORM)
"""Where mail goes that came to no mailbox we know: the platform's people sort it out."""

_KEPT: Final = 2000
"""Characters of a message's text that are kept."""

_log = logging.getLogger(__name__)


class Done(StrEnum):
    """What became of a message; the weightiest first."""

    RECORDED = "recorded"
    REVIEW = "review"
    IGNORED = "ignored"


def boxes(rt: Runtime, mail: Mail) -> Sequence[Mailbox]:
    """The mailboxes that a message came to, or ``NOBODYS``."""
    with rt.reading() as connection:
        return mailboxes.find(connection, mail.recipients) or [NOBODYS]


def record(rt: Runtime, evidence: Evidence) -> Done:
    """Write an act down. Raises NotFound for a tenant that is gone."""
    with rt.writing(evidence.tenant) as connection:
        rt.record(connection, evidence)
    return Done.RECORDED


def review(
    rt: Runtime,
    doubt: Doubt,
    *,
    channel: str = Channel.EMAIL,
    topic: str = ANY,
    hold: Evidence | None = None,
) -> Done:
    """Have a person read it, and meanwhile record the hold, if there is one."""
    doubt = replace(doubt, channel=channel, topic=topic)
    with rt.writing(doubt.tenant) as connection:
        if hold is not None:
            doubt = replace(doubt, hold_event=rt.record(connection, hold).event)
        reviews.open_review(connection, doubt, at=rt.now(), keys=rt.keys)
    return Done.REVIEW


def ignore(why: str) -> Done:
    """There is nothing to store. ``why`` names nobody: it is for the log."""
    _log.info("a mail was ignored", extra={"why": why})
    return Done.IGNORED


def doubt(mail: Mail, tenant: int, address: Address | None, rule: str) -> Doubt:
    """A message as a person is to read it. ``rule``: what made it doubtful."""
    return Doubt(
        tenant=tenant,
        address=address,
        channel=Channel.EMAIL,
        source=Source.MAIL,
        why=Why.MAIL,
        rule=rule,
        private={
            "text": f"{mail.subject}\n\n{mail.text[:_KEPT]}".strip(),
            "to": ", ".join(mail.recipients),
            "note": f"From: {mail.author}",
        },
        provider_message=key(mail),
    )


def opt_out(
    mail: Mail, tenant: int, address: Address, scope: Scope, said: Mapping[str, str]
) -> Evidence:
    """A person's own act. ``said``: what is kept beside the message itself."""
    return Evidence(
        tenant=tenant,
        action=Action.OPT_OUT,
        address=address,
        scope=scope,
        source=Source.MAIL,
        authority=Authority.RECIPIENT_PAGE,
        actor="recipient",
        provider_message=key(mail),
        private={
            "from": mail.author,
            "to": ", ".join(mail.recipients),
            "subject": mail.subject,
            "text": mail.text[:_KEPT],
            **said,
        },
    )


def key(mail: Mail) -> ProviderMessage:
    """What makes a message count once, for ever."""
    return ProviderMessage(PROVIDER, "", mail.key)
