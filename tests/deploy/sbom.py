"""The bill of materials of what is deployed: ``python -m tests.deploy.sbom`` writes it anew.

CycloneDX 1.6 in JSON: what ``pyproject.toml`` asks for to run, and all that this asks for in turn,
as the image has it (CPython 3.11 on Linux), in the versions of ``constraints.txt``. By hand and not
by cyclonedx-bom, which describes a whole environment with the tools in it, and writes a time, a
serial number and addresses for download into it, so that no two runs agree.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy import DEPLOY, ROOT

FILE: Final = DEPLOY / "sbom.cdx.json"

_WHERE: Final = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""The image, in the words of PEP 508."""

_SPELT: Final = {"Apache 2.0": "Apache-2.0", "MIT License": "MIT"}
"""Licences that a package writes otherwise than SPDX does."""

_READ: Final = {
    "blinker": "MIT",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "pyrage": "MIT",
}
"""Where a package says too little of its licence, what the licence file in it is."""

_OURS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

Json = dict[str, Any]


def pinned() -> dict[str, str]:
    """The version of each package in ``constraints.txt``."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = (line.partition(";")[0].strip().split("==") for line in lines)
    return {canonicalize_name(name): version for name, version in found}


def closure() -> dict[str, list[str]]:
    """Each package that is deployed, and those it asks for; our own is the first."""
    ours = canonicalize_name(_OURS["name"])
    needs: dict[str, set[str]] = {ours: set()}
    open_ = [(ours, Requirement(text)) for text in _OURS["dependencies"]]
    seen = set()
    while open_:
        by, wanted = open_.pop()
        name = canonicalize_name(wanted.name)
        needs[by].add(name)
        needs.setdefault(name, set())
        if (name, *wanted.extras) not in seen:
            seen.add((name, *wanted.extras))
            open_ += [(name, one) for one in _asked_by(name, wanted.extras)]
    return {name: sorted(needs[name]) for name in (ours, *sorted(needs.keys() - {ours}))}


def licence(name: str) -> str:
    """The licence of a package, as an expression of SPDX."""
    said = distribution(name).metadata
    whole = said.get("License-Expression") or said.get("License") or ""
    return _READ.get(name) or _SPELT.get(whole, whole)


def bill() -> Json:
    """The whole document, the same whenever and wherever it is made."""
    needs = closure()
    ours, *others = needs
    versions = pinned() | {ours: _OURS["version"]}
    refs = {name: f"pkg:pypi/{name}@{versions[name]}" for name in needs}
    mine = {"type": "application", "bom-ref": refs[ours], "name": ours, "version": versions[ours]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": mine | {"licenses": _licenses(_OURS["license"])}},
        "components": [_component(name, versions[name], refs[name]) for name in others],
        "dependencies": [
            {"ref": refs[name], "dependsOn": [refs[one] for one in wanted]}
            for name, wanted in needs.items()
        ],
    }


def as_text() -> str:
    """The file, as it has to be."""
    return json.dumps(bill(), indent=1) + "\n"


def _asked_by(name: str, extras: set[str]) -> Iterator[Requirement]:
    """What a package asks for where it is deployed. Raises where another version is here."""
    found = distribution(name)
    if found.version != pinned()[name]:
        raise LookupError(f"{name} {found.version} is installed, and not that of constraints.txt")
    for text in found.requires or ():
        one = Requirement(text)
        where = [_WHERE | {"extra": extra} for extra in ("", *extras)]
        if one.marker is None or any(map(one.marker.evaluate, where)):
            yield one


def _component(name: str, version: str, ref: str) -> Json:
    said = {"type": "library", "bom-ref": ref, "name": name, "version": version, "purl": ref}
    return said | {"scope": "required", "licenses": _licenses(licence(name))}


def _licenses(expression: str) -> list[Json]:
    one = re.fullmatch(r"[\w.+-]+", expression)
    return [{"license": {"id": expression}}] if one else [{"expression": expression}]


if __name__ == "__main__":
    FILE.write_text(as_text())
