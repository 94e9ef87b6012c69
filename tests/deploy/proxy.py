"""nginx over the files in ``deploy/nginx``: other ports, its own certificate, and nothing else."""

import os
import re
import shutil
import ssl
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import Self

import httpx

from tests.certificate import self_signed
from tests.deploy import DEPLOY, needs
from tests.server import free_port


class Proxy:
    """nginx before two instances of the service, on 127.0.0.1 and two free ports of its own."""

    def __init__(self, directory: Path, ports: tuple[int, int]) -> None:
        self.ports = ports
        self.port, clear = free_port(), free_port()
        self.in_clear = f"http://127.0.0.1:{clear}"
        self._folder = directory / "nginx"
        shutil.copytree(DEPLOY / "nginx", self._folder)
        (self._folder / "tls").mkdir()
        certificate, _ = self_signed(self._folder / "tls")
        certificate.rename(certificate.with_name("fullchain.pem"))
        self._change("nginx.conf", "/var/log/nginx/", f"{self._folder}/")
        self._change("nginx.conf", r"http \{", f"http {{{_passing_files(self._folder)}")
        self._change("nginx.conf", r"worker_processes auto", "worker_processes 1")
        self._change("server.conf", r" *listen \[::\].*\n", "")
        self._change("server.conf", r"listen 80\b", f"listen 127.0.0.1:{clear}")
        self._change("server.conf", r"listen 443\b", f"listen 127.0.0.1:{self.port}")
        self._change("upstream.conf", "8001", str(ports[0]))
        self._change("upstream.conf", "8002", str(ports[1]))
        self._said = self._folder / "said"
        self.command = [needs.program("nginx") or "nginx", "-p", str(self._folder)]
        self.command += ["-e", "stderr", "-c", str(self._folder / "nginx.conf")]
        # Started by root it gives up root, and could not enter this directory then.
        root = "user root; " if os.geteuid() == 0 else ""
        self.command += ["-g", f"{root}daemon off; pid {self._folder}/pid;"]

    def _change(self, name: str, old: str, new: str) -> None:
        path = self._folder / name
        text, changed = re.subn(old, new, path.read_text())
        assert changed, f"{name}: there is no {old} in it any more"
        path.write_text(text)

    def __enter__(self) -> Self:
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(self.command, stdout=said, stderr=said)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                httpx.get(self.in_clear)
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError(self._said.read_text())

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> str:
        """End it, and give all that it wrote."""
        self._process.terminate()
        self._process.wait(timeout=10)
        return "".join(log.read_text() for log in (*self._folder.glob("*.log"), self._said))

    @property
    def certificate(self) -> Path:
        """What vouches for it."""
        return self._folder / "tls" / "fullchain.pem"

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """That of those who trust its certificate."""
        return ssl.create_default_context(cafile=self.certificate)

    def client(self, come_from: str | None = None, timeout: float = 30) -> httpx.Client:
        """Somebody at its doors. ``come_from``: his address; thousands who name one run out of
        ports, since theirs are then not shared out by where they lead to."""
        transport = httpx.HTTPTransport(verify=self.trust, local_address=come_from)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", transport=transport, timeout=timeout
        )


def _passing_files(folder: Path) -> str:
    """Where they go: where they were meant to at its making is not ours to write."""
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{name}_temp_path {folder}/passing-{name};" for name in names)
