"""A link that was mangled on its way is read, if all its letters are there; nothing is guessed."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optout_service.core import mending
from optout_service.core.errors import BadToken
from optout_service.core.token import Claim, named_tenant
from tests.core.test_token import GOLDEN, LINKS

TOKEN, CLAIM = next(iter(GOLDEN.items()))
OTHER = list(GOLDEN)[1]
"""One with hyphens in it."""
HALF = len(OTHER) // 2
FOREIGN = "".join(set(string.printable) - set(string.ascii_letters + string.digits + "-_~%&=#;"))


def mended(text: str) -> Claim | None:
    """What the first genuine token of a text says, or None."""
    for candidate in mending.candidates(text):
        try:
            return LINKS.read(candidate)
        except BadToken:
            continue
    return None


MANGLED = {
    "a full stop behind it": f"{OTHER}.",
    "a bracket and a comma behind it": f"{OTHER}),",
    "angle brackets": f"<{OTHER}>",
    "quotes": f'"{OTHER}"',
    "the next sentence, without a space": f"{OTHER}Click here",
    "a tracker's parameter, as HTML writes it": f"{OTHER}&amp;utm_source=mail",
    "the whole link, once more": f"https://optout.example.com/u/{OTHER}",
    "two links in one": f"{OTHER}https://optout.example.com/u/{OTHER}",
    "percent-encoded": OTHER.replace("~", "%7E"),
    "percent-encoded twice": OTHER.replace("~", "%257E").replace("-", "%252D"),
    "percent-encoded three times": OTHER.replace("~", "%25257e"),
    "an entity": OTHER.replace("~", "&#126;"),
    "an entity in hexadecimal": OTHER.replace("~", "&#x7E;"),
    "an entity, percent-encoded": OTHER.replace("~", "%26%23126%3B"),
    "wrapped": f"{OTHER[:HALF]}\r\n{OTHER[HALF:]}",
    "wrapped and indented": f"{OTHER[:HALF]}\n    {OTHER[HALF:]}",
    "wrapped within quoted text": f"{OTHER[:HALF]}\r\n>> {OTHER[HALF:]}",
    "a space in it": f"{OTHER[:HALF]} {OTHER[HALF:]}",
    "quoted-printable": OTHER.replace("~", "=7E").replace("_", "=5f"),
    "a soft line break": f"{OTHER[:HALF]}=\r\n{OTHER[HALF:]}",
    "a soft line break without the line": f"{OTHER[:HALF]}={OTHER[HALF:]}",
    "a soft hyphen": f"{OTHER[:HALF]}\u00ad{OTHER[HALF:]}",
    "a zero-width space": f"{OTHER[:HALF]}\u200b{OTHER[HALF:]}",
    "typographic hyphens": OTHER.replace("-", "\u2011"),
    "dashes": OTHER.replace("-", "–"),
    "a small tilde": OTHER.replace("~", "˜"),
    "a wide tilde": OTHER.replace("~", "～"),
    "a text message's tilde without its escape": OTHER.replace("~", "="),
    "a tilde that became a space": OTHER.replace("~", " "),
    "a tilde that was dropped": OTHER.replace("~", ""),
    "a tilde that became a slash": OTHER.replace("~", "/"),
}


@pytest.mark.parametrize("text", MANGLED.values(), ids=MANGLED)
def test_a_mangled_link_that_has_all_its_letters_is_read(text: str) -> None:
    assert mended(text) == GOLDEN[OTHER]


@given(st.integers(0, len(TOKEN)), st.text(FOREIGN, min_size=1, max_size=9))
def test_whatever_is_put_between_its_letters_does_no_harm(place: int, foreign: str) -> None:
    assert mended(f"{TOKEN[:place]}{foreign}{TOKEN[place:]}") == CLAIM


@pytest.mark.parametrize(
    "text",
    [TOKEN[:-1], TOKEN[1:], TOKEN[: len(TOKEN) // 2], TOKEN.lower(), TOKEN.upper(), TOKEN[::-1]],
    ids=["the end lost", "the start lost", "half lost", "small", "capital", "backwards"],
)
def test_what_is_lost_is_not_guessed(text: str) -> None:
    assert mended(text) is None


@given(st.text() | st.text(f"{TOKEN}&#;%=<> \n"))
@example("~" * 5000)
@example("A" * 5000)
@example(f"{'A' * 50}~" * 100)
@example("&#37;" * 1000)
def test_however_odd_a_text_is_few_tokens_are_tried_and_none_twice(text: str) -> None:
    tried = list(mending.candidates(text))
    assert len(tried) <= 14
    assert len(set(tried)) == len(tried)
    assert text not in tried


def test_no_more_is_looked_at_than_a_link_can_have() -> None:
    behind = "x" * mending.MAX_TEXT
    assert mended(f"<{TOKEN}>{behind}") == CLAIM
    assert mended(f"{behind}<{TOKEN}>") is None


@pytest.mark.parametrize(
    ("left", "tenant"),
    [
        (TOKEN, 1),
        (TOKEN[:7], 1),
        (TOKEN[:6], None),
        ("", None),
        (TOKEN.swapcase(), None),
        ("äöüäöüäöü", None),
        (list(GOLDEN)[2][:20], 70000),
        ("_" * 9, None),
    ],
)
def test_the_start_of_a_link_names_its_tenant(left: str, tenant: int | None) -> None:
    assert named_tenant(left) == tenant


def test_the_letters_of_a_link_are_what_is_left_of_it() -> None:
    assert mending.letters(f"<{TOKEN[:20]}\n{TOKEN[20:30]}") == TOKEN[:30]
    assert mending.letters("ü/?") == ""
