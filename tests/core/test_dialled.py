"""A number as somebody keys it in on a telephone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.address import Address
from optout_service.core.dialled import read_dialled
from optout_service.core.errors import InvalidAddress
from optout_service.core.scope import Kind

# where our number is, what was keyed in, whose number that is
TABLE = [
    ("+18005550199", "4155552671", "+14155552671"),
    ("+18005550199", "14155552671", "+14155552671"),
    ("+18005550199", "01114155552671", "+14155552671"),
    ("+18005550199", "011447911123456", "+447911123456"),
    ("+18005550199", "447911123456", "+447911123456"),
    ("+448001111111", "07911123456", "+447911123456"),
    ("+448001111111", "447911123456", "+447911123456"),
    ("+448001111111", "0014155552671", "+14155552671"),
    ("+498001234567", "015123456789", "+4915123456789"),
    ("+498001234567", "004915123456789", "+4915123456789"),
    ("+390612345678", "0612345678", "+390612345678"),
    ("+4580123456", "20123456", "+4520123456"),
    ("22000", "14155552671", "+14155552671"),
]


@pytest.mark.parametrize(("near", "keyed", "number"), TABLE)
def test_it_is_read_as_it_is_dialled_where_our_number_is(
    near: str, keyed: str, number: str
) -> None:
    assert read_dialled(keyed, near) == Address.parse(Kind.PHONE, number)


@pytest.mark.parametrize(
    "keyed",
    ["", "9", "123456", "5552671", "41555526711234567890", "415555267x", "٤١٥٥٥٥٢٦٧١", "*9"],
)
def test_what_reaches_nobody_is_refused(keyed: str) -> None:
    with pytest.raises(InvalidAddress):
        read_dialled(keyed, "+18005550199")


@given(st.text(alphabet="0123456789*#+ ", max_size=40), st.text(max_size=20))
def test_whatever_is_pressed_it_is_a_number_or_refused(keyed: str, near: str) -> None:
    try:
        found = read_dialled(keyed, near)
    except InvalidAddress:
        return
    assert found.value is not None
    assert found == Address.parse(Kind.PHONE, found.value)
