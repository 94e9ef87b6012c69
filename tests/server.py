"""The real service in a process of its own, as its user would start it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from optout_service import keyfiles
from optout_service.core.keyring import KeyRing
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from tests import stage
from tests.stage import Cast

# The working directory comes before all others, where Python looks for a package that it is to run.
_OPTOUT: Final = (sys.executable, "-m", "optout_service.cli")


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``optout serve`` on a data directory, and on ``database_url`` unless that is the default.

    ``code``: where the package is imported from, if it is not ours. ``command``: instead of serve.
    """

    def __init__(
        self,
        data_dir: Path,
        database_url: str = "",
        *,
        workers: int = 1,
        code: Path | None = None,
        command: str = "serve",
        **environ: str,
    ) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir / "server.log"
        self._arguments = [command, "--data-dir", str(data_dir), "--port", str(self.port)]
        self._arguments += ["--workers", str(workers)]
        self._code = code
        self._database_url = database_url
        self._further = environ
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """The settings the server runs with, to look into its store from outside."""
        given = {
            "OPTOUT_DATA_DIR": str(self.data_dir),
            "OPTOUT_PUBLIC_URL": self.base_url,
        }
        if self._database_url:
            given["OPTOUT_DATABASE_URL"] = self._database_url
        return Settings.from_env(given)

    def set_up(self) -> Cast:
        """Keys, schema, and the tests' tenants, before it starts for the first time."""
        keyfiles.create_missing(self.settings.data_dir)
        with self.looking_in(Runtime.set_up) as rt:
            return stage.set_up(rt)

    @contextmanager
    def looking_in(
        self, build: Callable[[Settings, KeyRing], Runtime] = Runtime.build
    ) -> Iterator[Runtime]:
        """The server's store, seen from another process."""
        rt = build(self.settings, keyfiles.load(self.settings))
        try:
            yield rt
        finally:
            rt.close()

    @property
    def environ(self) -> dict[str, str]:
        """The environment it runs in: this and nothing else."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.data_dir)}
        environ["OPTOUT_PUBLIC_URL"] = self.base_url
        if self._database_url:
            environ["OPTOUT_DATABASE_URL"] = self._database_url
        if self._code is not None:
            environ["PYTHONPATH"] = str(self._code)
        return environ | self._further

    @property
    def pid(self) -> int:
        """The process id of its master."""
        assert self._process is not None
        return self._process.pid

    @property
    def _command(self) -> tuple[list[str], Path]:
        """What starts it, and where."""
        return [*_OPTOUT, *self._arguments], self.data_dir

    def start(self) -> None:
        """Start it and wait until it answers."""
        command, folder = self._command
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self.environ,
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await_ready()

    def run(self, *command: str) -> str:
        """``optout`` of the same code, on the same store: what it writes. It must do well."""
        ran = subprocess.run(
            [*_OPTOUT, *command, "--data-dir", str(self.data_dir)],
            env=self.environ,
            cwd=self.data_dir,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        return ran.stdout

    def kill(self) -> None:
        """SIGKILL to master and workers: nobody gets to say goodbye."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # A worker that is waiting for the disk dies when it has it, and listens as long.
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_server(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                break

    def kill_a_worker(self) -> None:
        """SIGKILL to one worker; the master starts another."""
        if workers := self.workers():
            os.kill(workers[0], signal.SIGKILL)

    def workers(self) -> list[int]:
        """The process ids of the master's children."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def await_workers(self, number: int, *, other_than: set[int]) -> None:
        """Wait until there are so many workers, one of them new, and the server answers."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            there = set(self.workers())
            if len(there) == number and there - other_than:
                return self._await_ready()
            time.sleep(0.05)
        raise AssertionError("no worker has taken the place of the one that died")

    def signal(self, number: int) -> None:
        """Send its master a signal."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """SIGTERM, and its exit status; again, it does nothing."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=30)

    def stop_if_running(self) -> None:
        """``stop``, for whoever does not know whether it was started, or lives."""
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.base_url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not come up:\n{self.log.read_text()[-4000:]}")


class ByGunicorn(Server):
    """The same by ``gunicorn wsgi:app``, in the folder of its configuration."""

    options: tuple[str, ...] = ()
    """Further options of gunicorn's command line."""

    @property
    def environ(self) -> dict[str, str]:
        """As ``Server``; what that says on its command line stands here."""
        given = {"OPTOUT_DATA_DIR": str(self.data_dir), "OPTOUT_PORT": str(self.port)}
        return super().environ | given

    @property
    def _command(self) -> tuple[list[str], Path]:
        command = [sys.executable, "-m", "gunicorn", *self.options, "wsgi:app"]
        return command, Path(__file__).parents[1]
