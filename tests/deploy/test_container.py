"""The image: small, not root, nothing secret in a layer; a probe that tells up from down."""

import json
import re
import subprocess
import sys
from pathlib import Path

from optout_service.settings import Settings
from tests.deploy import DEPLOY, needs
from tests.server import Server, free_port

LINES = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]
LAST = STEPS[max(number for number, step in enumerate(STEPS) if step[0] == "FROM") :]


@needs.without("hadolint")
def test_its_own_reader_finds_no_fault() -> None:
    command = [needs.program("hadolint"), DEPLOY / "Containerfile"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # type: ignore[arg-type]
    assert (said.returncode, said.stdout) == (0, "")


def test_every_base_image_has_a_version() -> None:
    bases = [rest.split()[0] for name, rest in STEPS if name == "FROM"]
    assert len(bases) == 2
    assert all(re.search(r":\d+\.\d+", base) for base in bases)


def test_only_what_is_named_is_copied_and_nothing_is_fetched() -> None:
    copied = [rest.split()[:-1] for name, rest in STEPS if name == "COPY"]
    sources = {source for line in copied for source in line if not source.startswith("--")}
    package = {"pyproject.toml", "constraints.txt", "README.md", "LICENSE", "optout_service"}
    assert sources == package | {"/opt/optout", "deploy/sbom.cdx.json"}
    assert not [name for name, _ in STEPS if name in ("ADD", "ARG")]


def test_it_runs_as_a_numbered_user_who_is_not_root() -> None:
    (user,) = [rest for name, rest in LAST if name == "USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_its_settings_are_settings_and_no_secret_is_among_them() -> None:
    (given,) = [rest for name, rest in LAST if name == "ENV"]
    set_here = dict(pair.split("=", 1) for pair in given.split())
    settings = Settings.from_env(set_here)
    assert (settings.host, str(settings.data_dir)) == ("0.0.0.0", "/var/lib/optout")
    assert not [name for name in set_here if re.search("KEY|PEPPER|SECRET|DATABASE", name)]


def test_its_probe_tells_a_service_that_is_up_from_one_that_is_not(tmp_path: Path) -> None:
    (check,) = [rest for name, rest in LAST if name == "HEALTHCHECK"]
    command = json.loads(check.partition(" CMD ")[2])
    assert command[0] == "python"

    def ask(port: int) -> int:
        code = command[2].replace(":8000", f":{port}")
        return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode

    server = Server(tmp_path)
    server.set_up()
    server.start()
    assert ask(server.port) == 0
    server.stop()
    assert ask(free_port()) != 0
