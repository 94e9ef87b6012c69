"""Bundles of evidence: all that one tenant's ledger holds about one address, signed."""

import json
from typing import Any, Final

from optout_service.core.address import Address
from optout_service.core.bundle import (
    FORMAT,
    HOW_TO_VERIFY,
    Bundle,
    Covered,
    Fingerprints,
    Happened,
    Ledger,
    Stands,
    sign,
)
from optout_service.core.policy import PLATFORM, Suppression, liftable_by
from optout_service.core.scope import Scope
from optout_service.evidence import checkpoints
from optout_service.runtime import Runtime
from optout_service.store import book, chain, feed, suppressions
from optout_service.store.chain import Entry
from optout_service.store.feed import Event
from optout_service.store.tenants import PLATFORM_SLUG, Tenant

MOST_EVENTS: Final = 10_000
"""Events in one bundle. Where there are more it holds the oldest, and says so."""


def make(rt: Runtime, tenant: Tenant, address: Address, *, masked: bool) -> dict[str, Any]:
    """The signed document, to be written as JSON. ``core.bundle`` says what is in it.

    ``masked``: without the address and the private part of the evidence, for who may not see them.
    """
    digest = rt.keys.digest(address)
    # Before the ledger: one that is written meanwhile would be ahead of what is read of it.
    mark = checkpoints.newest(rt, tenant.id)
    with rt.reading() as connection:
        stands = chain.position(connection, tenant.id)
        rows = suppressions.standing(connection, tenant.id, digest, rt.keys)
        held = book.holds(connection, tenant.id, rt.keys.forms(digest))
        limits = {"upto": stands.seq, "limit": MOST_EVENTS + 1}
        events = feed.history(connection, tenant.id, address, rt.keys, **limits)
        entries = chain.entries(connection, tenant.id, digest, rt.keys, **limits)
    told = list(zip(events, entries, strict=True))[:MOST_EVENTS]
    prints = rt.keys.fingerprints
    return sign(
        rt.signatures,
        tenant.id,
        Bundle(
            format=FORMAT,
            origin=rt.settings.public_url,
            made_at=rt.now(),
            tenant=tenant.slug,
            tenant_number=tenant.id,
            tenant_name=tenant.name,
            kind=address.kind,
            address=address.masked if masked else address.spoken,
            digest=digest.hex(),
            masked=masked,
            held=held,
            complete=len(told) == len(events),
            stands=[_stands(tenant, row) for row in rows],
            events=[_happened(tenant, *pair, masked=masked) for pair in told],
            ledger=Ledger(stands.seq, stands.head.hex()),
            checkpoint=mark,
            fingerprints=Fingerprints(prints.pepper, list(prints.encryption), list(prints.signing)),
            how_to_verify=list(HOW_TO_VERIFY),
        ),
    )


def _stands(tenant: Tenant, row: Suppression) -> Stands:
    return Stands(
        row.reason,
        row.source,
        row.since,
        row.event,
        _covered(PLATFORM_SLUG if row.tenant == PLATFORM else tenant.slug, row.scope),
        sorted(liftable_by(row)),
    )


def _happened(tenant: Tenant, event: Event, entry: Entry, *, masked: bool) -> Happened:
    told = entry.private if not masked and entry.salt is not None else None
    return Happened(
        event=event.number,
        action=event.action,
        changed=event.changed,
        scope=_covered(tenant.slug, event.scope),
        reason=event.reason,
        source=event.source,
        actor=event.actor,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        provider=event.provider,
        message_id=event.message_id,
        evidence=None if told is None else json.loads(told),
        hash=event.hash.hex(),
        previous=entry.previous.hex(),
        metadata=entry.metadata,
        commitment=entry.commitment.hex(),
        salt=entry.salt.hex() if told is not None and entry.salt is not None else None,
        private=told,
    )


def _covered(tenant: str, scope: Scope) -> Covered:
    return Covered(tenant, scope.channel, scope.topic, scope.purpose)
