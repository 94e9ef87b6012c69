"""docs/settings.md lists every knob, its default and what it does. Its table is made of the code.

To write it anew: ``python -m tests.rules.test_settings_documented``.
"""

from dataclasses import fields
from pathlib import Path

from optout_service.knobs import Secret
from optout_service.settings import PREFIX, Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

Every setting is a variable of the environment. An unknown `OPTOUT_` name or a senseless value stops
the start, with all faults named at once. A secret may also come from a file:
`OPTOUT_PEPPER_FILE=/run/secrets/pepper`.

"""


def table() -> str:
    """The table, a line a knob."""
    lines = ["| variable | default | what it does |", "|---|---|---|"]
    for knob in fields(Settings):
        value = knob.default
        default = "" if isinstance(value, Secret) or value in ("", ()) else f"`{value}`"
        lines.append(f"| `{PREFIX}{knob.name.upper()}` | {default} | {knob.metadata['doc']} |")
    return "\n".join(lines) + "\n"


def test_the_page_says_what_the_code_does() -> None:
    assert PAGE.read_text() == HEAD + table()


if __name__ == "__main__":
    PAGE.write_text(HEAD + table())
