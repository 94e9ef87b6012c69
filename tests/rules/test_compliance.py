"""docs/compliance.md names every rule, docs/security.md each threat, and both name their tests."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAST = {"S": 68, "E": 87}
"""How many rules there are for texts and calls, and for e-mail."""


@pytest.mark.parametrize("letter", LAST)
def test_no_rule_is_passed_over(letter: str) -> None:
    page = (ROOT / "docs" / "compliance.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("|")]
    named: set[int] = set()
    for first, last in re.findall(rf"\b{letter}(\d+)(?:-{letter}?(\d+))?", " ".join(rows)):
        named |= set(range(int(first), int(last or first) + 1))
    assert sorted(set(range(1, LAST[letter] + 1)) ^ named) == []


def test_every_test_that_a_rule_is_shown_by_is_there() -> None:
    page = (ROOT / "docs" / "compliance.md").read_text()
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", page))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_threat_is_met_by_tests_that_are_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    threats = [row for row in rows if not row.startswith("| threat |")]
    assert len(threats) > 30
    assert [row for row in threats if "::" not in row] == []
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)::(\w+)`", page))
    assert page.count("::") == len(re.findall(r"`tests/[a-z_/]+\.py::\w+`", page))
    gone = [f"{file}::{name}" for file, name in named if not _has(ROOT / file, name)]
    assert sorted(gone) == []


def _has(path: Path, test: str) -> bool:
    return path.exists() and re.search(rf"^ *def {test}\(", path.read_text(), re.M) is not None
