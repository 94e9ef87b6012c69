"""What a server of PostgreSQL is set to, and what of it is worth a change."""

from collections.abc import Iterator
from typing import Final

from optout_service.doctor.finding import Finding, advice, mend, ok
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import server
from optout_service.store.server import Server

_POOLS: Final = 3
"""Connections of a process to each of its pool: reads have two pools, writes have one."""


def examine(rt: Runtime) -> Iterator[Finding]:
    """All findings, none on SQLite. The time zone is not looked at: times are kept as numbers of
    microseconds since 1970. Raises StoreUnavailable.
    """
    with rt.reading() as connection:
        found = server.look(connection)
    if found is not None:
        yield connections(rt.settings, found)
        yield limits(rt.settings, found)
        yield line(found)
        yield from durability(found)


def connections(settings: Settings, found: Server) -> Finding:
    """Whether the pools of this instance's processes fit into what the server allows."""
    wanted = settings.effective_workers * settings.effective_pool_size * _POOLS
    said = f"This instance may open {wanted} connections, and the server allows {found.connections}"
    if wanted > found.connections:
        return mend(
            "connections",
            f"{said}: under load requests would be refused. Raise max_connections, or set "
            "OPTOUT_WORKERS or OPTOUT_POOL_SIZE lower; all instances together have to fit.",
        )
    return ok("connections", f"{said} for all instances together.")


def limits(settings: Settings, found: Server) -> Finding:
    """Whether our limit of a statement's time came through: a pooler may have dropped it."""
    if found.statement_timeout_ms == settings.statement_timeout_ms:
        return ok("statement timeout", f"A statement ends after {found.statement_timeout_ms} ms.")
    return mend(
        "statement timeout",
        f"OPTOUT_STATEMENT_TIMEOUT_MS did not reach the server, where it is "
        f"{found.statement_timeout_ms}: a pooler drops what a connection asks for at its start. "
        "Let it pass `options` on, or set statement_timeout and lock_timeout for the role (ALTER "
        "ROLE ... SET).",
    )


def line(found: Server) -> Finding:
    """Whether somebody on the way to the database could read along."""
    if found.encrypted or not found.remote:
        return ok("line to the database", "It is encrypted, or does not leave this machine.")
    return advice(
        "line to the database",
        "It goes to another machine in clear. Let the server speak TLS, and add "
        "?sslmode=verify-full to OPTOUT_DATABASE_URL.",
    )


def durability(found: Server) -> Iterator[Finding]:
    """What a disk or a machine that breaks would take along."""
    if found.standbys and found.synchronous_commit == "local":
        yield advice(
            "standby",
            "There is a synchronous standby, and synchronous_commit is local: an opt-out is "
            "acknowledged before the standby has it. Set it to on.",
        )
    if found.archive_fails:
        yield mend(
            "archive",
            "The last file of the write-ahead log could not be archived: see the server's log, and "
            "mend archive_command before the disk is full.",
        )
    elif not found.archiving:
        yield advice(
            "archive",
            "The server archives nothing (archive_mode is off), so that a lost disk takes "
            "everything since the last backup. Set it up, or back up often (docs/backup.md).",
        )
    else:
        yield ok("archive", "The write-ahead log is archived.")
    if not found.checksums:
        yield advice(
            "checksums",
            "A damaged page would be read as it is. Stop the server and run: pg_checksums --enable",
        )
    if not found.autovacuum:
        yield advice(
            "vacuum",
            "autovacuum is off: what was erased stays in the files, and checks grow slower. Set "
            "it to on.",
        )
