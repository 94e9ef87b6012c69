"""No test reaches beyond this machine; nothing in the tree names another one, or this one."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import TrafficRefused

ROOT = Path(__file__).parents[2]
# Spelled in halves, so that this file does not find itself.
FORBIDDEN = re.compile(
    "|".join(
        ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]", "py" + "pi\\.org", "pythonho" + "sted"]
    )
)


def test_a_test_that_reaches_for_the_network_fails() -> None:
    with pytest.raises(TrafficRefused), socket.socket() as reaching:
        reaching.connect(("192.0.2.1", 80))
    with pytest.raises(TrafficRefused):
        socket.getaddrinfo("example.com", 80)


def test_loopback_is_reached() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            pass


def test_the_tree_names_no_machine_and_no_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    files = [ROOT / name for name in listed] or list(ROOT.glob("*/**/*.py"))
    found = [
        f"{path.name}: {line.strip()}"
        for path in files
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".html", ".css", ""}
        for line in path.read_text(encoding="utf-8").splitlines()
        if FORBIDDEN.search(line)
    ]
    assert found == []
