"""docs/compliance.md names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_a_rule_is_shown_by_is_there() -> None:
    page = (ROOT / "docs" / "compliance.md").read_text()
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", page))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
