"""systemd: units that it reads, locked down, with an environment that the service reads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from optout_service.settings import Settings
from tests.deploy import DEPLOY, needs

FOLDER = DEPLOY / "systemd"
UNITS = ("optout@.service", "optout-migrate.service")
MOST_EXPOSED = 15
"""Tenths, of systemd's own scale from 0 to 10."""


def environment(name: str) -> dict[str, str]:
    lines = (FOLDER / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@needs.without("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_what_systemd_reads(unit: str, tmp_path: Path) -> None:
    # It looks whether the programs are there, and takes a template for the instance in its name.
    here = re.sub(r"/(opt/optout|usr)/bin/\w+", sys.executable, (FOLDER / unit).read_text())
    path = tmp_path / unit.replace("@", "@a")
    path.write_text(here)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@needs.without("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_may_do_little(unit: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}"]
    ran = subprocess.run([*command, FOLDER / unit], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-200:]


@pytest.mark.parametrize("instance", ["a", "b"])
def test_an_instance_has_settings_a_port_that_nginx_knows_and_no_secret(
    instance: str, tmp_path: Path
) -> None:
    given = environment("optout.env") | environment(f"{instance}.env")
    for name in given:
        if name.endswith("_FILE"):
            path = tmp_path / name
            path.write_text("postgresql://127.0.0.1/optout")
            given[name] = str(path)
    settings = Settings.from_env(given)
    upstream = (DEPLOY / "nginx" / "upstream.conf").read_text()
    assert f"server 127.0.0.1:{settings.port} " in upstream
    assert (
        f'"127.0.0.1:{settings.metrics_port}"'
        in (DEPLOY / "prometheus" / "scrape.yaml").read_text()
    )


def test_the_two_instances_share_no_port() -> None:
    a, b = environment("a.env"), environment("b.env")
    assert not set(a.values()) & set(b.values())


def test_a_worker_is_given_the_time_to_finish_what_it_began() -> None:
    unit = (FOLDER / "optout@.service").read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) > 25
