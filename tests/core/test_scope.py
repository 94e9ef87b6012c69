"""Scopes: what is covered, what can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.errors import InvalidRequest, UnknownChannel, UnknownTopic
from optout_service.core.scope import ANY, Channel, Kind, Purpose, Scope, kind_of

scopes = st.builds(
    Scope,
    st.sampled_from([ANY, *Channel]),
    st.sampled_from([ANY, "newsletter", "offers"]),
    st.sampled_from([ANY, *Purpose]),
)


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        pytest.param("* * *", "email newsletter marketing", True, id="all covers anything"),
        pytest.param("email * marketing", "email offers marketing", True, id="all topics"),
        pytest.param(
            "email offers marketing",
            "email * marketing",
            False,
            id="one topic is not all",
        ),
        pytest.param("sms * *", "email * *", False, id="another channel"),
        pytest.param("* * marketing", "sms * transactional", False, id="another purpose"),
    ],
)
def test_a_scope_covers_what_is_equal_or_inside(wide: str, narrow: str, covers: bool) -> None:
    assert Scope(*wide.split()).covers(Scope(*narrow.split())) is covers


@given(scopes, scopes, scopes)
def test_covering_is_an_order(a: Scope, b: Scope, c: Scope) -> None:
    assert a.covers(a)
    assert not (a.covers(b) and b.covers(a)) or a == b
    assert not (a.covers(b) and b.covers(c)) or a.covers(c)


def test_who_says_nothing_speaks_of_all_topics_and_marketing() -> None:
    assert Scope.parse("email") == Scope("email", "*", "marketing")


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        pytest.param(("pigeon", None, None), UnknownChannel, id="no such channel"),
        pytest.param(("email", "News letter", None), UnknownTopic, id="not a slug"),
        pytest.param(("email", "", None), UnknownTopic, id="an empty topic is not all topics"),
        pytest.param(("email", None, "fun"), InvalidRequest, id="no such purpose"),
    ],
)
def test_what_is_no_scope_is_refused(
    parts: tuple[str, str | None, str | None], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Scope.parse(*parts)


def test_texts_calls_and_chats_share_the_phone() -> None:
    kinds = {channel: kind_of(channel) for channel in Channel}
    assert kinds.pop(Channel.EMAIL) is Kind.EMAIL
    assert set(kinds.values()) == {Kind.PHONE}
