"""A cursor comes back as it went out; any other text is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import cursor
from optout_service.core.errors import Malformed

PART = st.integers(0, 2**31 - 1) | st.text().filter(str.isprintable)


@given(st.lists(PART, max_size=4))
def test_it_comes_back_as_it_went_out(parts: list[str | int]) -> None:
    assert cursor.read(cursor.write(parts), [type(part) for part in parts]) == parts


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_refused_as_none_of_ours(text: str) -> None:
    try:
        read = cursor.read(text, [str, int])
    except Malformed:
        return
    assert [type(part) for part in read] == [str, int]


@pytest.mark.parametrize("parts", [[-1], [2**31], [True], [1.0], ["1"], [1, 1], [None]])
def test_a_number_that_no_column_holds_is_refused(parts: list[int]) -> None:
    with pytest.raises(Malformed):
        cursor.read(cursor.write(parts), [int])
