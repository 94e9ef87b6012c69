"""Retention: each kind of data goes when the settings say that it has been kept for long enough.

In many small transactions, each whole by itself: what is broken off goes on where it stood when it
is run again. Of a recipient for whom a legal hold stands nothing goes.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from optout_service.runtime import Connection, Runtime
from optout_service.store import ledger, outdated, tenants
from optout_service.store.outdated import STRETCH, Numbered
from optout_service.store.tenants import Tenant

_log: Final = logging.getLogger("optout.audit")


@dataclass(frozen=True, slots=True)
class Removed:
    """Of one tenant and kind of data: how many were ``removed``, how many a hold has ``held``.

    In a dry run: would be. ``before``: what is older has been kept for long enough.
    """

    tenant: str
    what: str
    before: datetime
    removed: int
    held: int


def run(rt: Runtime, *, dry_run: bool = False) -> list[Removed]:
    """Remove what is outdated, of all tenants. Kinds that are kept for ever are left out.

    Raises StoreUnavailable.
    """
    with rt.reading() as connection:
        known = tenants.every(connection)
    done = []
    for one in chain.from_iterable(_of_tenant(rt, tenant, dry_run=dry_run) for tenant in known):
        done.append(one)
        if one.removed and not dry_run:
            _log.info(
                "outdated data was removed",
                extra={"tenant": one.tenant, "what": one.what, "removed": one.removed},
            )
    return done


def _of_tenant(rt: Runtime, tenant: Tenant, *, dry_run: bool) -> Iterator[Removed]:
    settings = rt.settings
    for kind, days in (
        (Numbered.WORDS, settings.keep_words_days),
        (Numbered.TRACES, settings.keep_traces_days),
        (Numbered.REVIEWS, settings.keep_words_days),
    ):
        if days:
            yield _numbered(rt, tenant, kind, rt.now() - timedelta(days), dry_run=dry_run)
    if settings.keep_answers_days:
        before = rt.now() - timedelta(settings.keep_answers_days)
        with rt.reading() as connection:
            found = outdated.find_answers(connection, tenant.id, before)
            held = outdated.find_answers(connection, tenant.id, before, held=True)
        if not dry_run:
            found = _until_none_is_left(rt, tenant, before, outdated.delete_answers)
        yield Removed(tenant.slug, "answers", before, found, held)
    if settings.keep_visits_days:
        before = rt.now() - timedelta(settings.keep_visits_days)
        with rt.reading() as connection:
            found = outdated.find_visits(connection, tenant.id, before)
        if not dry_run:
            found = _until_none_is_left(rt, tenant, before, outdated.delete_visits)
        yield Removed(tenant.slug, "visits", before, found, 0)


def _numbered(
    rt: Runtime, tenant: Tenant, kind: Numbered, before: datetime, *, dry_run: bool
) -> Removed:
    with rt.reading() as connection:
        last = outdated.last_number(connection, tenant.id, kind)
    removed = held = 0
    for after in range(0, last, STRETCH):
        with rt.reading() as connection:
            found = outdated.find(connection, tenant.id, kind, before, after=after)
            held += outdated.find(connection, tenant.id, kind, before, after=after, held=True)
        if found and not dry_run:
            with rt.writing() as connection:
                ledger.lock(connection, tenant.id)
                found = outdated.erase(connection, tenant.id, kind, before, after=after)
        removed += found
    return Removed(tenant.slug, kind.value, before, removed, held)


def _until_none_is_left(
    rt: Runtime,
    tenant: Tenant,
    before: datetime,
    some: Callable[[Connection, int, datetime], int],
) -> int:
    total, left = 0, True
    while left:
        with rt.writing() as connection:
            ledger.lock(connection, tenant.id)
            removed = some(connection, tenant.id, before)
        total, left = total + removed, removed > 0
    return total
