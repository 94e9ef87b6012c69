"""What the database tells: schema, seal, durability, clock, ledgers, providers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from optout_service.core.errors import OptOutError, StoreUnavailable
from optout_service.core.keyring import KeyRing
from optout_service.doctor import server
from optout_service.doctor.finding import Finding, advice, mend, ok
from optout_service.evidence import backed_up, checkpoints, erasures, quarantine
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import chain, db, keys, revisions, senders, tenants
from optout_service.store.keys import ApiKey
from optout_service.store.server import version

_CLOCKS_DIFFER: Final = timedelta(seconds=30)
_LONG_AGO: Final = timedelta(days=2)
_SHOWN: Final = 10
_PROVIDERS: Final = ("twilio", "telnyx", "aws")


@contextmanager
def opened(settings: Settings, ring: KeyRing) -> Iterator[tuple[Runtime | None, Finding]]:
    """The store, if the service could start on it, and what there is to say of that."""
    try:
        rt = Runtime.build(settings, ring)
    except OptOutError as fault:
        yield None, mend("database", fault.detail)
        return
    try:
        with rt.reading() as connection:
            made = version(connection)
        yield rt, ok("database", f"{made}. It is durable, and was made with these keys.")
    finally:
        rt.close()


def schema(settings: Settings) -> Finding:
    """Whether the schema is that of this release."""
    try:
        found = revisions.status(settings.effective_database_url.reveal())
    except StoreUnavailable as fault:
        return mend("schema", f"{fault.detail} See that it runs, and OPTOUT_DATABASE_URL.")
    if found.up_to_date:
        return ok("schema", f"It stands at {found.newest}.")
    return mend(
        "schema",
        f"It stands at {found.current or 'nothing'}, and this release's is {found.newest}. Run: "
        "optout db upgrade",
    )


def examine(rt: Runtime) -> Iterator[Finding]:
    """All findings of a store that could be opened. Raises StoreUnavailable and OSError."""
    yield from clock(rt)
    yield from ledgers(rt)
    yield from erased(rt)
    yield backup(rt)
    yield from server.examine(rt)
    yield from api_keys(rt)
    yield from hooks(rt)


def clock(rt: Runtime) -> Iterator[Finding]:
    """Ours against the database's, and the newest checkpoint's: acts are dated by it."""
    with rt.reading() as connection:
        before = rt.now()
        theirs = db.clock(connection)
        apart = abs(theirs - before) if theirs is not None else timedelta()
        known = [one.tenant for one in chain.positions(connection)]
    marks = [mark.at for tenant in known if (mark := checkpoints.newest(rt, tenant)) is not None]
    ahead = max(marks, default=rt.now()) - rt.now()
    if apart > _CLOCKS_DIFFER:
        yield mend(
            "clock",
            f"It is {apart.total_seconds():.0f} seconds from the database's. Let both machines "
            "follow one source of time (NTP).",
        )
    if ahead > _CLOCKS_DIFFER:
        yield mend(
            "clock",
            f"The newest checkpoint is dated {ahead.total_seconds():.0f} seconds from now: this "
            "clock is behind, or was ahead when that was written. Set it (NTP).",
        )
    if max(apart, ahead) <= _CLOCKS_DIFFER:
        yield ok("clock", "It agrees with the database's and the newest checkpoint's.")


def ledgers(rt: Runtime) -> Iterator[Finding]:
    """Whether each is what its newest checkpoint says, and checks are answered."""
    found = quarantine.state(rt)
    if found.quarantined:
        yield mend(
            "quarantine",
            "No check is answered: the database is older than what it once held. Read what to do "
            "in docs/evidence.md, and end it with: optout evidence release",
        )
    else:
        yield ok("quarantine", "There is none; checks are answered.")
    for one in found.behind:
        yield mend(
            "ledger",
            f"That of {one.tenant} stands at {one.seq}, and is not the one that had "
            f"{one.checkpoint.seq} events. See: optout evidence quarantine",
        )
    if not found.behind:
        yield ok("ledger", "Each is what its newest checkpoint says.")


def erased(rt: Runtime) -> Iterator[Finding]:
    """Whether what was erased has come back, as an older copy of the database brings it back."""
    back = [one for one in erasures.replay(rt, dry_run=True) if one.again or one.faults]
    for one in back:
        if one.again:
            yield mend(
                "erasures",
                f"Of {one.tenant}, {one.again} erased recipient(s) are in the database again. Run: "
                "optout erase --replay",
            )
        if one.faults:
            yield mend(
                "erasures",
                f"{one.faults} line(s) in the file of {one.tenant}'s erasures are not signed by "
                "our keys. Put the file back from its copy (docs/erasure.md).",
            )
    if not back:
        yield ok("erasures", "What was erased is gone.")


def backup(rt: Runtime) -> Finding:
    """Whether ``optout backup`` was run of late; of other ways to back up nothing is known here."""
    made = backed_up.last(rt.settings)
    if made is None:
        return advice(
            "backup",
            "None was made from here. Let cron run optout backup every night, and optout restore "
            "--check after it (docs/backup.md); or look to your own way of doing it.",
        )
    days = (rt.now() - made).days
    if rt.now() - made > _LONG_AGO:
        return advice(
            "backup",
            f"The last one was made {days} days ago. See what has become of the job that makes it.",
        )
    return ok("backup", f"The last one is of {made:%Y-%m-%d %H:%M} UTC.")


def api_keys(rt: Runtime) -> Iterator[Finding]:
    """Those that end soon, that nobody uses, and that last longer than they should."""
    at = rt.now()
    with rt.reading() as connection:
        slugs = {one.id: one.slug for one in tenants.every(connection)}
        ending = keys.ending(connection, at)
        unused = keys.unused(connection, at)
        lasting = keys.lasting(connection, at, rt.settings.key_days)
    for found, what in (
        (ending, "end within 14 days, and whoever asks by them is then refused: optout key rotate"),
        (unused, "were not used for 90 days. What nobody needs, revoke: optout key revoke"),
        (lasting, "last longer than OPTOUT_KEY_DAYS lets a new one: optout key rotate"),
    ):
        if found:
            yield advice("API keys", f"{_named(found, slugs)} {what}")
    if not (ending or unused or lasting):
        yield ok("API keys", "Each is in use, and none ends soon.")


def _named(found: Sequence[ApiKey], slugs: Mapping[int, str]) -> str:
    shown = ", ".join(f"{one.id} of {slugs[one.tenant]}" for one in found[:_SHOWN])
    more = len(found) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def hooks(rt: Runtime) -> Iterator[Finding]:
    """Where each provider's hook has to point; whether it does, only its console tells."""
    with rt.reading() as connection:
        known = {name: senders.account_ids(connection, name) for name in _PROVIDERS}
    for name, accounts in known.items():
        if accounts:
            url = f"{rt.settings.public_url}/hooks/{name}/messages"
            yield advice(
                name,
                f"{len(accounts)} account(s). Look in its console whether the hook is {url}, to "
                "the letter: signatures are over it (docs/providers.md).",
            )
