"""Whether the standby that long reads go to follows our database, and how far it is behind."""

from collections.abc import Iterator
from typing import Final

from optout_service.core.errors import StoreUnavailable
from optout_service.doctor.finding import Finding, advice, mend, ok
from optout_service.runtime import Runtime
from optout_service.store import chain

_SUBJECT: Final = "replica"


def examine(rt: Runtime) -> Iterator[Finding]:
    """Nothing where none is set. Raises StoreUnavailable for the database itself."""
    if rt.places.replica is None:
        return
    try:
        with rt.places.replica.one_state() as connection:
            theirs = chain.positions(connection)
    except StoreUnavailable:
        yield advice(
            _SUBJECT,
            "It does not answer, so that the primary does all of its work. See that it runs, and "
            "OPTOUT_REPLICA_URL.",
        )
        return
    yield _judged(rt, theirs)


def _judged(rt: Runtime, theirs: list[chain.Position]) -> Finding:
    with rt.reading() as connection:
        ours = {one.tenant: one.seq for one in chain.positions(connection)}
        apart = [
            one.slug for one in theirs if chain.hash_at(connection, one.tenant, one.seq) != one.head
        ]
    if apart:
        return mend(
            _SUBJECT,
            f"It is none of this database, or went another way ({', '.join(apart[:3])}), and is "
            "never read. Make it anew from the primary, or correct OPTOUT_REPLICA_URL.",
        )
    behind = sum(ours.values()) - sum(one.seq for one in theirs)
    if behind > 0:
        return advice(
            _SUBJECT,
            f"It is {behind} event(s) behind. If it stays so, the primary does all of its work: "
            "see pg_stat_replication there.",
        )
    return ok(_SUBJECT, "It follows this database, and is up to date.")
