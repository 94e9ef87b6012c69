"""The bill of materials: what is deployed and nothing else, well formed, free to be passed on."""

import json
import re
from importlib.resources import files
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from tests.deploy import ROOT, needs, sbom

BILL: Final[dict[str, Any]] = json.loads(sbom.FILE.read_text())

PERMISSIVE: Final = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Zlib",
}
EXCEPTIONS: Final = {
    "certifi": ("MPL-2.0", "its file of certificates is taken as it is, and never changed"),
    "psycopg": ("LGPL-3.0-only", "a library that is called, unmodified, and can be replaced"),
    "psycopg-binary": ("LGPL-3.0-only", "the same, compiled"),
}
"""What is not permissive, and why it may be deployed all the same."""


def licences() -> dict[str, str]:
    """The licence of each package, by its name."""
    return {
        one["name"]: said.get("expression") or said["license"]["id"]
        for one in BILL["components"]
        for said in one["licenses"]
    }


def schema(name: str) -> dict[str, Any]:
    """One of CycloneDX's own schemas."""
    text = files("cyclonedx").joinpath("schema", "_res", f"{name}.SNAPSHOT.schema.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_what_the_constraints_and_the_project_say_now() -> None:
    """Mended by ``python -m tests.deploy.sbom``."""
    assert sbom.FILE.read_text() == sbom.as_text()


def test_every_package_that_is_asked_for_is_in_it_and_no_tool_of_the_suite() -> None:
    names = {one["name"] for one in BILL["components"]}
    assert {"flask", "psycopg-binary", "sqlalchemy", "werkzeug", "cffi"} <= names
    assert not {"pytest", "hypothesis", "django", "ruff", "pip", "colorama"} & names


@needs.without("cyclonedx")
def test_it_is_what_the_schema_of_cyclonedx_asks_for() -> None:
    whole = schema("bom-1.6")
    beside = whole["$id"].rpartition("/")[0]  # where it looks for the other two
    registry: Registry[Any] = Registry().with_resources(
        [
            (f"{beside}/{name}.SNAPSHOT.schema.json", Resource.from_contents(schema(name)))
            for name in ("spdx", "jsf-0.82")
        ]
    )
    checker = Draft7Validator(whole, registry=registry)
    assert list(checker.iter_errors(BILL)) == []
    assert list(checker.iter_errors(BILL | {"serial": "x"})) != []


@needs.without("cyclonedx")
def test_every_licence_is_one_of_spdx() -> None:
    known = set(schema("spdx")["enum"])
    for expression in licences().values():
        assert set(re.split(r" (?:AND|OR) ", expression)) <= known


def test_every_licence_is_permissive_or_an_exception_with_a_reason() -> None:
    others = {
        name: expression
        for name, expression in licences().items()
        if not set(re.split(r" (?:AND|OR) ", expression)) <= PERMISSIVE
    }
    assert others == {name: licence for name, (licence, _) in EXCEPTIONS.items()}
    page = (ROOT / "docs" / "security.md").read_text()
    assert [name for name in EXCEPTIONS if f"`{name}`" not in page] == []


@pytest.mark.parametrize("word", ["http:", "https:", "file:", "/work", "/home", "timestamp"])
def test_it_says_neither_when_nor_where_it_was_made(word: str) -> None:
    assert word not in sbom.FILE.read_text()
