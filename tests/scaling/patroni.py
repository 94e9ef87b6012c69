"""Two PostgreSQLs under a real Patroni and etcd, by the file in deploy/ with other places in it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import yaml

from tests.postgres import PostgreSQL
from tests.server import free_port

FILE: Final = Path(__file__).parents[2] / "deploy" / "patroni" / "patroni.yml"
_NOBODY: Final = 65534
_PATIENCE: Final = 90


class Node:
    """One machine's Patroni and its PostgreSQL."""

    def __init__(self, name: str, home: Path, etcd: int) -> None:
        self.name = name
        self.port, self.rest = free_port(), free_port()
        self._home = home
        # Its binaries, where whoever is not root can run them.
        self._server = PostgreSQL()
        self._config = home / f"{name}.yml"
        self._log = home / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        self._config.write_text(yaml.safe_dump(self._settings(etcd)))

    @property
    def data(self) -> Path:
        """Where its data lies."""
        return self._home / self.name

    def start(self) -> None:
        """Start Patroni, which starts the rest."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["patroni", self._config], stdout=log, stderr=log, cwd=self._home,
                start_new_session=True, env=os.environ | {"HOME": str(self._home)}, **self._as,
            )  # fmt: skip

    def kill_postgres(self) -> None:
        """SIGKILL to PostgreSQL alone; its children end with it."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to Patroni and PostgreSQL, as when the machine is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.kill_postgres()

    def remove(self) -> None:
        """Take it down."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._server.remove()

    def leads(self) -> bool:
        """Whether Patroni says that this is the primary."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.rest}/primary", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def _settings(self, etcd: int) -> dict[str, Any]:
        read: dict[str, Any] = yaml.safe_load(FILE.read_text())
        here, rest = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.rest}"
        read["name"] = self.name
        read["etcd3"]["hosts"] = f"127.0.0.1:{etcd}"
        read["restapi"] = {"listen": rest, "connect_address": rest}
        read["postgresql"] |= {
            "listen": here,
            "connect_address": here,
            "data_dir": str(self.data),
            "bin_dir": str(self._server.programs),
            "pgpass": str(self._home / f"{self.name}.pgpass"),
            "parameters": {"unix_socket_directories": str(self._home)},
        }
        return read


@contextmanager
def cluster(home: Path) -> Iterator[tuple[Node, Node]]:
    """Two nodes, the first leading and the second its synchronous standby."""
    home.mkdir()
    home.parent.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(home, _NOBODY, _NOBODY)
    client, peer = free_port(), free_port()
    etcd = subprocess.Popen(
        ["etcd", "--data-dir", home / "etcd", "--log-level", "error",
         "--listen-client-urls", f"http://127.0.0.1:{client}",
         "--advertise-client-urls", f"http://127.0.0.1:{client}",
         "--listen-peer-urls", f"http://127.0.0.1:{peer}",
         "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
         "--initial-cluster", f"default=http://127.0.0.1:{peer}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    nodes = Node("one", home, client), Node("two", home, client)
    try:
        nodes[0].start()
        _until(nodes[0].leads)
        nodes[1].start()
        _until(lambda: _confirmed(nodes[0]))
        yield nodes
    finally:
        for node in nodes:
            node.remove()
        etcd.kill()
        etcd.wait()
        shutil.rmtree(home, ignore_errors=True)


def url(nodes: tuple[Node, Node], database: str) -> str:
    """The URL of both."""
    hosts = "&".join(f"host=127.0.0.1:{node.port}" for node in nodes)
    return f"postgresql://postgres@/{database}?{hosts}"


def _confirmed(node: Node) -> bool:
    """Whether a standby confirms its commits."""
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{node.port}/postgres") as connection:
        found = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
        return connection.execute(found).fetchone() == (1,)


def _until(so: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not so():
        assert time.monotonic() < deadline, "Patroni did not get there"
        time.sleep(0.2)
