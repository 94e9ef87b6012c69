"""A real PgBouncer before a real PostgreSQL, by the file in deploy/ with other places in it."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import make_url

from tests.scaling import needs
from tests.server import free_port

FILE: Final = Path(__file__).parents[2] / "deploy" / "pgbouncer" / "pgbouncer.ini"
_NOBODY: Final = 65534


class PgBouncer:
    """One, in transaction mode, for any database of the server at ``server_url``."""

    def __init__(self, server_url: str, **changed: str) -> None:
        """``changed``: settings of PgBouncer's in place of the file's."""
        self.port = free_port()
        self._home = Path(tempfile.mkdtemp(prefix="optout-pgbouncer-"))
        self._log = self._home / "log"
        self._as: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        server = make_url(server_url)
        self._user = server.username
        (self._home / "userlist.txt").write_text(f'"{self._user}" "{server.password or ""}"\n')
        target = f"host={server.host} port={server.port or 5432}"
        changes = {
            "*": target,
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(self._home / "userlist.txt"),
            "pidfile": "",
            "logfile": "",
            **changed,
        }
        (self._home / "pgbouncer.ini").write_text(_with(FILE.read_text(), changes))
        if os.geteuid() == 0:
            for path in (self._home, *self._home.iterdir()):
                os.chown(path, _NOBODY, _NOBODY)
        else:
            self._as = {}
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """The URL of a database, through it."""
        return f"postgresql://{self._user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it takes a connection. Raises AssertionError with its log."""
        program = needs.pgbouncer()
        assert program is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, self._home / "pgbouncer.ini"], stdout=log, stderr=log, **self._as
            )
        deadline = time.monotonic() + 15
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"PgBouncer did not start:\n{self._log.read_text()[-4000:]}")

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def remove(self) -> None:
        """Take it down."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._home, ignore_errors=True)


def _with(text: str, changes: dict[str, str]) -> str:
    for name, value in changes.items():
        line = rf"^;?{re.escape(name)} *=.*$"
        text, found = re.subn(line, lambda _, n=name, v=value: f"{n} = {v}", text, flags=re.M)  # type: ignore[misc]
        assert found, f"the file says nothing of {name}"
    return text
