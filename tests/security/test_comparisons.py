"""Secrets are compared in constant time, or looked up by a keyed hash: nothing else compares one.

OWASP ASVS 5.0, 11.2.4. A comparison that stops at the first wrong letter tells how many were right.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "optout_service"
SECRET = re.compile(
    r"(?:^|_)(?:secrets?|tokens?|signatures?|signed|passwords?|macs?|hmacs?"
    r"|api_key_digest|bearer|credentials?|proofs?|claimed)$"
)
"""What is one by its name: of a variable, an attribute, a key of a mapping, a call."""
HARMLESS = {
    # In SQL, by a hash under the pepper: nobody who tries knows how near it came.
    ("store/keys.py", "api_key.c.digest == keys.api_key_digest(secret)"),
    # An operator's own, on the command line.
    ("cli/reconcile.py", "token in row.tokens"),
}
"""Comparisons that may stand; one that is no longer there is no excuse."""


def comparisons(source: str) -> Iterator[str]:
    """Each comparison of something that is a secret by its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            equal = any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops)
            given = [one for one in sides if not _is_plain(one)]
            if equal and len(given) > 1 and any(SECRET.search(_name(one)) for one in given):
                yield ast.unparse(node)


def _is_plain(node: ast.expr) -> bool:
    """A constant of our own, which is no secret."""
    return isinstance(node, ast.Constant | ast.Tuple | ast.Set | ast.Dict)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=called):
            inner = called.value if isinstance(called, ast.Attribute) else called
            # x.encode(), x.reveal(), hash(x): still x; make(x): what it makes.
            return _name(inner) if _name(called) in ("encode", "reveal", "lower") else _name(called)
        case ast.Subscript(value=whole):
            return _name(whole)
        case _:
            return ""


def test_no_secret_is_compared_letter_by_letter() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), one)
        for path in sorted(PACKAGE.rglob("*.py"))
        for one in comparisons(path.read_text())
    }
    assert found == HARMLESS


@pytest.mark.parametrize(
    "planted",
    [
        "given == secret",
        "request.headers.get('X-Signature') != self.signature",
        "token in account.tokens",
        "known.api_key_digest == keys.api_key_digest(shown)",
        "password.encode() == shown.encode()",
        "secrets[0] == shown",
    ],
)
def test_one_that_is_would_be_found(planted: str) -> None:
    assert list(comparisons(f"def check():\n    return {planted}\n")) == [planted]


@pytest.mark.parametrize(
    "harmless", ["token == ''", "secret is None", "len(tokens) == 1", "kind == 'token'", "a == b"]
)
def test_what_compares_no_secret_is_left_alone(harmless: str) -> None:
    assert list(comparisons(harmless)) == []
