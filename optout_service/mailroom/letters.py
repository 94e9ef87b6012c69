"""Somebody writes in words of their own, without a link: who is it, to whom, and what do they ask?

From is believed where our own mail server proved its domain. Else nobody is stopped, and a person
reads it. Nothing is ever lifted: for that there is the page of a link.
"""

from dataclasses import replace
from typing import Final

from optout_service.core.address import Address
from optout_service.core.keyword import Intent, Reading
from optout_service.core.mail.told import Mail, Words
from optout_service.core.review import opt_out_scope
from optout_service.core.scope import Kind
from optout_service.mailroom import filing
from optout_service.mailroom.filing import NOBODYS, Done
from optout_service.runtime import Runtime
from optout_service.store.mailboxes import Mailbox
from optout_service.store.tenants import get_by_id

_OTHERWISE: Final = (Intent.OPT_IN, Intent.HELP)


def receive(rt: Runtime, mail: Mail, told: Words) -> Done:
    """Record what somebody's words ask of each tenant to whose mailbox they came."""
    done = [_heard(rt, mail, told, box) for box in filing.boxes(rt, mail)]
    return next(one for one in Done if one in done)


def asks_otherwise(rt: Runtime, tenant: int, mail: Mail) -> bool:
    """Whether the words ask for something else than to stop. Raises NotFound for no tenant."""
    return _read(rt, tenant, mail).intent in _OTHERWISE


def _heard(rt: Runtime, mail: Mail, told: Words, box: Mailbox) -> Done:
    reading = _read(rt, box.tenant, mail)
    if reading.intent in _OTHERWISE or (box is NOBODYS and reading.intent is Intent.NONE):
        return filing.ignore("words: they ask for nothing that is ours to stop")
    address = Address.of(Kind.EMAIL, told.person) if told.person else None
    doubt = filing.doubt(mail, box.tenant, address, f"mail:{reading.rule}")
    if address is None or not told.proven_by or box is NOBODYS:
        return filing.review(rt, doubt, topic=box.topic)
    said = {"proven_by": told.proven_by, "rule": reading.rule}
    scope = opt_out_scope(Kind.EMAIL, box.topic)
    evidence = filing.opt_out(mail, box.tenant, address, scope, said)
    if reading.intent is Intent.OPT_OUT:
        return filing.record(rt, evidence)
    holds = reading.intent is Intent.REVIEW and rt.settings.review_holds
    return filing.review(rt, doubt, topic=box.topic, hold=evidence if holds else None)


def _read(rt: Runtime, tenant: int, mail: Mail) -> Reading:
    """What subject and text say together, by the rules and by the tenant's own words."""
    with rt.reading() as connection:
        slug = get_by_id(connection, tenant).slug
    if not (mail.subject + mail.text).strip():
        # To write to this mailbox at all is to ask: some programs send nothing but the address.
        return Reading(Intent.OPT_OUT, "empty", "")
    subject, text = (rt.read_text(slug, said) for said in (mail.subject, mail.text))
    if subject.intent is Intent.NONE or subject.intent is text.intent:
        return text
    if text.intent is Intent.NONE:
        return subject
    if Intent.OPT_OUT in (subject.intent, text.intent):
        return replace(text, intent=Intent.REVIEW, rule=f"{subject.rule}|{text.rule}")
    return text
