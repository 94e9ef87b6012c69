"""Contrast as WCAG 2.2 computes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.colour import BLACK, WHITE, Colour
from optout_service.core.errors import InvalidRequest

COLOURS = st.builds(Colour, *[st.integers(0, 255)] * 3)


# By the formula, as https://webaim.org/resources/contrastchecker/ gives them too.
@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#949494", "#ffffff", 3.03),
        ("#969696", "#ffffff", 2.96),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
        ("#00ff00", "#ffffff", 1.37),
        ("#ffff00", "#000000", 19.56),
    ],
)
def test_a_known_pair_has_its_known_ratio(one: str, other: str, ratio: float) -> None:
    assert round(Colour.parse(one).contrast(Colour.parse(other)), 2) == ratio


@given(COLOURS, COLOURS)
def test_a_ratio_is_from_1_to_21_and_the_same_either_way_round(one: Colour, other: Colour) -> None:
    assert 1 <= one.contrast(other) <= 21.0000001
    assert one.contrast(other) == other.contrast(one)


@given(COLOURS)
def test_as_text_a_colour_is_read_as_itself(colour: Colour) -> None:
    assert Colour.parse(str(colour)) == colour
    assert Colour.parse(str(colour).upper()) == colour


@given(COLOURS, st.sampled_from([BLACK, WHITE]))
def test_on_the_way_to_black_or_white_there_is_a_colour_that_stands_out(
    colour: Colour, end: Colour
) -> None:
    behind = WHITE if end == BLACK else BLACK
    found = colour.until(4.5, behind, towards=end)
    assert found.contrast(behind) >= 4.5
    if colour.contrast(behind) >= 4.5:
        assert found == colour


@pytest.mark.parametrize(
    "text",
    [
        *("", "#", "#fff", "1747b5", "#1747b5ff", "#1747b", "red", "#12345g", "#１２３４５６"),
        *("#1747b5\n", "rgb(1,2,3)", "#000000;}body{display:none", "</style><script>"),
    ],
)
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="six hexadecimal digits") as refused:
        Colour.parse(text, field="dark_colour")
    assert refused.value.extra == {"field": "dark_colour"}
