"""Links that were tampered with are read as what they were minted for, or not at all.

``tests.faults.vandalised_links`` mutates a million of them.
"""

from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.errors import BadToken
from optout_service.recipients import link
from tests.core.test_token import GOLDEN, LINKS


@given(st.data())
def test_pieces_of_genuine_links_make_no_other(data: st.DataObject) -> None:
    tokens = st.sampled_from(list(GOLDEN))
    pieces = []
    for _ in range(data.draw(st.integers(1, 5))):
        token = data.draw(tokens)
        start = data.draw(st.integers(0, len(token)))
        pieces.append(token[start : data.draw(st.integers(start, len(token)))])
        pieces.append(data.draw(st.sampled_from(["", "~", " ", "/", "%7E", "="])))
    try:
        read = link.read(LINKS, "".join(pieces)).claim
    except BadToken:
        return
    assert read in GOLDEN.values()
