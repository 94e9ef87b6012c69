"""``optout demo`` and ``optout serve``, as whoever tries them on a new machine sees them."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from optout_service import keyfiles
from optout_service.core.keyring import new_key
from optout_service.providers import twilio
from tests.server import free_port


class Demo:
    """A running ``optout demo``."""

    def __init__(
        self, data_dir: Path, *, workers: int = 1, database_url: str = "", **environ: str
    ) -> None:
        self.data_dir = data_dir
        self.output = data_dir.with_suffix(".out")
        left_by_a_killed_one = self._read()
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "optout_service.cli", "demo"),
                    *("--data-dir", str(data_dir), "--port", str(free_port())),
                    *("--workers", str(workers)),
                    *(("--database-url", database_url) if database_url else ()),
                ],
                env={"PATH": os.environ["PATH"], "HOME": str(data_dir.parent), **environ},
                stdout=output,
                stderr=output,
            )
        self.told = self._await(left_by_a_killed_one)

    def _await(self, stale: dict[str, Any] | None) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            if (told := self._read()) is not None and told != stale:
                return told
            time.sleep(0.05)
        raise AssertionError(self.output.read_text())

    def _read(self) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = json.loads((self.data_dir / "demo.json").read_text())
        except FileNotFoundError:
            return None
        return told

    def suppressed(self, channel: str, address: str, **more: str) -> bool:
        answer = httpx.post(
            f"{self.told['base_url']}/v1/check",
            json={"channel": channel, "address": address, **more},
            headers={"Authorization": f"Bearer {self.told['keys']['sender']}"},
        )
        assert answer.status_code == 200, answer.text
        verdict: bool = answer.json()["suppressed"]
        return verdict

    def printed(self) -> str:
        """What it printed for people, once that is complete."""
        deadline = time.monotonic() + 5
        while "Ctrl-C" not in (text := self.output.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return text

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=30)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path / "data")
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


def test_the_link_it_prints_works(demo: Demo) -> None:
    link, address = demo.told["link"], demo.told["address"]
    assert httpx.get(link).status_code == 200
    assert not demo.suppressed("email", address, topic="newsletter")
    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert demo.suppressed("email", address, topic="newsletter")


def test_a_stop_signed_with_what_it_tells_works(demo: Demo) -> None:
    told = demo.told["twilio"]
    fields = {
        "AccountSid": told["account"],
        "MessageSid": "SM1",
        "From": "+14155550100",
        "To": told["to"],
        "Body": "STOP",
    }
    url = f"{told['public_url']}/hooks/twilio/messages"
    headers = {"X-Twilio-Signature": twilio.sign(told["auth_token"], url, fields)}
    path = f"{demo.told['base_url']}/hooks/twilio/messages"
    assert httpx.post(path, data=fields).status_code == 403
    assert httpx.post(path, data=fields, headers=headers).status_code == 200
    assert demo.suppressed("sms", "+14155550100")


def test_the_lines_it_prints_for_people_do_what_they_say(demo: Demo) -> None:
    lines = demo.printed().replace("\\\n", " ").splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("   curl ")]
    answers = [perform(command) for command in commands]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.json()["suppressed"] for answer in answers[2:]] == [True, True]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_signed_stop_it_prints_works_as_it_stands(demo: Demo) -> None:
    line = next(line for line in demo.printed().splitlines() if "X-Twilio-Signature" in line)
    ran = subprocess.run(
        ["sh", "-c", f"{line} -sS --fail"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "<Response" in ran.stdout
    assert demo.suppressed("sms", "+14155552671")


def perform(curl: list[str]) -> httpx.Response:
    """Do what a line of curl says: its headers, its data, its URL."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    data, url, words = "", "", iter(curl[1:])
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = next(words)
        else:
            url = word
    return httpx.post(url, content=data.encode(), headers=headers)


def test_what_it_writes_is_for_its_owner_alone(demo: Demo) -> None:
    for path in demo.data_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert set(demo.told["keys"]) == {
        *("sender", "integration", "agent", "auditor", "admin", "platform")
    }


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_the_process_that_forks_holds_no_connection(demo: Demo) -> None:
    files = [os.readlink(fd) for fd in Path(f"/proc/{demo.process.pid}/fd").iterdir()]
    assert not [name for name in files if "optout.db" in name]


def test_hooks_are_signed_over_the_public_url_where_one_is_set(tmp_path: Path) -> None:
    running = Demo(tmp_path / "data", OPTOUT_PUBLIC_URL="https://optout.example.com/")
    try:
        assert running.told["twilio"]["public_url"] == "https://optout.example.com"
        assert httpx.get(running.told["link"]).status_code == 200, "it opens on this machine"
        stop = next(line for line in running.printed().splitlines() if "X-Twilio" in line)
        assert perform(shlex.split(stop)).status_code == 200
    finally:
        running.end()


def test_a_second_demo_leaves_the_first_ones_directory_alone(demo: Demo, tmp_path: Path) -> None:
    said = refused("demo", "--data-dir", str(demo.data_dir), "--port", "0", home=tmp_path)
    assert "running" in said
    assert json.loads((demo.data_dir / "demo.json").read_text()) == demo.told


def test_after_a_kill_it_starts_again_with_the_same_keys(tmp_path: Path) -> None:
    first = Demo(tmp_path / "data")
    first.end(signal.SIGKILL)
    assert (tmp_path / "data" / "demo.json").exists(), "nobody was left to take it away"
    second = Demo(tmp_path / "data")
    try:
        assert second.told["keys"] == first.told["keys"]
        assert not second.suppressed("email", second.told["address"])
    finally:
        second.end()


def test_on_any_database_it_carries_on_the_same(tmp_path: Path, empty_database_url: str) -> None:
    told = []
    for before in (False, True):
        running = Demo(tmp_path / "data", database_url=empty_database_url)
        try:
            told.append(running.told)
            address = running.told["address"]
            assert running.suppressed("email", address, topic="newsletter") is before
            httpx.post(running.told["link"])
        finally:
            assert running.end() == 0
    assert told[0]["keys"] == told[1]["keys"]


def test_started_again_it_carries_on_with_what_is_there(tmp_path: Path) -> None:
    first = Demo(tmp_path / "data")
    httpx.post(first.told["link"])
    assert first.end() == 0
    assert not (tmp_path / "data" / "demo.json").exists(), "it is there while the demo answers"
    second = Demo(tmp_path / "data")
    try:
        assert second.told["keys"] == first.told["keys"]
        assert second.told["twilio"]["auth_token"] == first.told["twilio"]["auth_token"]
        assert second.suppressed("email", second.told["address"], topic="newsletter")
    finally:
        second.end()


def test_two_workers_tell_the_same(tmp_path: Path) -> None:
    running = Demo(tmp_path / "data", workers=2)
    try:
        for number in range(20):
            body = urlencode({"List-Unsubscribe": "One-Click"})
            assert httpx.post(running.told["link"], content=body).status_code == 200
            address = f"r{number}@example.com"
            recorded = httpx.post(
                f"{running.told['base_url']}/v1/opt-outs",
                json={"channel": "email", "address": address},
                headers={"Authorization": f"Bearer {running.told['keys']['integration']}"},
            )
            assert recorded.status_code == 201
            assert all(running.suppressed("email", address) for _ in range(4))
    finally:
        running.end()


def refused(*arguments: str, home: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "optout_service.cli", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_with_a_wrong_pepper_it_does_not_start_and_says_how_to_recover(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    Demo(data_dir).end()
    pepper = keyfiles.directory(data_dir) / "pepper"
    right = pepper.read_text()
    pepper.write_text(new_key())
    said = refused("serve", "--data-dir", str(data_dir), "--port", "0", home=tmp_path)
    assert "Put the original pepper back" in said
    pepper.unlink()
    said = refused("serve", "--data-dir", str(data_dir), "--port", "0", home=tmp_path)
    assert "lacks: pepper" in said
    pepper.write_text(right)
    pepper.chmod(0o600)
    again = Demo(data_dir)
    assert again.end() == 0


def test_a_port_that_is_taken_is_said_at_once(demo: Demo, tmp_path: Path) -> None:
    port = demo.told["base_url"].rpartition(":")[2]
    said = refused("serve", "--data-dir", str(tmp_path / "x"), "--port", port, home=tmp_path)
    assert "--port" in said


def test_an_address_that_is_not_ours_is_said_at_once(tmp_path: Path) -> None:
    nobodys = ("--host", "192.0.2.1", "--port", "0")  # RFC 5737
    assert "--host" in refused("serve", "--data-dir", str(tmp_path / "x"), *nobodys, home=tmp_path)


def test_on_another_database_serve_asks_for_the_schema(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path / "x")
    said = refused(
        *("serve", "--data-dir", str(tmp_path / "x"), "--port", "0"),
        *("--database-url", f"sqlite:///{tmp_path}/other.db"),
        home=tmp_path,
    )
    assert "optout db upgrade" in said
    assert not (tmp_path / "other.db").exists()


def test_on_another_database_serve_asks_for_keys(tmp_path: Path) -> None:
    said = refused(
        *("serve", "--data-dir", str(tmp_path / "x"), "--port", "0"),
        *("--database-url", f"sqlite:///{tmp_path}/other.db"),
        home=tmp_path,
    )
    assert "OPTOUT_PEPPER" in said
