"""However an address gets into a line of the log: it is not in it, and it is one line."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from optout_service import telemetry
from tests.cast import ANA
from tests.security import hostile

START = """
import gc, logging, sys, threading, warnings
from optout_service import telemetry
telemetry.configure("debug")
log = logging.getLogger("optout_service.somewhere")
ana, phone = sys.argv[1:3]
"""
WAYS = {
    "in its text": "log.info('to ' + ana + ' and ' + phone)",
    "as an argument": "log.info('to %s', ana, extra={'phone': phone, 'd': {ana: [phone, (ana,)]}})",
    "as bytes": "log.info('to %r', ana.encode(), extra={'raw': ana.encode()})",
    "in a field's name": "log.info('to', extra={ana: 1})",
    "in an object": "log.info('to %s', type('X', (), {'__str__': lambda _: ana})())",
    "in an exception": "raise_and_log(lambda: int(ana))",
    "in its arguments": "raise_and_log(arguments)",
    "in its cause": "raise_and_log(cause)",
    "in its notes": "raise_and_log(noted)",
    "in a group": "raise_and_log(grouped)",
    "in a local variable": "raise_and_log(local)",
    "in an exception's name": "raise_and_log(named)",
    "in a line that cannot be made": "log.info('%d of %s', ana)",
    "in a thread that died": "t = threading.Thread(target=int, args=[ana]); t.start(); t.join()",
    "in a destructor": "type('X', (), {'__del__': lambda _: int(ana)})(); gc.collect()",
    "in a warning": "warnings.warn(ana)",
    "in another library's line": "logging.getLogger('urllib3').warning('%s', ana)",
    "in the name of a logger": "logging.getLogger(ana).error('x')",
}
HELP = """
def raise_and_log(do):
    try:
        do()
    except Exception:
        log.exception("failed")
def cause():
    try:
        raise ValueError(ana)
    except ValueError as fault:
        raise RuntimeError("outer") from fault
def noted():
    fault = ValueError("x")
    fault.add_note(f"while reading {ana}")
    raise fault
def grouped():
    raise ExceptionGroup(ana, [ValueError(phone), ExceptionGroup("x", [KeyError(ana)])])
def arguments():
    raise KeyError(ana, {phone: ana})
def named():
    raise type(ana, (ValueError,), {})
def local():
    secret = ana
    raise ValueError("x")
"""


def written(*ways: str) -> list[str]:
    """What a process writes that does all this, line by line."""
    code = START + HELP + "\n".join(ways)
    environ = {"PATH": os.environ["PATH"], "PYTHONFAULTHANDLER": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code, ANA.email, ANA.phone],
        capture_output=True,
        text=True,
        env=environ,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return (ran.stdout + ran.stderr).splitlines()


def test_no_way_of_writing_one_leaves_an_address() -> None:
    lines = written(*(f"log.info({name!r})\n{way}" for name, way in WAYS.items()))
    seen = [json.loads(line) for line in lines]
    assert {one["event"] for one in seen} >= {*WAYS, "a thread died", "a line could not be written"}
    for line in lines:
        assert "canary" not in line, line
        assert ANA.phone[1:] not in line, line


def test_a_crash_of_the_process_itself_tells_no_values() -> None:
    code = START + "import faulthandler; secret = ana\nfaulthandler.dump_traceback()"
    ran = subprocess.run(
        [sys.executable, "-c", code, ANA.email, ANA.phone],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert "most recent call first" in ran.stderr
    assert "canary" not in ran.stderr


@pytest.mark.parametrize("text", [*hostile.LINES, *hostile.HEADERS, *hostile.CHARACTERS])
def test_a_hostile_text_stays_within_its_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    handler = logging.FileHandler(file)
    handler.setFormatter(telemetry.formatter())
    log = logging.getLogger("optout_service.hostile")
    log.addHandler(handler)
    log.warning("said %s", text, extra={"field": text, "deep": [text]})
    log.removeHandler(handler)
    handler.close()
    (line,) = file.read_bytes().split(b"\n")[:-1]
    read = json.loads(line)
    fields = {"event", "level", "logger", "timestamp", "field", "deep"}
    assert set(read) - {"request_id"} == fields
    assert read["event"].startswith("said ")
    assert not any(byte < 0x20 or byte == 0x7F for byte in line)


def test_nothing_traces_requests_to_elsewhere() -> None:
    code = (
        "import sys\nfrom optout_service.app import create_app\n"
        "print(*(name for name in sys.modules if name.startswith(('opentelemetry', 'sentry'))))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
