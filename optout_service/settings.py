"""Every knob, once: name, type, default, a line of doc. Read once, checked whole, then frozen.

A knob ``x`` is set by ``OPTOUT_X`` in the environment; a secret also by ``OPTOUT_X_FILE``, the
path of a file that holds it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final, Self

from optout_service import knobs
from optout_service.core.errors import Misconfigured
from optout_service.knobs import NO_SECRET, Secret, knob

PREFIX: Final = "OPTOUT_"
_IGNORED: Final = "OPTOUT_TEST_"
_DAYS: Final = knobs.number(0, 36_525)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that can be set. Build it by hand in tests, by ``from_env`` elsewhere."""

    data_dir: Path = knob(
        Path("optout-data"), "Where the embedded database and the key files lie.", knobs.path
    )
    database_url: Secret = knob(
        NO_SECRET,
        "The database: `postgresql://…`, `sqlite:///path`; empty: SQLite in the data directory.",
        knobs.database,
    )
    replica_url: Secret = knob(
        NO_SECRET, "Standbys that long reads go to, where one is up to date.", knobs.database
    )
    public_url: str = knob(
        "http://127.0.0.1:8000",
        "How the service is reached from outside: links begin with it, hooks are signed over it.",
        knobs.url,
    )
    contact: str = knob(
        "", "A mail address or https URL that the page of a damaged link offers.", knobs.text
    )
    mailto: str = knob(
        "",
        "The mailbox that reads opt-outs sent by mail: then the header of a mail offers it, after "
        "the link.",
        knobs.mailbox,
    )
    pepper: tuple[Secret, ...] = knob(
        (),
        "The key of all digests: 32 random bytes. Lost, it cannot be replaced. A comma list where "
        "it was rotated, newest last, all of them for ever.",
        knobs.secrets,
    )
    encryption_keys: tuple[Secret, ...] = knob(
        (),
        "The keys that encrypt addresses and evidence; comma list, newest last.",
        knobs.secrets,
    )
    signing_keys: tuple[Secret, ...] = knob(
        (),
        "The keys that sign links; comma list, newest last, older ones for ever.",
        knobs.secrets,
    )
    host: str = knob("127.0.0.1", "The address that `optout serve` listens on.", knobs.text)
    port: int = knob(8000, "The port that `optout serve` listens on.", knobs.number(0, 65535))
    proxies: int = knob(
        0,
        "How many proxies of ours stand before the service, each adding the address of who called "
        "it to `X-Forwarded-For`; 0: none, and that header proves nothing.",
        knobs.number(0, 16),
    )
    workers: int = knob(
        0, "Processes; 0: one on SQLite, one for each core on PostgreSQL.", knobs.number(0, 256)
    )
    threads: int = knob(
        0, "Threads of a process; 0: 16 on SQLite, 8 on PostgreSQL.", knobs.number(0, 256)
    )
    api_share: int = knob(
        75,
        "The most that requests to the API hold of a process's threads, in percent; the others are "
        "left for recipients, providers and probes.",
        knobs.number(1, 100),
    )
    api_patience_ms: int = knob(
        1000,
        "How long a request to the API may wait for a thread before it is told `busy`; lists and "
        "batches wait ten times as long.",
        knobs.number(10, 60_000),
    )
    pool_size: int = knob(
        0,
        "Connections of a process for checks, other reads, and writes, each; 0: one a thread.",
        knobs.number(0, 256),
    )
    max_body_bytes: int = knob(
        2 * 1024 * 1024, "The largest request body, in bytes.", knobs.number(4096, 1024**3)
    )
    cache_dir: str = knob(
        "",
        "Where tables of digests lie, which make scrubs quick, and backups are put together; "
        "empty: in the data directory, or, if there is none, with temporary files.",
        knobs.text,
    )
    table_rows: int = knob(
        100_000,
        "From how many suppressions on a tenant gets such a table; 0: none does.",
        knobs.number(0, 2**40),
    )
    scrub_hand: bool = knob(
        True,
        "Whether a worker with a long list to scrub starts a second process to help it.",
        knobs.flag,
    )
    spool_bytes: int = knob(
        1024**3,
        "How much of a long answer is gathered on disk before it is begun.",
        knobs.number(0, 1024**4),
    )
    stream_timeout_ms: int = knob(
        60_000,
        "How long a client may keep a long body, or its answer, standing still.",
        knobs.number(100, 3_600_000),
    )
    batch_limit: int = knob(10_000, "The most addresses in one batch.", knobs.number(1, 1_000_000))
    lift_cap: int = knob(
        100,
        "The most opt-ins of one tenant and UTC day that do not come from the recipient.",
        knobs.number(0, 1_000_000),
    )
    rate_per_second: int = knob(
        0,
        "The most requests of one API key in a second, in all processes together; 0: no limit.",
        knobs.number(0, 1_000_000),
    )
    heavy_rate_per_minute: int = knob(
        0,
        "The most batches, and other requests that take long, of one API key in a minute; 0: no "
        "limit.",
        knobs.number(0, 1_000_000),
    )
    link_requests_per_minute: int = knob(
        60,
        "The most requests that people with a damaged link can send in a minute, in all processes "
        "together; 0: the page has no form.",
        knobs.number(0, 1_000_000),
    )
    review_holds: bool = knob(
        True,
        "Whether a doubtful message stops marketing at once, until somebody has decided.",
        knobs.flag,
    )
    revoke_all_from: date | None = knob(
        date(2027, 1, 31),
        "The day (UTC) from which a STOP stops all, however narrow its sender; empty: never.",
        knobs.day,
    )
    mail_secrets: tuple[Secret, ...] = knob(
        (),
        "What proves mail posted to `/hooks/mail/inbound`; comma list, newest last; none: refused.",
        knobs.long_secrets,
    )
    mail_authserv_id: str = knob(
        "",
        "The name by which our own mail server signs `Authentication-Results`; empty: From proves "
        "nothing.",
        knobs.text,
    )
    keep_words_days: int = knob(
        1096, "How long the words and references of acts and reviews are kept; 0: for ever.", _DAYS
    )
    keep_traces_days: int = knob(
        1096, "The same of acts by link: IP address, user agent, message; 0: for ever.", _DAYS
    )
    keep_answers_days: int = knob(
        30, "How long an `Idempotency-Key` repeats its answer; 0: for ever.", _DAYS
    )
    keep_visits_days: int = knob(
        396, "How long it is kept how often links were opened; 0: for ever.", _DAYS
    )
    key_days: int = knob(0, "For how many days an API key is good at most; 0: for ever.", _DAYS)
    clearance_seconds: int = knob(
        900, "How long a clearance of a check may be sent on.", knobs.number(1, 7 * 86_400)
    )
    checkpoint_dir: str = knob(
        "",
        "Where signed checkpoints of the ledgers lie; empty: `checkpoints` in the data directory.",
        knobs.text,
    )
    checkpoint_seconds: int = knob(
        300,
        "How often the service writes a checkpoint of each ledger that has grown; 0: never.",
        knobs.number(0, 7 * 86_400),
    )
    statement_timeout_ms: int = knob(
        1500,
        "How long a statement, or the wait for a connection, may take.",
        knobs.number(50, 600_000),
    )
    busy_timeout_ms: int = knob(
        1500, "How long a writer waits for another writer's lock.", knobs.number(50, 600_000)
    )
    prepared_statements: bool = knob(
        True, "Prepared statements; off behind PgBouncer in transaction mode.", knobs.flag
    )
    keywords_dir: str = knob(
        "",
        "A directory with words of your own: `all.toml`, `<tenant>.toml` (docs/text.md).",
        knobs.text,
    )
    metrics_port: int = knob(
        0,
        "The port for Prometheus' `/metrics`, and nothing else; 0: nothing is counted.",
        knobs.number(0, 65535),
    )
    metrics_host: str = knob("127.0.0.1", "The address that `/metrics` is served on.", knobs.text)
    log_level: str = knob("info", "The least level that is logged.", knobs.level)
    access_log: bool = knob(
        True, "A line in the log for each request, without its path.", knobs.flag
    )

    @classmethod
    def from_process(cls) -> Self:
        """The settings of this process. Raises Misconfigured."""
        return cls.from_env(os.environ)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read every ``OPTOUT_*`` of an environment.

        Raises Misconfigured with all faults at once, each with a hint: unknown names, values that
        cannot be read or make no sense. No value is repeated: a database URL carries its password.
        """
        known = {f"{PREFIX}{knob.name.upper()}": knob for knob in fields(cls)}
        faults: list[str] = []
        given: dict[str, Any] = {}
        for name in sorted(environ):
            if name.startswith(PREFIX) and not name.startswith(_IGNORED):
                knobs.take(name, environ, known, given, faults)
        if faults:
            raise Misconfigured("\n".join(faults))
        return cls(**given)

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded default, SQLite in the data directory."""
        return not self.database_url

    @property
    def effective_database_url(self) -> Secret:
        """The database's URL, also where none was set."""
        if self.database_url:
            return self.database_url
        return Secret(f"sqlite:///{self.data_dir.absolute() / 'optout.db'}")

    @property
    def effective_cache_dir(self) -> Path:
        """Where the tables of digests lie."""
        if self.cache_dir:
            return Path(self.cache_dir)
        # A server of its own has no data directory, as a rule, and often may not make one.
        there = self.embedded or self.data_dir.is_dir()
        return self.data_dir / "cache" if there else Path(gettempdir()) / "optout-cache"

    @property
    def effective_checkpoint_dir(self) -> Path:
        """Where checkpoints lie, also where nothing was set."""
        return Path(self.checkpoint_dir) if self.checkpoint_dir else self.data_dir / "checkpoints"

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is SQLite."""
        return self.effective_database_url.reveal().startswith("sqlite:")

    @property
    def effective_workers(self) -> int:
        """Processes. One on SQLite: it has one writer, and one process shares its commits."""
        return self.workers or (1 if self.on_sqlite else os.cpu_count() or 1)

    @property
    def effective_threads(self) -> int:
        """Threads of a process."""
        return self.threads or (16 if self.on_sqlite else 8)

    @property
    def waiters(self) -> int:
        """How many callers of a process may wait for news, each on a thread beside the others."""
        return self.effective_threads // 2

    @property
    def effective_pool_size(self) -> int:
        """Connections of a process: one a thread, so that none waits for another."""
        return self.pool_size or self.effective_threads


def name_metrics_directory(directory: Path) -> None:
    """Tell prometheus-client where the workers' figures lie: it takes that from nowhere else."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
