"""docs/compliance.md and docs/compliance-law.md name every rule, docs/security.md each threat.

All three name their tests, and what they name is there.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "compliance.md").read_text()
LAW = (DOCS / "compliance-law.md").read_text()
SECURITY = (DOCS / "security.md").read_text()

LAST = {"S": 68, "E": 87, "R": 19}
"""How many rules there are for texts and calls, for e-mail, and for what must hold under faults."""

PROMISES = {"A": 13, "B": 10, "C": 12, "D": 6, "sec E": 10}
"""What must be offered, by its parts. "sec E" is security, since E is mail."""

LAWS = {
    "US, CAN-SPAM": ("30 days", "10 business days", "one page", "no fee", "not passed on"),
    "US, TCPA": ("10 business days", "5 minutes", "31 January 2027", "5 years", "seven"),
    "Canada, CASL": ("60 days", "10 business days", "no login", "burden of proof"),
    "Australia, Spam Act": ("30 days", "5 business days", "no login"),
    "New Zealand, UEM Act": ("30 days", "5 working days"),
    "Hong Kong, UEMO": ("30 days", "10 working days", "3 years"),
    "Singapore, Spam Control Act": ("30 days", "10 business days", "not disclosed"),
    "UK, PECR": ("as soon as possible", "do not delete", "come back"),
    "EU, GDPR": ("7(3)", "21(2)-(3)", "one month", "+2", "15 to 20", "5(2), 7(1)"),
    "UK since 5 February 2026, Art. 12A": ("one month", "+2 months", "30 days"),
    "France, CNIL": ("MED-2023-040", "SAN-2020-003", "SAN-2019-010", "3 years"),
    "California, CCPA": (
        "15 business days",
        "10 business days",
        "45 days",
        "12 months",
        "24 months",
    ),
    "Brazil, LGPD": ("at any time", "15 days"),
    "Gmail and Yahoo": ("2 days",),
}
"""Each law, and what must be said of it."""

CONSTANTS = ("commit", "60 days", "holidays", "30 days", "three years")
"""What follows from the strictest of all laws, in their order."""

THREATS = (
    "a link is forged",
    "bound loosely",
    "shows whose it is",
    "somebody clicks another's link",
    "scanners",
    "mail that people need is silenced",
    "who has opted out, address by address",
    "a hook is made up",
    "sent again",
    "STOP and START",
    "a hook is lost",
    "limits keep people from opting out",
    "one tenant reaches into another",
    "a list opened in a spreadsheet",
    "open redirect",
    "SSRF",
    "lifted in masses",
    "the signing key is lost",
    "the pepper is wrong or lost",
    "an old copy is put back",
    "too long, too much, or of another shape",
)
"""What must at least be in the model of threats."""

Row = list[str]


def rows(page: str) -> list[Row]:
    """The cells of each row of a page's tables, without their heads."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    below = [*lines[1:], ""]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line, after in zip(lines, below, strict=True)
        if not line.startswith("|---") and not after.startswith("|---")
    ]


def numbers(letter: str, text: str) -> set[int]:
    """The numbers of rules that are named by this letter, ranges spelt out."""
    named: set[int] = set()
    for first, last in re.findall(rf"\b{letter}(\d+)(?:-{letter}?(\d+))?", text):
        named |= set(range(int(first), int(last or first) + 1))
    return named


def of_law(name: str) -> str:
    """What the law asks for, of a law and of the rows below it that go on."""
    said: list[str] = []
    mine = False
    for law, asked, *_ in rows(LAW):
        mine = law.startswith(name) if law else mine
        said += [asked] if mine else []
    return " / ".join(said)


@pytest.mark.parametrize("letter", LAST)
def test_no_rule_is_passed_over(letter: str) -> None:
    named = numbers(letter, " ".join(row[0] for row in rows(PAGE)))
    assert sorted(set(range(1, LAST[letter] + 1)) ^ named) == []


@pytest.mark.parametrize("letter", PROMISES)
def test_no_promise_is_passed_over(letter: str) -> None:
    named = numbers(letter, " ".join(row[0] for row in rows(LAW)))
    assert sorted(set(range(1, PROMISES[letter] + 1)) ^ named) == []


@pytest.mark.parametrize("law", LAWS)
def test_no_number_of_a_law_is_passed_over(law: str) -> None:
    asked = of_law(law)
    assert [number for number in LAWS[law] if number not in asked] == []


def test_what_follows_from_all_laws_is_said() -> None:
    found = [row[1] for row in rows(LAW) if row[0].startswith("constant ")]
    assert len(found) == len(CONSTANTS)
    assert [word for word, said in zip(CONSTANTS, found, strict=True) if word not in said] == []


def test_what_is_not_shown_by_a_test_is_said_not_to_be_built() -> None:
    """And what is not built is somebody's else: the last column says what is left to do."""
    of_laws = [row for row in rows(LAW) if len(row) == 5]
    assert len(of_laws) == len(rows(LAW)) > 90
    for law, asked, done, shown, left in of_laws:
        assert "::" in shown or shown == "(not built)", (law, asked)
        if "(not built)" in shown:
            assert "not built" in done, (law, asked)
            assert left, (law, asked)


@pytest.mark.parametrize("page", [PAGE, LAW], ids=["compliance", "law"])
def test_every_test_that_a_rule_is_shown_by_is_there(page: str) -> None:
    files = set(re.findall(r"`(tests/[a-z_/]+\.py)", page))
    assert len(files) > 20
    assert sorted(name for name in files if not (ROOT / name).exists()) == []
    assert gone(page) == []


def test_every_threat_is_met_by_tests_that_are_there() -> None:
    threats = [row for row in rows(SECURITY) if len(row) == 3]
    assert len(threats) > 30
    assert [row for row in threats if "::" not in row[2]] == []
    assert gone(SECURITY) == []


@pytest.mark.parametrize("threat", THREATS)
def test_no_threat_is_passed_over(threat: str) -> None:
    assert [row for row in rows(SECURITY) if threat in row[0]]


def gone(page: str) -> list[str]:
    """The tests that a page names, and that are not there."""
    named = re.findall(r"`(tests/[a-z_/]+\.py)::(\w+)`", page)
    assert page.count("::") == len(named)
    return sorted({f"{file}::{name}" for file, name in named if not _has(ROOT / file, name)})


def _has(path: Path, test: str) -> bool:
    return path.exists() and re.search(rf"^ *def {test}\(", path.read_text(), re.M) is not None
