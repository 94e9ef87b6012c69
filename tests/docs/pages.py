"""Pages as rows of blocks: what is run, what is a file, and what an answer should be."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
SET_UP: Final = "python3 -m venv .venv && .venv/bin/pip install "
"""How the two commands begin that make a clean machine ready: ``.ci/run`` is their test."""

_FENCE: Final = re.compile(r"^ *```(\S*)(?: (\S+))?\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_POSITIONS: Final = {"as_of", "event", "seq"}


@dataclass(frozen=True)
class Block:
    """What stands between two fences: its language, the file that it is, its text, its place."""

    language: str
    file: str
    text: str
    place: str

    @property
    def runs(self) -> bool:
        return self.language in ("sh", "python") and not self.text.startswith(SET_UP)

    @property
    def answers(self) -> bool:
        """Whether it is what the block before it should say."""
        return self.language in ("json", "text") and not self.file


def pages() -> list[Path]:
    """Every page for users, the README first."""
    return [README, *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in its order."""
    whole = page.read_text(encoding="utf-8")
    return [
        Block(
            language=found[1],
            file=found[2] or "",
            text=dedent(found[3]),
            place=f"{page.name}:{whole.count(chr(10), 0, found.start()) + 1}",
        )
        for found in _FENCE.finditer(whole)
    ]


def agrees(documented: str, told: str, language: str) -> bool:
    """Whether an answer is the one that the page shows.

    ``…`` stands for anything, a time for any time, a position in the ledger for any position.
    """
    if language == "json":
        return _same(json.loads(documented), json.loads(told))
    lines = [" ".join(line.split()) for line in documented.splitlines()]
    return lines == [" ".join(line.split()) for line in told.splitlines()]


def _same(documented: Any, told: Any, name: str = "") -> bool:
    if type(documented) is not type(told):
        return False
    if isinstance(documented, dict):
        return documented.keys() == told.keys() and all(
            _same(value, told[name], name) for name, value in documented.items()
        )
    if isinstance(documented, list):
        return len(documented) == len(told) and all(map(_same, documented, told))
    if isinstance(documented, str):
        if _MOMENT.fullmatch(documented):
            return bool(_MOMENT.fullmatch(told))
        pattern = ".+".join(map(re.escape, documented.split("…")))
        return bool(re.fullmatch(pattern, told, re.DOTALL))
    return name in _POSITIONS or bool(documented == told)
