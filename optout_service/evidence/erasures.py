"""Erasures, each written down outside the database before it is done, so that a restore repeats it.

Beside the checkpoints lies a file for each tenant, ``erased-<tenant>.jsonl``: keyed digests, never
an address. It is in no backup, since it has to be newer than they: copy it to where they are.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from optout_service.core.address import Address
from optout_service.core.erasure import Erasure, as_line, from_line, is_good, reason_for, sign
from optout_service.core.errors import Conflict
from optout_service.evidence import lines
from optout_service.runtime import Connection, Runtime
from optout_service.store import erasures, holds, ledger, regimes, tenants
from optout_service.store.erasures import Erased, Kept, Whom
from optout_service.store.tenants import Tenant

_LOCK: Final = "erasures.lock"
_log: Final = logging.getLogger("optout.audit")


_WHY: Final = {
    "suppressions": "so that nobody writes to them again; under a keyed digest alone",
    "events": "the ledger's chain proves the suppressions; the private part of each is gone",
    "messages": "the ids of providers' messages, so that none of them can be played again",
    "open_reviews": "a person has yet to read whether they asked to leave: decide them, then erase "
    "again",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What stays, how many of it, and why."""

    what: str
    count: int
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was erased, or would be in a dry run, and what stays."""

    erased: Erased
    kept: Kept

    @property
    def kept_parts(self) -> list[Part]:
        """What stays, as it is told: only what there is."""
        counts = asdict(self.kept)
        return [Part(what, counts[what], why) for what, why in _WHY.items() if counts[what]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found in one tenant's file.

    ``erasures``: its lines; ``again``: how many of them found something that had come back;
    ``held``: how many were left, since a hold stands; ``faults``: lines that are not ours.
    """

    tenant: str
    erasures: int
    again: int
    held: int
    faults: int


def path(rt: Runtime, tenant: int) -> Path:
    """The file of a tenant's erasures."""
    return rt.settings.effective_checkpoint_dir / f"erased-{tenant}.jsonl"


def look(rt: Runtime, tenant: Tenant, address: Address) -> Report:
    """What ``erase`` would do. Raises Conflict (a hold stands), StoreUnavailable."""
    with rt.reading() as connection:
        whom = _whom(rt, connection, tenant, address)
        return Report(erasures.find(connection, whom), erasures.kept(connection, whom))


def erase(rt: Runtime, tenant: Tenant, address: Address, *, reason: str, actor: str) -> Report:
    """Erase what a tenant holds of a recipient, but for what keeps nobody from writing to them.

    Written down, signed and fsynced, before it is committed: what a crash leaves undone a replay
    does. Raises InvalidRequest (no reason, or one that names the address), Conflict (a hold
    stands), StoreUnavailable, OSError; then nothing is erased.
    """
    reason = reason_for(address, reason)
    with rt.writing() as connection:
        regime = ledger.lock_to_write(connection, tenant.id, rt.keys)
        whom = _whom(rt, connection, tenant, address)
        made = Erasure(
            origin=rt.settings.public_url,
            tenant=tenant.slug,
            digest=regime.stored(rt.keys.digest(address)).hex(),
            reviews=list(whom.unnamed),
            actor=actor,
            reason=reason,
            at=rt.now(),
        )
        _write_down(rt, tenant.id, made)
        report = Report(erasures.erase(connection, whom), erasures.kept(connection, whom))
    _log.info(
        "a recipient was erased",
        extra={"by": actor, "tenant": tenant.slug, "events": report.erased.events},
    )
    return report


def written_since(directory: Path, at: datetime) -> int:
    """How many erasures a directory of checkpoints knows that were made after this time.

    Of the signatures nothing is said: a replay looks at them. Raises OSError.
    """
    made = 0
    for file in directory.glob("erased-*.jsonl"):
        for line in lines.forwards(file):
            with suppress(ValueError):
                made += from_line(line).at > at
    return made


def replay(rt: Runtime, *, dry_run: bool = False) -> list[Replayed]:
    """Do again what was erased, of what an older copy of the database has brought back.

    Only what was received up to each erasure: whoever has acted since is not erased. One
    transaction each; a replay that was broken off begins anew. Raises StoreUnavailable, OSError.
    """
    with rt.reading() as connection:
        known = tenants.every(connection)
    return [
        _replay(rt, tenant, dry_run=dry_run) for tenant in known if path(rt, tenant.id).exists()
    ]


def _replay(rt: Runtime, tenant: Tenant, *, dry_run: bool) -> Replayed:
    found = Counter(
        "faults" if one is None else _again(rt, tenant, one, dry_run=dry_run)
        for one in _written_down(rt, tenant)
    )
    if not dry_run:
        _log.info("erasures were replayed", extra={"tenant": tenant.slug, "again": found["again"]})
    return Replayed(tenant.slug, found.total(), found["again"], found["held"], found["faults"])


def _written_down(rt: Runtime, tenant: Tenant) -> Iterator[Erasure | None]:
    """The erasures of a tenant's file; None for each line that is not ours, or not the tenant's."""
    trusted = rt.signatures.public_keys(tenant.id)
    for line in lines.forwards(path(rt, tenant.id)):
        try:
            one = from_line(line)
        except ValueError:
            yield None
            continue
        yield one if one.tenant == tenant.slug and is_good(one, trusted) else None


def _again(
    rt: Runtime, tenant: Tenant, one: Erasure, *, dry_run: bool
) -> Literal["again", "held", "nothing"]:
    whom = Whom(tenant.id, _forms(rt, bytes.fromhex(one.digest)), one.reviews, one.at)
    with rt.reading() as connection:
        if not erasures.find(connection, whom).anything:
            return "nothing"
        if dry_run:
            return "held" if holds.is_held(connection, tenant.id, whom.forms) else "again"
    with rt.writing() as connection:
        ledger.lock_to_write(connection, tenant.id, rt.keys)
        if holds.is_held(connection, tenant.id, whom.forms):
            return "held"
        erasures.erase(connection, whom)
    return "again"


def _whom(rt: Runtime, connection: Connection, tenant: Tenant, address: Address) -> Whom:
    regimes.current(connection, tenant.id, rt.keys)
    forms = rt.keys.forms(rt.keys.digest(address))
    if holds.is_held(connection, tenant.id, forms):
        raise Conflict(
            "A legal hold stands for this address, so nothing of it is erased. It ends with: "
            "optout hold end, or POST /v1/holds/<number>/end"
        )
    unnamed = erasures.unnamed(connection, tenant.id, address, rt.keys)
    return Whom(tenant.id, forms, tuple(unnamed))


def _forms(rt: Runtime, written_down: bytes) -> list[bytes]:
    """Every form of what a line names: the database may be older than it, or have moved since."""
    behind = rt.keys.digests_behind(written_down)
    return [form for digest in behind for form in rt.keys.forms(digest)]


def _write_down(rt: Runtime, tenant: int, unsigned: Erasure) -> None:
    file = path(rt, tenant)
    with lines.alone(file.parent / _LOCK):
        lines.append(file, as_line(sign(rt.signatures, tenant, unsigned)))
