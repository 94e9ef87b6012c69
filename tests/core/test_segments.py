"""A text's parts, by the tables of 3GPP TS 23.038 and 23.040."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.segments import Encoding, length

# The default alphabet in the order of its codes 0x00 to 0x7F, without the escape at 0x1B.
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"

LENGTHS = [
    ("", "gsm-7", 0, 1),
    ("a" * 160, "gsm-7", 160, 1),
    ("a" * 161, "gsm-7", 161, 2),
    ("a" * 306, "gsm-7", 306, 2),
    ("a" * 307, "gsm-7", 307, 3),
    ("€" * 80, "gsm-7", 160, 1),
    ("€" * 81, "gsm-7", 162, 2),
    # An escape is not parted from its character: 76 of them fill 152 of the 153 septets.
    ("€" * 152, "gsm-7", 304, 2),
    ("€" * 153, "gsm-7", 306, 3),
    ("й" * 70, "ucs-2", 70, 1),
    ("й" * 71, "ucs-2", 71, 2),
    ("й" * 134, "ucs-2", 134, 2),
    ("й" * 135, "ucs-2", 135, 3),
    ("a" * 69 + "й", "ucs-2", 70, 1),
    ("a" * 70 + "й", "ucs-2", 71, 2),
    ("🎈" * 35, "ucs-2", 70, 1),
    ("🎈" * 36, "ucs-2", 72, 2),
    # 33 balloons fill 66 of the 67 units.
    ("🎈" * 67, "ucs-2", 134, 3),
    ("`", "ucs-2", 1, 1),
    ("ç", "ucs-2", 1, 1),
]


def test_the_alphabet_has_all_its_codes() -> None:
    assert len(set(ALPHABET)) == 127
    assert length(ALPHABET).encoding is Encoding.GSM_7
    assert length(EXTENSION).units == 2 * len(EXTENSION)


@pytest.mark.parametrize(("text", "encoding", "units", "segments"), LENGTHS)
def test_a_text_is_as_long_as_the_tables_say(
    text: str, encoding: str, units: int, segments: int
) -> None:
    found = length(text)
    assert (found.encoding, found.units, found.segments) == (encoding, units, segments)


@given(st.text())
def test_one_letter_outside_the_alphabet_makes_the_whole_text_wide(text: str) -> None:
    in_alphabet = all(character in ALPHABET + EXTENSION for character in text)
    assert (length(text).encoding is Encoding.GSM_7) == in_alphabet


@given(st.text(), st.text())
def test_more_text_never_takes_fewer_parts(text: str, more: str) -> None:
    assert length(text).segments <= length(text + more).segments


@given(st.one_of(st.text(), st.text(alphabet=ALPHABET + EXTENSION, min_size=100)))
def test_the_parts_hold_the_text_and_no_part_is_for_nothing(text: str) -> None:
    found = length(text)
    alone, each = (160, 153) if found.encoding is Encoding.GSM_7 else (70, 67)
    if found.segments == 1:
        assert found.units <= alone
    else:
        assert alone < found.units <= found.segments * each
        # At most one unit of a part is left empty, before a character of two.
        assert found.units > (found.segments - 1) * (each - 1)
