"""Compose: one machine, everything locked down, secrets from files alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from optout_service.settings import Settings
from tests.deploy import DEPLOY, needs

TEXT = (DEPLOY / "compose.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]


@needs.without("compose_spec")
def test_the_file_is_what_compose_reads() -> None:
    import compose_spec

    interpolated = re.sub(r"\$\{[^}]*\}", "https://optout.example.com", TEXT)
    parsed = compose_spec.PyCompose.from_json(json.dumps(yaml.safe_load(interpolated)))
    assert set(parsed.services or ()) == set(SERVICES)


@pytest.mark.parametrize("name", ["migrate", "web"])
def test_what_it_sets_are_settings(name: str, tmp_path: Path) -> None:
    given = dict(SERVICES[name]["environment"])
    assert given["OPTOUT_PUBLIC_URL"].startswith("${OPTOUT_PUBLIC_URL:?")
    given["OPTOUT_PUBLIC_URL"] = "https://optout.example.com"
    for variable, path in given.items():
        if variable.endswith("_FILE"):
            secret = path.removeprefix("/run/secrets/")
            assert secret in SERVICES[name]["secrets"]
            (tmp_path / secret).write_text("postgresql://database/optout")
            given[variable] = str(tmp_path / secret)
    assert Settings.from_env(given).proxies == 1


def test_every_secret_is_a_file_outside_of_the_repository() -> None:
    files = [secret["file"] for secret in FILE["secrets"].values()]
    assert all(path.startswith("./secrets/") for path in files)
    assert not (DEPLOY / "secrets").exists()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_gets_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    if name != "database":
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_only_nginx_is_reached_from_outside_and_the_database_reaches_nobody() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["database"]["networks"] == ["inside"]
    assert FILE["networks"]["inside"]["internal"] is True


def test_the_schema_is_brought_up_to_date_before_the_service_starts() -> None:
    assert SERVICES["migrate"]["command"] == ["db", "upgrade"]
    migrated = SERVICES["web"]["depends_on"]["migrate"]["condition"]
    assert migrated == "service_completed_successfully"


def test_the_files_it_mounts_are_there() -> None:
    mounted = [volume.split(":")[0] for volume in SERVICES["proxy"]["volumes"]]
    ours = [path for path in mounted if path != "./tls"]
    assert len(ours) == 4
    assert all((DEPLOY / path).is_file() for path in ours)
