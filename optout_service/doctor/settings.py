"""What the settings alone tell, without a look into the database."""

import os
from collections.abc import Iterator
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from optout_service import keyfiles
from optout_service.core.errors import Misconfigured
from optout_service.core.headers import is_this_machine
from optout_service.core.keyring import KeyRing
from optout_service.doctor import machine
from optout_service.doctor.finding import Finding, advice, mend, ok
from optout_service.settings import Settings


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings that need no database. Raises nothing for what is wrong."""
    yield public_url(settings)
    yield listening(settings)
    yield from metrics(settings)
    yield from checkpoint_directory(settings)


def keys(settings: Settings) -> tuple[KeyRing | None, Finding]:
    """The keys, if they are there and can be read, and what there is to say of them."""
    try:
        found = keyfiles.load(settings)
    except Misconfigured as fault:
        return None, mend("keys", fault.detail)
    rings = f"{len(found.encryption)} to encrypt, {len(found.signing)} to sign"
    return found, ok("keys", f"A pepper and the rings are here: {rings}.")


def public_url(settings: Settings) -> Finding:
    """Mail clients post to https alone (RFC 8058, 3.1)."""
    parts = urlsplit(settings.public_url)
    if is_this_machine(parts.hostname or ""):
        return mend(
            "public URL",
            "It names this machine, and so do all links: nobody else can opt out by them. Set "
            "OPTOUT_PUBLIC_URL to the https address that people and providers reach.",
        )
    return ok("public URL", f"Links begin with {settings.public_url}/u/.")


def listening(settings: Settings) -> Finding:
    """The service speaks plain http; whoever stands before it speaks TLS."""
    if is_this_machine(settings.host):
        return ok("proxy", "The plain port is for a proxy on this machine alone.")
    return advice(
        "proxy",
        "The service speaks plain http, and listens beyond this machine (OPTOUT_HOST). See that "
        "the proxy that speaks https alone can reach that port. It needs no X-Forwarded headers to "
        "be trusted: links and hooks are read by OPTOUT_PUBLIC_URL.",
    )


def metrics(settings: Settings) -> Iterator[Finding]:
    """Figures are told to whoever asks, and name tenants."""
    if not settings.metrics_port:
        yield advice("metrics", "Nothing is counted. Set OPTOUT_METRICS_PORT (docs/metrics.md).")
    elif settings.metrics_port == settings.port:
        yield mend(
            "metrics", "OPTOUT_METRICS_PORT is the service's own port, and neither would start."
        )
    elif not is_this_machine(settings.metrics_host):
        yield advice(
            "metrics",
            "/metrics asks for no proof, and is served beyond this machine (OPTOUT_METRICS_HOST). "
            "See that Prometheus alone reaches its port.",
        )
    else:
        yield ok("metrics", f"Port {settings.metrics_port}, for this machine alone.")


def checkpoint_directory(settings: Settings) -> Iterator[Finding]:
    """Checkpoints prove something where whoever can write to the database cannot write."""
    directory = settings.effective_checkpoint_dir
    if not settings.checkpoint_seconds:
        yield advice(
            "checkpoints",
            "The service writes none (OPTOUT_CHECKPOINT_SECONDS is 0). Let cron run "
            "optout evidence checkpoint.",
        )
    there = machine.there(directory)
    try:
        TemporaryFile(dir=there).close()
        device = os.stat(there).st_dev
    except OSError as fault:
        yield mend(
            "checkpoint directory",
            f"{directory} cannot be written to: {fault.strerror}. Nothing would show that an old "
            "copy of the database was put back. Make it the service's user's own, mode 700.",
        )
        return
    if settings.on_sqlite and device == _device_of_database(settings):
        yield advice(
            "checkpoint directory",
            f"{directory} lies on the database's own disk, and is lost with it. Set "
            "OPTOUT_CHECKPOINT_DIR to another volume, or copy it away often.",
        )
    elif settings.on_sqlite:
        yield ok("checkpoint directory", f"{directory} can be written to, apart from the database.")
    else:
        # Where the server keeps its data is not told to everybody who may connect.
        detail = f"{directory} can be written to. See that no disk of PostgreSQL's holds it."
        yield ok("checkpoint directory", detail)


def _device_of_database(settings: Settings) -> int | None:
    try:
        return os.stat(machine.database(settings)).st_dev
    except OSError:
        return None
