"""Many addresses at once have the digests that each has by itself."""

from hypothesis import example, given
from hypothesis import strategies as st

from optout_service.core.address import Address
from optout_service.core.digesting import digests_of
from optout_service.core.errors import InvalidAddress
from optout_service.core.scope import Kind
from tests.stage import KEYS

HASHED = "sha256:" + "ab" * 32
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("a@x.example", " A@X.Example ", "a@x.example\n", "\ra@x.example", "é@x.example"),
                *("+14155552671", "+1 415 555 2671", HASHED, "", " ", "\n", "a@x", '"q, r"@x.com'),
                *("a@x.example b@x.example", "\ufeffa@x.example", "a@x.example\u2028"),
            ]
        ),
        st.text(max_size=12),
        st.from_regex(r"[a-zA-Z.+]{1,8}@[a-z.]{1,8}", fullmatch=True),
    ),
    max_size=8,
)


def one_by_one(kind: Kind, texts: list[str]) -> dict[int, bytes]:
    found = {}
    for number, text in enumerate(texts):
        try:
            found[number] = KEYS.digest(Address.parse(kind, text))
        except InvalidAddress:
            continue
    return found


@given(TEXTS, st.sampled_from(Kind))
@example(["a@x.example", "b@x.example\n"], Kind.EMAIL)
@example([], Kind.EMAIL)
@example([""], Kind.PHONE)
def test_texts_are_addresses_together_exactly_where_each_is_alone(
    texts: list[str], kind: Kind
) -> None:
    assert digests_of(kind, texts, KEYS) == one_by_one(kind, texts)
