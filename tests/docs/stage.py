"""What a reader of a page has beside him: a running demo, and the files that the page names."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from optout_service.core.keyring import new_key
from optout_service.providers import twilio
from tests import payloads
from tests.docs.pages import ROOT
from tests.server import free_port

Told = dict[str, Any]
_HOOKS: Final = "/hooks/twilio"


def environ(directory: Path, **further: str) -> dict[str, str]:
    """Nothing of the one who tests; ``optout`` and ``python3`` are those that run this."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(directory), **further}


@contextmanager
def demo(directory: Path) -> Iterator[Told]:
    """``optout demo``, as the README starts it, but for the port."""
    log = directory / "demo.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            ["optout", "demo", "--port", str(free_port())],
            cwd=directory,
            env=environ(directory),
            stdout=output,
            stderr=output,
        )
    try:
        yield _told(running, directory / "optout-data" / "demo.json", log)
    finally:
        running.terminate()
        running.wait(timeout=30)


def _told(running: subprocess.Popen[bytes], path: Path, log: Path) -> Told:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and running.poll() is None:
        if path.exists():
            told: Told = json.loads(path.read_text())
            return told
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def lay_out(page: str, directory: Path, told: Told) -> None:
    """Put there what the page takes for granted."""
    if page == "calls.md":
        (directory / "stop.txt").write_bytes(payloads.load("twilio/stop_long_code"))
        (directory / "calls.jsonl").write_text(json.dumps(_captured(told, "call_inbound")))
        (directory / "captured.json").write_text(json.dumps(_captured(told, "call_inbound")))
    if page == "README.md":
        _secrets(directory / "secrets")


def _captured(told: Told, name: str) -> dict[str, Any]:
    body = payloads.load(f"twilio/{name}").decode()
    url = f"{told['twilio']['public_url']}{_HOOKS}/voice"
    fields = dict(parse_qsl(body, keep_blank_values=True))
    signature = twilio.sign(told["twilio"]["auth_token"], url, fields)
    form = "application/x-www-form-urlencoded"
    headers = {"Content-Type": form, "X-Twilio-Signature": signature}
    return {"method": "POST", "url": url, "headers": headers, "body": body}


def _secrets(directory: Path) -> None:
    directory.mkdir()
    for name in ("pepper", "encryption", "signing"):
        (directory / name).write_text(new_key())
    (directory / "database").write_text(f"sqlite:///{directory / 'optout.db'}")


def beside_the_world(page: str, text: str, directory: Path, twilio_url: str) -> str:
    """A command with what lies outside this machine put inside it.

    Twilio's API is its stand-in, ``/run/secrets`` a directory, and gunicorn looks whether the
    application starts, instead of serving until somebody ends it.
    """
    if page == "calls.md":
        text = text.replace("twilio reconcile", f"twilio reconcile --api {twilio_url}")
    if page == "README.md":
        text = text.replace("/run/secrets", str(directory / "secrets"))
        text = text.replace("gunicorn ", f"gunicorn --check-config --chdir {ROOT} ")
    return text
