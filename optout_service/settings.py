"""Every knob, once: name, type, default, a line of doc. Read once, checked whole, then frozen.

A knob ``x`` is set by ``OPTOUT_X`` in the environment; a secret also by ``OPTOUT_X_FILE``, the
path of a file that holds it.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from optout_service.core.errors import Misconfigured

PREFIX: Final = "OPTOUT_"
_FILE: Final = "_FILE"
_IGNORED: Final = "OPTOUT_TEST_"
_DATABASES: Final = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_LEVELS: Final = ("debug", "info", "warning", "error")


class Secret:
    """A text that prints as stars."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"


NO_SECRET: Final = Secret("")


class _Fault(Exception):
    """What is wrong with one value, and what would be right. Never the value itself."""


def _knob(default: Any, doc: str, read: Callable[[str], Any], *, shown: str = "") -> Any:
    return field(default=default, metadata={"doc": doc, "read": read, "shown": shown})


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    if not value:
        raise _Fault("is empty; give a directory")
    return Path(value)


def _secret(value: str) -> Secret:
    return Secret(value.strip())


def _secrets(value: str) -> tuple[Secret, ...]:
    return tuple(Secret(part) for part in value.replace(",", " ").split())


def _database(value: str) -> Secret:
    if value and not value.strip().startswith(_DATABASES):
        raise _Fault(f"is none of: {', '.join(_DATABASES)}")
    try:
        # Reading the port is what tells a broken host or port.
        _ = urlsplit(value.strip()).port
    except ValueError:
        raise _Fault("has a host or port that cannot be read") from None
    return Secret(value.strip())


def _flag(value: str) -> bool:
    if value.lower() not in (*_TRUE, *_FALSE):
        raise _Fault(f"is neither {'/'.join(_TRUE)} nor {'/'.join(_FALSE)}")
    return value.lower() in _TRUE


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise _Fault(f"is no whole number; give one from {least} to {most}") from None
        if not least <= number <= most:
            raise _Fault(f"is not between {least} and {most}")
        return number

    return read


def _level(value: str) -> str:
    if value.lower() not in _LEVELS:
        raise _Fault(f"is none of: {', '.join(_LEVELS)}")
    return value.lower()


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _Fault("is no URL; give one such as https://optout.example.com")
    if parts.query or parts.fragment:
        raise _Fault("has a query or a fragment; give scheme, host and path only")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _Fault("is http; links in mail must be https (http is for this machine alone)")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that can be set. Build it by hand in tests, by ``from_env`` elsewhere."""

    data_dir: Path = _knob(
        Path("optout-data"), "Where the embedded database and the key files lie.", _path
    )
    database_url: Secret = _knob(
        NO_SECRET,
        "The database: `postgresql://…`, `sqlite:///path`; empty: SQLite in the data directory.",
        _database,
    )
    public_url: str = _knob(
        "http://127.0.0.1:8000",
        "How the service is reached from outside: links begin with it, hooks are signed over it.",
        _url,
    )
    contact: str = _knob(
        "", "A mail address or https URL that the page of a damaged link offers.", _text
    )
    pepper: Secret = _knob(
        NO_SECRET,
        "The key of all digests: 32 random bytes. Lost, it cannot be replaced.",
        _secret,
    )
    encryption_keys: tuple[Secret, ...] = _knob(
        (),
        "The keys that encrypt addresses and evidence; comma list, newest last.",
        _secrets,
    )
    signing_keys: tuple[Secret, ...] = _knob(
        (),
        "The keys that sign links; comma list, newest last, older ones for ever.",
        _secrets,
    )
    host: str = _knob("127.0.0.1", "The address that `optout serve` listens on.", _text)
    port: int = _knob(8000, "The port that `optout serve` listens on.", _number(0, 65535))
    workers: int = _knob(
        0,
        "Processes; 0: one on SQLite, one for each core on PostgreSQL.",
        _number(0, 256),
    )
    threads: int = _knob(
        0, "Threads of a process; 0: 16 on SQLite, 8 on PostgreSQL.", _number(0, 256)
    )
    pool_size: int = _knob(
        0,
        "Connections of a process for checks, other reads, and writes, each; 0: one a thread.",
        _number(0, 256),
    )
    max_body_bytes: int = _knob(
        2 * 1024 * 1024, "The largest request body, in bytes.", _number(4096, 1024**3)
    )
    batch_limit: int = _knob(10_000, "The most addresses in one batch.", _number(1, 1_000_000))
    lift_cap: int = _knob(
        100,
        "The most opt-ins of one tenant and UTC day that do not come from the recipient.",
        _number(0, 1_000_000),
    )
    statement_timeout_ms: int = _knob(
        2000,
        "How long a statement, or the wait for a connection, may take.",
        _number(50, 600_000),
    )
    busy_timeout_ms: int = _knob(
        5000, "How long a writer waits for another writer's lock.", _number(50, 600_000)
    )
    prepared_statements: bool = _knob(
        True,
        "Prepared statements on PostgreSQL; off behind PgBouncer in transaction mode.",
        _flag,
    )
    log_level: str = _knob("info", "The least level that is logged.", _level)
    access_log: bool = _knob(True, "A line in the log for each request, without its path.", _flag)

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
                _take(name, environ, known, given, faults)
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
    def effective_pool_size(self) -> int:
        """Connections of a process: one a thread, so that none waits for another."""
        return self.pool_size or self.effective_threads


def _take(
    name: str,
    environ: Mapping[str, str],
    known: Mapping[str, "Field[Any]"],
    given: dict[str, Any],
    faults: list[str],
) -> None:
    bare = name.removesuffix(_FILE)
    knob = known.get(name) or known.get(bare)
    if knob is None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; docs/settings.md lists what there is."
        faults.append(f"{name}: there is no such setting{hint}")
        return
    try:
        text = environ[name] if name in known else _file(knob, environ, bare, name)
        given[knob.name] = knob.metadata["read"](text)
    except _Fault as fault:
        faults.append(f"{name}: it {fault}.")


def _file(knob: "Field[Any]", environ: Mapping[str, str], bare: str, name: str) -> str:
    if knob.metadata["read"] not in (_secret, _secrets, _database):
        raise _Fault(f"is for secrets only; set {bare} itself")
    if bare in environ:
        raise _Fault(f"and {bare} are both set; keep one of them")
    try:
        return Path(environ[name]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise _Fault("names a file that cannot be read; give its path, readable to us") from None
