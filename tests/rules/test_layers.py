"""The house: who may import whom, how long a file may get, which names are not used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import optout_service

PACKAGE = Path(optout_service.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in MODULES]


def test_imports_go_one_way_down(tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_file_has_grown_past_its_room(path: Path) -> None:
    if "versions" not in path.parts:
        assert len(path.read_text().splitlines()) <= 320


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_function_does_two_things_at_length(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and "versions" not in path.parts:
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno <= 60, f"{node.name} in {path.name}"


def test_no_module_is_a_drawer_for_anything() -> None:
    drawers = {"utils", "util", "helpers", "common", "manager", "service", "base", "misc"}
    assert {path.stem for path in MODULES} & drawers == set()


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert not text or ast.get_docstring(ast.parse(text)), path


def test_the_store_never_commits() -> None:
    allowed = {"db.py", "commits.py", "migrating.py", "env.py"}
    for path in (PACKAGE / "store").rglob("*.py"):
        if path.name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"commit", "rollback", "begin"}, (
                    f"{path.name}:{node.lineno}"
                )


def test_only_the_ledger_writes_what_stands() -> None:
    writers = {"ledger.py", "suppressions.py", "tables.py"}
    for path in (PACKAGE / "store").glob("*.py"):
        if path.name not in writers:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    written = [a.id for a in node.args if isinstance(a, ast.Name)]
                    assert not (
                        node.func.id in {"insert", "update", "delete"}
                        and {"suppression", "event"} & set(written)
                    ), f"{path.name}:{node.lineno}"
