"""A list of opt-outs into the ledger, a thousand rows at a time.

Rows are read outside the transaction: whoever sends them slowly holds nobody up. What has been
committed stays, whatever comes after; and an act that stands already is not written down again. So
a list that broke off is imported by sending the whole of it again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from optout_service.core.errors import OptOutError
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.imports import Asked, Row, begin
from optout_service.core.layouts import OWN, Layout, Skip
from optout_service.core.listed import Act, Reader
from optout_service.core.lists import Told
from optout_service.core.policy import decide
from optout_service.runtime import Runtime
from optout_service.store import suppressions, tenants

AT_A_TIME: Final = 1000
MOST_REJECTS: Final = 1000
"""Rows whose refusal is told one by one; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Who imports, for which tenant. ``may_legal``: whether an order of law is theirs to record."""

    tenant: int
    actor: str
    authority: Authority
    may_legal: bool


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken, and why; the text never repeats the row."""

    row: int
    detail: str


@dataclass(slots=True)
class Tally:
    """What an import has done so far: only what is on the disk is counted.

    ``layout``: what the list was recognised as, once it was. ``added``: now suppressed, or for a
    stronger reason; ``unchanged``: they were already; ``skipped``: rows that mean nobody who left.
    """

    layout: Layout = OWN
    rows: int = 0
    added: int = 0
    unchanged: int = 0
    invalid: int = 0
    skipped: int = 0
    rejects: list[Reject] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """So many rows, read and sorted."""

    acts: list[Act] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    skipped: int = 0


@dataclass(slots=True)
class Import:
    """One import. ``rehearsal``: nothing is written, and the tally is what would have been.

    A rehearsal remembers whom it has seen, some 100 bytes for each row.
    """

    rt: Runtime
    importer: Importer
    asked: Asked
    rehearsal: bool = False
    tally: Tally = field(default_factory=Tally)
    _seen: set[int] = field(default_factory=set)

    def run(self, pieces: Iterable[bytes], told: Told | None) -> Iterator[int]:
        """Import a list; after each commit, how many rows are dealt with.

        ``pieces``: the list's bytes, as they come; ``told``: None for JSON.

        Raises what reading the list raises, and StoreUnavailable: with what is stored by then in
        the detail, and as the members ``rows``, ``added`` and so on.
        """
        with self.rt.reading() as connection:
            topics = {topic.slug for topic in tenants.topics(connection, self.importer.tenant)}
        try:
            reader = Reader(
                self.asked,
                topics=topics,
                may_legal=self.importer.may_legal,
                now=self.rt.now(),
            )
            incoming = begin(pieces, told, self.asked.format)
            self.tally.layout = incoming.layout
            while batch := _read(reader, incoming.layout, islice(incoming.rows, AT_A_TIME)):
                self._settle(batch)
                yield self.tally.rows
        except OptOutError as error:
            raise _broken_off(error, self.tally) from error

    def _settle(self, batch: _Batch) -> None:
        acts = [_evidence(self.importer, act) for act in batch.acts]
        changed = 0
        if acts:
            changed = self._would_change(acts) if self.rehearsal else self._record(acts)
        tally = self.tally
        tally.rows += len(acts) + len(batch.rejects) + batch.skipped
        tally.added += changed
        tally.unchanged += len(acts) - changed
        tally.invalid += len(batch.rejects)
        tally.skipped += batch.skipped
        tally.rejects += batch.rejects[: MOST_REJECTS - len(tally.rejects)]

    def _record(self, acts: list[Evidence]) -> int:
        """Store acts; how many of them changed anything, now that it is on the disk."""
        with self.rt.writing(self.importer.tenant) as connection:
            outcomes = self.rt.record_many(connection, acts, skip_repeats=True)
        return sum(outcome.changed for outcome in outcomes)

    def _would_change(self, acts: list[Evidence]) -> int:
        digests = [self.rt.keys.digest(act.address) for act in acts]
        with self.rt.reading() as connection:
            tenant, keys = self.importer.tenant, self.rt.keys
            standing = suppressions.standing_of(connection, tenant, set(digests), keys)
        changed = 0
        for act, digest in zip(acts, digests, strict=True):
            mark = hash((digest, act.scope))
            decision = decide(
                act, standing[digest], number=0, at=self.rt.now(), topics=(), earlier=()
            )
            changed += decision.changed and mark not in self._seen
            self._seen.add(mark)
        return changed


def _read(reader: Reader, layout: Layout, rows: Iterable[Row]) -> _Batch | None:
    """The next rows, sorted; None if there are no more."""
    batch = _Batch()
    number = 0
    for number, values in rows:
        try:
            found = reader.read(layout, values)
        except OptOutError as error:
            batch.rejects.append(Reject(number, error.detail))
            continue
        if isinstance(found, Skip):
            batch.skipped += 1
        else:
            batch.acts.append(found)
    return batch if number else None


def _evidence(importer: Importer, act: Act) -> Evidence:
    return Evidence(
        tenant=importer.tenant,
        action=Action.OPT_OUT,
        address=act.address,
        scope=act.scope,
        source=Source.IMPORT,
        authority=importer.authority,
        actor=importer.actor,
        reason=act.reason,
        occurred_at=act.occurred_at,
        private=act.private,
    )


def _broken_off(error: OptOutError, tally: Tally) -> OptOutError:
    """The same refusal, saying how far the import had come."""
    told = {
        "rows": tally.rows,
        "added": tally.added,
        "unchanged": tally.unchanged,
        "invalid": tally.invalid,
    }
    detail = error.detail
    if tally.rows:
        detail += (
            f" The import broke off: {tally.rows} rows are dealt with, and stay so; {tally.added} "
            "were added. Send the whole list again: what stands already is unchanged."
        )
    return type(error)(detail, **{**error.extra, **told})
