"""Kubernetes: valid by its own schema, locked down, and fit for how the service ends and starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from optout_service.settings import Settings
from tests.deploy import DEPLOY, needs

FOLDER = DEPLOY / "kubernetes"
VERSION = "1.30"
"""The oldest Kubernetes that the files are for."""
FILES = sorted(FOLDER.glob("*/*.yaml"))
KUSTOMIZATIONS = sorted(FOLDER.glob("*/kustomization.yaml"))
Document = dict[str, Any]


def documents() -> Iterator[Document]:
    for path in FILES:
        if path not in KUSTOMIZATIONS:
            yield from yaml.safe_load_all(path.read_text())


ALL = {f"{document['kind']} {document['metadata']['name']}": document for document in documents()}
CONFIG = ALL["ConfigMap optout"]["data"]
WEB = ALL["StatefulSet optout"]["spec"]["template"]
PODS = {"web": WEB, "migrate": ALL["Job optout-migrate"]["spec"]["template"]}


@needs.without("kubernetes_validate")
@pytest.mark.parametrize("name", ALL)
def test_every_resource_is_what_kubernetes_reads(name: str) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(ALL[name], VERSION, strict=True)


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_a_kustomization_names_every_file_beside_it_and_no_other(path: Path) -> None:
    named = set(yaml.safe_load(path.read_text())["resources"])
    beside = {file.name for file in path.parent.glob("*.yaml")} - {path.name}
    assert named - {"../settings"} == beside


def test_the_schema_is_brought_up_to_date_by_the_code_that_serves() -> None:
    images = [yaml.safe_load(path.read_text()).get("images") for path in KUSTOMIZATIONS]
    assert len([image for image in images if image]) == 2
    assert images[0] == images[-1]


def test_what_is_set_are_settings(tmp_path: Path) -> None:
    given = dict(CONFIG)
    for name, path in CONFIG.items():
        if name.endswith("_FILE"):
            assert Path(path).parent == Path("/run/secrets/optout")
            (tmp_path / Path(path).name).write_text("postgresql://database/optout")
            given[name] = str(tmp_path / Path(path).name)
    assert Settings.from_env(given).metrics_port == 9464


def test_no_secret_lies_in_the_files() -> None:
    assert not [name for name in ALL if name.startswith("Secret")]


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_is_as_locked_down_as_the_strictest_standard_asks(pod: str) -> None:
    spec = PODS[pod]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("pod", PODS)
def test_the_cluster_adds_no_setting_of_its_own(pod: str) -> None:
    # For a Service named optout it would set OPTOUT_SERVICE_HOST, at which the service stops.
    assert PODS[pod]["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("pod", PODS)
def test_keys_come_from_the_secret_and_state_is_not_in_the_image(pod: str) -> None:
    spec = PODS[pod]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts == {"keys": "/run/secrets/optout", "state": "/var/lib/optout", "tmp": "/tmp"}
    (keys,) = [volume for volume in spec["volumes"] if volume["name"] == "keys"]
    assert keys["secret"]["secretName"] == "optout"


def test_a_pod_gets_requests_when_it_is_ready_and_is_replaced_only_when_it_is_not_up() -> None:
    (web,) = WEB["spec"]["containers"]
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert web["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_a_pod_that_ends_is_given_the_time_to_finish() -> None:
    (web,) = WEB["spec"]["containers"]
    waited = int(web["lifecycle"]["preStop"]["exec"]["command"][1])
    assert WEB["spec"]["terminationGracePeriodSeconds"] > waited + 25


@pytest.mark.parametrize(
    "name", ["Service optout", "Service optout-pods", "PodDisruptionBudget optout"]
)
def test_what_selects_pods_selects_ours(name: str) -> None:
    selector = ALL[name]["spec"]["selector"]
    assert selector.get("matchLabels", selector) == WEB["metadata"]["labels"]


def test_the_network_policy_lets_in_the_two_ports_and_nothing_else() -> None:
    spec = ALL["NetworkPolicy optout"]["spec"]
    assert spec["podSelector"] == {}
    (web,) = WEB["spec"]["containers"]
    let_in = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
    assert let_in == [port["containerPort"] for port in web["ports"]]
    assert all(rule["from"] for rule in spec["ingress"])
